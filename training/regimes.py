"""Walk-forward of the regimes: refits on a schedule, each row labelled with parameters of its past."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.answers import name_rows, range_columns
from models.average import RegimeAverage
from models.bootstrap import weigh_names
from models.classifier import RegimeClassifier
from models.classifier_fit import fit_classifier
from models.hmm import warn_if_degenerate
from models.identity import hysteresis, match
from models.inference import Array
from models.jump_settings import JumpSettings
from models.regime import RegimeHMM
from models.regime_fit import HMMSettings, filter_regimes, fit_average, fit_regime_hmm
from models.regime_jump import RegimeJump
from models.regime_jump_fit import fit_regime_jump
from models.scoring import UNIDENTIFIED
from training.config import SpecificationConfig, TrainConfig
from training.errors import JobError
from training.targets import calm_rise

STATE_NAMES = {2: ("risk_on", "risk_off"), 3: ("risk_on", "neutral", "risk_off"), 4: ("risk_on", "neutral_high", "neutral_low", "risk_off")}
"""Names of the states, highest mean over standard deviation of small caps first."""

MIN_OCCUPANCY = 0.05

EVIDENCE_EVERY = 4
"""Refits from one weighing of the names to the next, about a year: those between rest on the last."""

RegimeModel = RegimeHMM | RegimeAverage | RegimeJump | RegimeClassifier
Progress = Callable[[str, int, int], None]


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

    @property
    def degenerate(self) -> bool:
        """Whether the fit should not be relied on."""
        return bool(self.faults)

    @property
    def identified(self) -> bool:
        """Whether the states may carry their names: never right after names were swapped."""
        return not self.inverted and self.model.identified


@dataclass(frozen=True)
class RegimeWalk:
    """All refits and what they published.

    Attributes
    ----------
    first : first row of the walk
    refits : in order of time
    published : DataFrame on all sessions: `p_<state>` columns, `regime` (name held by hysteresis), range and ambiguity of
        `models.answers.range_columns`, and `refit` number; missing before the first refit
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
    model = _carried(model, before.model) if before and number % EVIDENCE_EVERY else _weighed(model, window, rng, config)
    rows = X.iloc[first:end]
    states = filter_regimes(model, rows) if isinstance(model, RegimeHMM | RegimeAverage) else model.filter_states(rows)
    probs = model.proba(states)
    faults = _faults(model, states[: len(window)], f"regime refit of {X.index[position]:%Y-%m-%d}")
    churn, inverted = (_churn(before, probs), _inverted(before.model, model)) if before else (float("nan"), False)
    return Refit(position, end, model, states, probs, left_out, tuple(faults), churn, inverted)


def _weighed(model: RegimeModel, window: pd.DataFrame, rng: np.random.Generator, config: TrainConfig) -> RegimeModel:
    """Give the model its evidence for names, of an average that of its first member: what is published rests on what was known then."""
    if config.regime.evidence == 0:
        return model
    if isinstance(model, RegimeAverage):
        lead = _weighed(model.members[0], window, rng, config)
        return replace(model, members=(lead, *model.members[1:])) if isinstance(lead, RegimeHMM) else model
    if not isinstance(model, RegimeHMM):
        return model
    settings = next(iter(specification_settings(config).values()), hmm_settings(config))
    rows = window.iloc[-(settings.window or len(window)) :]
    return replace(model, identity=weigh_names(model, rows, settings, config.regime.evidence, rng)[1])


def _carried(model: RegimeModel, before: RegimeModel) -> RegimeModel:
    """Give the model the evidence of the refit before, whose states are its own or the names are not used (`inverted`)."""
    if isinstance(model, RegimeAverage) and isinstance(before, RegimeAverage):
        lead = _carried(model.members[0], before.members[0])
        return replace(model, members=(lead, *model.members[1:])) if isinstance(lead, RegimeHMM) else model
    if isinstance(model, RegimeHMM) and isinstance(before, RegimeHMM):
        own, known = model.identity, before.identity
        return replace(model, identity=replace(own, order_prob=known.order_prob, gain_z=known.gain_z))
    return model


def _faults(model: RegimeModel, seen: Array, where: str) -> list[str]:
    """Warn of fits that should not be relied on, and say why."""
    if isinstance(model, RegimeAverage):
        members = zip(model.names, model.members, range(len(model.members)), strict=True)
        return [f"'{name}': {fault}" for name, each, i in members for fault in _faults(each, seen[:, i], f"{where}, '{name}'")]
    if not isinstance(model, RegimeHMM) or model.fit is None:
        return []
    return warn_if_degenerate(model.fit, seen.mean(axis=0), MIN_OCCUPANCY, where)


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
    if regime.kind == "jump":
        settings = JumpSettings(regime.n_components, regime.jump_penalty, n_init=regime.n_init)
        return fit_regime_jump(window, columns, settings, regime.score_column, rng, before if isinstance(before, RegimeJump) else None)
    specifications = specification_settings(config)
    if not specifications:
        return fit_regime_hmm(window, columns, hmm_settings(config), rng, before if isinstance(before, RegimeHMM) else None)
    return fit_average(window, columns, specifications, rng, before if isinstance(before, RegimeAverage) else None)


def hmm_settings(config: TrainConfig) -> HMMSettings:
    """Give the settings of the HMM in the model's own words."""
    regime = config.regime
    heavy = regime.emission == "student"
    return HMMSettings(regime.n_components, regime.kappa, regime.n_init, regime.n_iter, regime.tol, regime.score_column, heavy)


def specification_settings(config: TrainConfig) -> dict[str, HMMSettings]:
    """Give the settings of each specification by its name; none where a single model is asked for."""
    base = hmm_settings(config)
    return {each.name: _varied(base, each) for each in config.regime.specifications}


def _varied(base: HMMSettings, own: SpecificationConfig) -> HMMSettings:
    heavy = base.heavy_tails if own.emission is None else own.emission == "student"
    kappa = base.kappa if own.kappa is None else own.kappa
    return replace(base, heavy_tails=heavy, kappa=kappa, window=own.window, clip=np.inf if own.clip is None else own.clip)


def _churn(before: Refit, probs: Array) -> float:
    common = min(len(before.probs), len(probs))
    return float(np.mean(before.probs[:common].argmax(axis=1) != probs[:common].argmax(axis=1)))


def _inverted(before: RegimeModel, model: RegimeModel) -> bool:
    """Whether a state's name went to another state (matched by Hellinger distance on a common scale), of an average in any member."""
    if isinstance(before, RegimeAverage) and isinstance(model, RegimeAverage) and before.names == model.names:
        return any(_inverted(a, b) for a, b in zip(before.members, model.members, strict=True))
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
    ranges = pd.DataFrame(range_columns(names[0], None, None, len(index)), index=index)
    held = False
    for i, refit in enumerate(refits):
        rows = slice(refit.position, refit.end)
        probs[rows] = refit.probs[refit.position - first : refit.end - first]
        held = held and not refit.inverted  # what was held was another state
        called, held = call_regime(probs[rows], names, config.regime.enter, config.regime.leave, held)
        regime[rows] = called if refit.identified else UNIDENTIFIED
        number[rows] = i
        if isinstance(refit.model, RegimeAverage):
            members = refit.states[refit.position - first : refit.end - first]
            ranges.iloc[rows] = pd.DataFrame(range_columns(names[0], None, members, len(members)))
    out = pd.DataFrame(probs, index=index, columns=[f"p_{name}" for name in names])
    out = pd.concat([out, ranges], axis=1)
    return out.assign(regime=pd.Series(regime, index=index, dtype="str"), refit=number), held
