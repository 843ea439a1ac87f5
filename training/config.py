"""The configuration of a training job: one frozen tree, unknown keys refused."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sources.yaml_file import OneKey
from training.errors import JobError

MOST_TOLD = 3
"""Faults of a config that are said in one go."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SpecificationConfig(_Frozen):
    """One of the models that are averaged; what is left out is as in `regime`."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    emission: Literal["gaussian", "student"] | None = None
    window: Annotated[int, Field(ge=252)] | None = None  # newest sessions that it is fitted on
    kappa: Annotated[float, Field(ge=0)] | None = None
    clip: Annotated[float, Field(ge=1)] | None = None


class RegimeConfig(_Frozen):
    """How regimes are labelled."""

    kind: Literal["hmm", "tvtp", "jump", "classifier"] = "hmm"
    n_components: Annotated[int, Field(ge=2, le=4)] = 2
    columns: list[str] = Field(min_length=1, max_length=8)
    drivers: list[str] = Field(default_factory=list, max_length=4)  # of tvtp: the row of a day drives the move to the next
    score_column: str
    emission: Literal["gaussian", "student"] = "gaussian"
    kappa: Annotated[float, Field(ge=0)] = 100.0
    specifications: list[SpecificationConfig] = Field(default_factory=list, max_length=12)
    jump_penalty: Annotated[float, Field(ge=0)] = 50.0
    jump_continuous: bool = False
    n_init: Annotated[int, Field(ge=1)] = 6
    n_iter: Annotated[int, Field(ge=1)] = 100
    tol: Annotated[float, Field(gt=0)] = 1e-3
    enter: Annotated[float, Field(gt=0, lt=1)] = 0.6
    leave: Annotated[float, Field(gt=0, lt=1)] = 0.4
    bootstrap: Annotated[int, Field(ge=0)] = 400  # 0 for none, else at least 2
    evidence: Annotated[int, Field(ge=0)] = 40  # 0 for none, else at least 2
    label_horizon: Annotated[int, Field(ge=1)] = 21
    label_drawdown: Annotated[float, Field(gt=0, lt=1)] = 0.05

    @model_validator(mode="after")
    def _consistent(self) -> "RegimeConfig":
        if self.score_column not in self.columns:
            raise ValueError(f"score_column '{self.score_column}' must be one of columns")
        for name in ("bootstrap", "evidence"):
            if getattr(self, name) == 1:
                raise ValueError(f"{name} must be 0 (none) or at least 2: one refit has no spread")
        if self.leave > self.enter:
            raise ValueError(f"leave ({self.leave}) must not be above enter ({self.enter})")
        if self.kind == "tvtp" and not self.drivers:
            raise ValueError("kind tvtp needs drivers: the columns that drive its transitions")
        if len(set(self.drivers)) != len(self.drivers):
            raise ValueError(f"drivers must not repeat: {self.drivers}")
        if self.kind == "classifier" and self.n_components != 2:
            raise ValueError("a classifier tells two regimes: n_components must be 2")
        names = [each.name for each in self.specifications]
        if len(set(names)) != len(names):
            raise ValueError(f"specifications must have names of their own: {', '.join(names)}")
        return self

    @property
    def reads(self) -> list[str]:
        """Columns that the model reads, each once: those of a chain without drivers are `columns`."""
        return list(dict.fromkeys([*self.columns, *(self.drivers if self.kind == "tvtp" else [])]))


class ForecastConfig(_Frozen):
    """What the ridge rung reads, and when forecasting starts."""

    features: list[str] = Field(min_length=1, max_length=9)
    min_rows: Annotated[int, Field(ge=100)] = 500


class WalkConfig(_Frozen):
    """The walk-forward."""

    start: date
    min_history: Annotated[int, Field(ge=252)] = 1008
    refit_every: Annotated[int, Field(ge=5)] = 63
    lockbox: Annotated[float, Field(ge=0, le=0.5)] = 0.2  # 0 for none


class TrainConfig(_Frozen):
    """Everything a training job can be told."""

    seed: Annotated[int, Field(ge=0)] = 0
    assets: list[Literal["BTC", "ETH", "ALT"]] = Field(min_length=1)
    horizons: list[Annotated[int, Field(ge=1, le=252)]] = Field(min_length=1)
    min_coverage: Annotated[float, Field(gt=0, le=1)] = 0.8
    regime: RegimeConfig
    forecast: ForecastConfig
    walk: WalkConfig

    @model_validator(mode="after")
    def _no_repeats(self) -> "TrainConfig":
        for name in ("assets", "horizons"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} must not repeat: {values}")
        return self

    def resolved(self) -> dict[str, Any]:
        """Every value by its dotted name, for the log."""
        return dict(_flatten(self.model_dump()))


def _flatten(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    for key, value in tree.items():
        out += _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return out


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping; a fault is a `JobError` that names the file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        elsewhere = "; run from the project's folder, or name the file by its whole path" if isinstance(error, FileNotFoundError) else ""
        raise JobError(f"config '{path}' cannot be read: {getattr(error, 'strerror', None) or error}{elsewhere}") from None
    try:
        tree = yaml.load(text, Loader=OneKey)
    except yaml.YAMLError as error:
        raise JobError(f"config '{path}' is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(tree, dict):
        raise JobError(f"config '{path}' must be a mapping of keys to values")
    return tree


def load_config(path: str | Path, **overrides: Any) -> TrainConfig:
    """Read and check a training config.

    Parameters
    ----------
    path : YAML file
    overrides : values from the command line by dotted name, e.g. ``{"regime.n_components": 3}``; None is no override

    Raises
    ------
    JobError
        Naming file, key, rule and value.
    """
    tree = read_yaml(path)
    for dotted, value in overrides.items():
        if value is not None:
            *parents, last = dotted.split(".")
            node = tree
            for parent in parents:
                node = node.setdefault(parent, {}) if isinstance(node, dict) else node
            if isinstance(node, dict):  # what is no mapping is refused below
                node[last] = value
    try:
        return TrainConfig.model_validate(tree)
    except ValidationError as error:
        given = frozenset(dotted for dotted, value in overrides.items() if value is not None)
        raise JobError(told(explain(path, error, given))) from None


def told(faults: list[str]) -> str:
    """Say the first few faults, and how many more there are."""
    more = f"; and {len(faults) - MOST_TOLD} more" if len(faults) > MOST_TOLD else ""
    return "; ".join(faults[:MOST_TOLD]) + more


def explain(path: str | Path, error: ValidationError, given: frozenset[str] = frozenset()) -> list[str]:
    """Say each fault of a config: file, key, rule, value.

    Parameters
    ----------
    given : dotted names that came from the command line; their faults are told of the option, not of the file
    """
    lines = []
    for fault in error.errors(include_url=False):
        key = ".".join(str(part) for part in fault["loc"]) or "(whole)"
        option = key.rpartition(".")[2].replace("_", "-")
        place = f"option --{option}" if key in given else f"config '{path}': key '{key}'"
        if fault["type"] == "extra_forbidden":
            lines.append(f"{place} is unknown; remove it or correct its spelling")
        else:
            value = f" (it is {fault['input']!r})" if not isinstance(fault["input"], dict) else ""
            lines.append(f"{place}: {fault['msg'].removeprefix('Value error, ')}{value}")
    return lines
