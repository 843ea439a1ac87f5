"""One refit of the regimes: fitted on the rows up to one of them, with all that is known against it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from models.average import RegimeAverage
from models.hmm import warn_if_degenerate
from models.identity import label_churn
from models.inference import Array
from models.jump_fit import warn_if_degenerate as warn_of_jump
from models.regime import RegimeHMM
from models.regime_fit import filter_regimes
from models.regime_jump import RegimeJump
from models.regime_tvtp import RegimeTVTP
from training.config import TrainConfig
from training.errors import JobError
from training.refit_names import name_margin, names_inverted, with_evidence
from training.regime_kinds import RegimeModel, fit_kind

MIN_OCCUPANCY = 0.05


@dataclass(frozen=True)
class Refit:
    """One refit.

    Attributes
    ----------
    position : row it was made on; it has seen rows up to and including this one
    end : row before which the next refit takes over
    model : the fitted regime model
    states : (end - first row, ...) what this model's filter carries, from the first row of the walk to `end`
    probs : (end - first row, n_states) filtered probabilities of the same rows
    left_out : columns below coverage
    faults : why the fit should not be relied on; empty where it may be
    churn : share of the common rows whose most probable state changed against the refit before; NaN for the first
    inverted : whether a name went to another state than it meant at the refit before
    margin : how surely states were matched to those of the refit before (`training.refit_names.name_margin`)
    """

    position: int
    end: int
    model: RegimeModel
    states: Array
    probs: Array
    left_out: tuple[str, ...]
    faults: tuple[str, ...]
    churn: float
    inverted: bool = False
    margin: float = float("inf")

    @property
    def degenerate(self) -> bool:
        """Whether the fit should not be relied on."""
        return bool(self.faults)

    @property
    def identified(self) -> bool:
        """Whether the states may carry their names: never right after names were swapped."""
        return not self.inverted and self.model.identified


def covered_columns(frame: pd.DataFrame, columns: list[str], min_coverage: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part columns into those with enough values over the window and those without."""
    values = frame[columns]
    share, moves = values.notna().mean(), values.max() > values.min()
    kept = tuple(c for c in columns if share[c] >= min_coverage and moves[c])
    return kept, tuple(c for c in columns if c not in kept)


def make_refit(
    X: pd.DataFrame, price: pd.Series, first: int, position: int, end: int, number: int, before: Refit | None, config: TrainConfig
) -> Refit:
    """Fit on the rows up to `position`, filter from `first` to `end`, and say what stands against relying on it.

    Parameters
    ----------
    X : feature matrix on all sessions
    price : small caps' price on the same sessions
    first : first row of the walk
    position, end : as of `Refit`
    number : of the refit, from 0: random numbers and the turn of weighing the names follow from it
    before : the refit before; None for the first

    Raises
    ------
    JobError
        If the column that names the states has too few values.
    """
    window = X.iloc[first : position + 1]
    columns, left_out = covered_columns(window, config.regime.reads, config.min_coverage)
    if config.regime.score_column not in columns:
        raise JobError(
            f"train: column '{config.regime.score_column}' names the states and has too few values up to {X.index[position]:%Y-%m-%d}; "
            f"rule: coverage at least {config.min_coverage}. Move walk.start, or choose another regime.score_column"
        )
    rng = np.random.default_rng([config.seed, number])
    model = fit_kind(window, price.iloc[first : position + 1], columns, before.model if before else None, rng, config)
    model = with_evidence(model, before.model if before else None, number, window, rng, config)
    rows = X.iloc[first:end]
    states = filter_regimes(model, rows) if isinstance(model, RegimeHMM | RegimeAverage) else model.filter_states(rows)
    probs = model.proba(states)
    faults = _faults(model, states[: len(window)], f"regime refit of {X.index[position]:%Y-%m-%d}")
    made = Refit(position, end, model, states, probs, left_out, tuple(faults), churn=float("nan"))
    return made if before is None else replace(made, **_against(before, made))


def _faults(model: RegimeModel, seen: Array, where: str) -> list[str]:
    """Warn of fits that should not be relied on, and say why."""
    if isinstance(model, RegimeAverage):
        members = zip(model.names, model.members, range(len(model.members)), strict=True)
        return [f"'{name}': {fault}" for name, each, i in members for fault in _faults(each, seen[:, i], f"{where}, '{name}'")]
    if isinstance(model, RegimeTVTP):
        return _faults(model.base, model.proba(seen), where)
    if isinstance(model, RegimeJump):
        return [] if model.fit is None else warn_of_jump(model.fit, MIN_OCCUPANCY, where)
    if not isinstance(model, RegimeHMM) or model.fit is None:
        return []
    return warn_if_degenerate(model.fit, seen.mean(axis=0), MIN_OCCUPANCY, where)


def _against(before: Refit, made: Refit) -> dict[str, Any]:
    """Hold a refit against the one before: labels that changed, names that went elsewhere."""
    models = before.model, made.model
    return {"churn": label_churn(before.probs, made.probs), "inverted": names_inverted(*models), "margin": name_margin(*models)}
