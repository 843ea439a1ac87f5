"""Walk-forward of the regimes: refits on a schedule, each row labelled with parameters of its past."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.answers import name_rows, range_columns
from models.average import RegimeAverage
from models.identity import hysteresis, warn_if_unsure
from models.inference import Array
from models.scoring import UNIDENTIFIED
from training.config import TrainConfig
from training.errors import JobError
from training.refit import Refit, make_refit
from training.regime_kinds import RegimeModel

STATE_NAMES = {2: ("risk_on", "risk_off"), 3: ("risk_on", "neutral", "risk_off"), 4: ("risk_on", "neutral_high", "neutral_low", "risk_off")}
"""Names of the states, highest mean over standard deviation of small caps first."""

Progress = Callable[[str, int, int], None]


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


def walk_regimes(X: pd.DataFrame, price: pd.Series, config: TrainConfig, progress: Progress) -> RegimeWalk:
    """Refit on the schedule and label every row with the parameters of the last refit.

    Parameters
    ----------
    X : feature matrix on all sessions
    price : small caps' price on the same sessions (the classifier's label is made of it)
    progress : called with a word, the refits done and their number

    Warns
    -----
    UnsureMatchWarning
        Once, where the states of named refits can hardly be matched to those of the refit before.
    """
    first, positions = schedule(X.index, config)
    refits: list[Refit] = []
    for number, position in enumerate(positions):
        end = positions[number + 1] if number + 1 < len(positions) else len(X)
        refits.append(make_refit(X, price, first, position, end, number, refits[-1] if refits else None, config))
        progress("regimes", number + 1, len(positions))
    named = {f"{X.index[each.position]:%Y-%m-%d}": each.margin for each in refits[1:] if each.identified}
    warn_if_unsure(named, "refits whose states carry names")
    published, held = publish(X.index, first, refits, config)
    return RegimeWalk(first, tuple(refits), published, held)


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
