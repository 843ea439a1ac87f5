"""Every transition of the breakout automaton as a row: for one rule, and for the cells of the sensitivity grid."""

import itertools
from collections.abc import Iterable

import numpy as np
import pandas as pd

from features.breakout import NONE, BreakoutRule, breakout_path

EVENTS = ("none", "broken", "breakout_confirmed", "retest", "failed", "retest_held", "ran_away")
"""Name of the event of entering each state."""

KNIFE_EDGE = 0.002
"""A transition that a move of less than this share of the threshold would have prevented."""


def breakout_events(close: pd.Series, rule: BreakoutRule | None = None) -> pd.DataFrame:
    """List every transition of the automaton.

    Parameters
    ----------
    close : Series of closes on sessions
    rule : parameters; the pre-registered ones by default

    Returns
    -------
    DataFrame with columns date, event (`EVENTS`), resistance, close, margin (a share of the threshold), knife_edge (margin < 0.2%)
    """
    path = breakout_path(close, rule)
    at = np.flatnonzero(~np.isnan(path.margin))
    return pd.DataFrame(
        {
            "date": pd.DatetimeIndex(close.index[at]),
            "event": pd.Series([EVENTS[s] for s in path.state[at]], dtype=str),
            "resistance": path.resistance[at],
            "close": close.to_numpy(dtype=np.float64)[at],
            "margin": path.margin[at],
            "knife_edge": path.margin[at] < KNIFE_EDGE,
        }
    )


def breakout_grid(
    close: pd.Series, bases: Iterable[int] = (126, 252, 504), tolerances: Iterable[float] = (0.010, 0.015, 0.025)
) -> pd.DataFrame:
    """List the events of every cell of the pre-registered sensitivity grid.

    Parameters
    ----------
    close : Series of closes on sessions
    bases, tolerances : the grid

    Returns
    -------
    DataFrame as of `breakout_events` with columns `base` and `tolerance` in front; a cell without events is one row with event 'none'
    """
    cells = []
    nothing = pd.DataFrame(
        {"date": [pd.NaT], "event": [EVENTS[NONE]], "resistance": np.nan, "close": np.nan, "margin": np.nan, "knife_edge": False}
    )
    for base, tolerance in itertools.product(bases, tolerances):
        events = breakout_events(close, BreakoutRule(base=base, tolerance=tolerance))
        events = events if len(events) else nothing.copy()
        events.insert(0, "base", base)
        events.insert(1, "tolerance", tolerance)
        cells.append(events)
    return pd.concat(cells, ignore_index=True)
