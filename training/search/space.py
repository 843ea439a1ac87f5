"""What a search may try: keys of the training config and their ranges, checked before anything is computed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training.config import TrainConfig, explain, read_yaml, told
from training.errors import JobError

if TYPE_CHECKING:
    from optuna import Trial


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Range(_Frozen):
    """Values that a key may take: a range of numbers, or a list."""

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    step: Annotated[int, Field(ge=1)] | None = None
    choices: Annotated[list[bool | int | float | str], Field(min_length=2, max_length=50)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        numbers = (self.low, self.high)
        if (self.choices is None) == (numbers == (None, None)):
            raise ValueError("it is a range {low, high} or a list {choices}, not both and not neither")
        if self.choices is None and (self.low is None or self.high is None or not self.low < self.high):
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        if self.log and not (self.low or 0) > 0:
            raise ValueError("log needs low above 0")
        if self.step and (self.log or not self.whole):
            raise ValueError("step is for ranges of whole numbers without log")
        return self

    @property
    def whole(self) -> bool:
        """Whether it is a range of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def suggest(self, trial: "Trial", key: str) -> Any:
        """Let a sampler choose a value."""
        if self.choices is not None:
            return trial.suggest_categorical(key, self.choices)
        if self.low is None or self.high is None:
            raise RuntimeError(f"range of '{key}' has no ends")
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(key, self.low, self.high, step=self.step or 1, log=self.log)
        return trial.suggest_float(key, float(self.low), float(self.high), log=self.log)

    def holds(self, value: Any) -> bool:
        """Whether a value lies in it."""
        if self.choices is not None:
            return value in self.choices
        return self.low is not None and self.high is not None and isinstance(value, int | float) and self.low <= value <= self.high


class SearchConfig(_Frozen):
    """Everything a search can be told."""

    trials: Annotated[int, Field(ge=2, le=1000)]
    sampler: Literal["tpe", "qmc"] = "tpe"
    tuning: Annotated[float, Field(ge=0.2, le=0.8)] = 0.5
    batch: Annotated[int, Field(ge=1, le=64)] = 4
    backend: Literal["serial", "loky", "dask", "ray"] = "loky"
    jobs: Annotated[int, Field(ge=1, le=256)] = 1
    seed: Annotated[int, Field(ge=0)] = 0
    space: Annotated[dict[str, Range], Field(min_length=1, max_length=20)]

    @property
    def claim(self) -> dict[str, Any]:
        """What decides its numbers: all of it but where they are computed, and the seed."""
        return self.model_dump(mode="json", exclude={"backend", "jobs", "seed"})


def load_search_config(path: str | Path, **overrides: Any) -> SearchConfig:
    """Read and check a search; a fault is a `JobError` that names file, key, rule and value.

    Parameters
    ----------
    overrides : values from the command line; None is no override
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    try:
        return SearchConfig.model_validate(read_yaml(path) | given)
    except ValidationError as error:
        raise JobError(told(explain(path, error, frozenset(given)))) from None


def with_values(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """Put values into a config by their dotted keys.

    Raises
    ------
    JobError
        Naming the key and the rule that a value breaks, or the key that there is none of.
    """
    tree = config.model_dump()
    for dotted, value in values.items():
        *parents, last = dotted.split(".")
        node: Any = tree
        for parent in parents:
            node = node.get(parent) if isinstance(node, dict) else None
        if not isinstance(node, dict) or last not in node:
            near = ", ".join(key for key in config.resolved() if key.split(".")[0] == dotted.split(".")[0]) or ", ".join(config.resolved())
            raise JobError(f"search: key '{dotted}' of the space is none of the training config; of its kind there are {near}")
        node[last] = value
    try:
        return TrainConfig.model_validate(tree)
    except ValidationError as error:
        raise JobError(f"search: {dict(values)} is no training config: {told(explain('the space', error))}") from None


def check_space(config: TrainConfig, search: SearchConfig) -> None:
    """Refuse a space with an end that the training config does not allow, each key by itself."""
    for key, values in search.space.items():
        for end in values.choices or (values.low, values.high):
            with_values(config, {key: end})
    fixed = ("seed", "assets", "horizons", "walk.start", "walk.min_history", "walk.lockbox")
    named = [key for key in search.space if key in fixed]
    if named:
        raise JobError(
            f"search: key '{named[0]}' cannot be searched; rule: what says on which rows and targets candidates are judged is fixed"
        )


def values_now(config: TrainConfig, search: SearchConfig) -> dict[str, Any] | None:
    """Values of the config as it is, the first candidate; None where one lies outside of its range."""
    resolved = config.resolved()
    values = {key: resolved[key] for key in search.space}
    return values if all(search.space[key].holds(value) for key, value in values.items()) else None
