"""Walk-forward of the regimes: refits on a schedule, each row labelled with parameters of its past."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.classifier import RegimeClassifier
from models.classifier_fit import fit_classifier
from models.hmm import warn_if_degenerate
from models.identity import hysteresis, match
from models.inference import Array
from models.regime import RegimeHMM
from models.regime_fit import HMMSettings, filter_regimes, fit_regime_hmm
from models.scoring import UNIDENTIFIED, name_rows
from training.config import TrainConfig
from training.errors import JobError
from training.targets import calm_rise

STATE_NAMES = {2: ("risk_on", "risk_off"), 3: ("risk_on", "neutral", "risk_off"), 4: ("risk_on", "neutral_high", "neutral_low", "risk_off")}
"""Names of the states, highest mean over standard deviation of small caps first."""

MIN_OCCUPANCY = 0.05

RegimeModel = RegimeHMM | RegimeClassifier
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Refit:
    """One refit.

    Attributes
    ----------
    position : row it was made on; it has seen rows up to and including this one
    end : row before which the next refit takes over
    model : the fitted regime model
    probs : (end - first row, n_states) filtered under this model, from the first row of the walk to `end`
    left_out : columns below coverage
    degenerate : whether the fit should not be relied on
    churn : share of the common rows whose most probable state changed against the refit before; NaN for the first
    inverted : whether a name went to another state than it meant at the refit before
    """

    position: int
    end: int
    model: RegimeModel
    probs: Array
    left_out: tuple[str, ...]
    degenerate: bool
    churn: float
    inverted: bool = False

    @property
    def identified(self) -> bool:
        """Whether the states may carry their names: never right after names were swapped; a classifier's label is named by construction."""
        return not self.inverted and (not isinstance(self.model, RegimeHMM) or self.model.identity.identified)


@dataclass(frozen=True)
class RegimeWalk:
    """All refits and what they published.

    Attributes
    ----------
    first : first row of the walk
    refits : in order of time
    published : DataFrame on all sessions: `p_<state>` columns, `regime` (name held by hysteresis) and `refit` number;
        missing before the first refit
    held : whether risk-on was held after the last session
    """

    first: int
    refits: tuple[Refit, ...]
    published: pd.DataFrame
    held: bool


def schedule(sessions: pd.Index, config: TrainConfig) -> tuple[int, list[int]]:
    """Give the first row of the walk and the rows on which parameters are refitted: fixed from there, whatever comes later.

    Raises
    ------
    JobError
        If the history is too short for one refit.
    """
    walk = config.walk
    first = int(sessions.searchsorted(pd.Timestamp(walk.start)))
    positions = list(range(first + walk.min_history - 1, len(sessions), walk.refit_every))
    if not positions:
        raise JobError(
            f"train: {len(sessions) - first} sessions from {walk.start}; rule: walk.min_history is {walk.min_history}. "
            "Use a longer market, an earlier walk.start or a smaller walk.min_history"
        )
    return first, positions


def covered_columns(frame: pd.DataFrame, columns: list[str], min_coverage: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part columns into those with enough values over the window and those without."""
    share = frame[columns].notna().mean()
    kept = tuple(c for c in columns if share[c] >= min_coverage and frame[c].nunique() > 1)
    return kept, tuple(c for c in columns if c not in kept)


def walk_regimes(X: pd.DataFrame, price: pd.Series, config: TrainConfig, progress: Progress) -> RegimeWalk:
    """Refit on the schedule and label every row with the parameters of the last refit.

    Parameters
    ----------
    X : feature matrix on all sessions
    price : small caps' price on the same sessions (the classifier's label is made of it)
    progress : called with a word, the refits done and their number
    """
    first, positions = schedule(X.index, config)
    refits: list[Refit] = []
    for number, position in enumerate(positions):
        end = positions[number + 1] if number + 1 < len(positions) else len(X)
        refits.append(_refit(X, price, first, position, end, number, refits[-1] if refits else None, config))
        progress("regimes", number + 1, len(positions))
    published, held = publish(X.index, first, refits, config)
    return RegimeWalk(first, tuple(refits), published, held)


def _refit(
    X: pd.DataFrame, price: pd.Series, first: int, position: int, end: int, number: int, before: Refit | None, config: TrainConfig
) -> Refit:
    window = X.iloc[first : position + 1]
    columns, left_out = covered_columns(window, config.regime.columns, config.min_coverage)
    if config.regime.score_column not in columns:
        raise JobError(
            f"train: column '{config.regime.score_column}' names the states and has too few values up to {X.index[position]:%Y-%m-%d}; "
            f"rule: coverage at least {config.min_coverage}. Move walk.start, or choose another regime.score_column"
        )
    rng = np.random.default_rng([config.seed, number])
    model = _fit(window, price.iloc[first : position + 1], columns, before.model if before else None, rng, config)
    rows = X.iloc[first:end]
    probs = filter_regimes(model, rows) if isinstance(model, RegimeHMM) else model.filter_proba(rows)
    seen = probs[: len(window)]
    degenerate = False
    if isinstance(model, RegimeHMM) and model.fit is not None:
        degenerate = warn_if_degenerate(model.fit, seen.mean(axis=0), MIN_OCCUPANCY, f"regime refit of {X.index[position]:%Y-%m-%d}")
    churn, inverted = (_churn(before, probs), _inverted(before.model, model)) if before else (float("nan"), False)
    return Refit(position, end, model, probs, left_out, degenerate, churn, inverted)


def _fit(
    window: pd.DataFrame,
    price: pd.Series,
    columns: tuple[str, ...],
    before: RegimeModel | None,
    rng: np.random.Generator,
    config: TrainConfig,
) -> RegimeModel:
    regime = config.regime
    if regime.kind == "classifier":
        label = calm_rise(price, regime.label_horizon, regime.label_drawdown)
        return fit_classifier(window, columns, label.to_numpy(), regime.label_horizon)
    return fit_regime_hmm(window, columns, hmm_settings(config), rng, before if isinstance(before, RegimeHMM) else None)


def hmm_settings(config: TrainConfig) -> HMMSettings:
    """Give the settings of the HMM in the model's own words."""
    regime = config.regime
    return HMMSettings(regime.n_components, regime.kappa, regime.n_init, regime.n_iter, regime.tol, regime.score_column)


def _churn(before: Refit, probs: Array) -> float:
    common = min(len(before.probs), len(probs))
    return float(np.mean(before.probs[:common].argmax(axis=1) != probs[:common].argmax(axis=1)))


def _inverted(before: RegimeModel, model: RegimeModel) -> bool:
    """Whether a state's name went to another state (matched by Hellinger distance on a common scale)."""
    if not isinstance(before, RegimeHMM) or not isinstance(model, RegimeHMM) or before.columns != model.columns:
        return False
    return bool((match(before.natural(), model.natural()) != np.arange(model.n_states)).any())


def names_of(model: RegimeModel) -> tuple[str, ...]:
    """Names of the model's states, in order."""
    return STATE_NAMES[model.n_states]


def call_regime(probs: Array, names: tuple[str, ...], enter: float, leave: float, held: bool) -> tuple[list[str], bool]:
    """Name each row: risk-on while held by hysteresis, else the most probable of the others.

    Parameters
    ----------
    probs : (n_obs, n_states)
    held : whether risk-on was held before the first row
    """
    on = hysteresis(probs[:, 0], enter, leave, held)
    return name_rows(probs, on, names), bool(on[-1]) if len(on) else held


def publish(index: pd.Index, first: int, refits: list[Refit], config: TrainConfig) -> tuple[pd.DataFrame, bool]:
    """Write each row's probabilities and name with the parameters of the last refit before it."""
    names = STATE_NAMES[config.regime.n_components]
    probs = np.full((len(index), len(names)), np.nan)
    regime = np.full(len(index), None, dtype=object)
    number = np.full(len(index), np.nan)
    held = False
    for i, refit in enumerate(refits):
        rows = slice(refit.position, refit.end)
        probs[rows] = refit.probs[refit.position - first : refit.end - first]
        held = held and not refit.inverted  # what was held was another state
        called, held = call_regime(probs[rows], names, config.regime.enter, config.regime.leave, held)
        regime[rows] = called if refit.identified else UNIDENTIFIED
        number[rows] = i
    out = pd.DataFrame(probs, index=index, columns=[f"p_{name}" for name in names])
    return out.assign(regime=pd.Series(regime, index=index, dtype="str"), refit=number), held
