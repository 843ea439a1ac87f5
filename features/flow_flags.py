"""Days on which a fund's flow is no view on small caps: its index changed, or money came for days only (METHODS 1.3)."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.fund_prints import FundPrints

FRIDAY = 4
RECONSTITUTION = ((6, 4, 1989), (11, 2, 2026))
"""Month, which Friday of it, and first year: the Russell indices change after the close of these Fridays."""

IN_AND_OUT = 0.02
"""Share of assets from which a flow may be the first half of a heartbeat."""

ALIKE = 0.10
"""Difference of the second half from the first, at most, as a share of it."""

BEATS_WITHIN = 3
"""Sessions from the first half to the second, at most."""


def reconstitution_days(sessions: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Mark the sessions after whose close the Russell indices change, and the ones after them.

    Parameters
    ----------
    sessions : DatetimeIndex, (n_sessions,)

    Returns
    -------
    array of shape (n_sessions,); new shares of the funds stand in the count one session later, so both days may hold the trade
    """
    eve = np.zeros(len(sessions), dtype=bool)
    for month, which, since in RECONSTITUTION:
        of_month = (sessions.day_of_week == FRIDAY) & (sessions.month == month) & ((sessions.day - 1) // 7 == which - 1)
        eve |= of_month & (sessions.year >= since)
    marked: NDArray[np.bool_] = eve | np.concatenate(([False], eve[:-1])) if len(eve) else eve
    return marked


def heartbeats(prints: FundPrints) -> NDArray[np.bool_]:
    """Mark the rows on which about as much left a fund as had come at most three sessions before.

    Parameters
    ----------
    prints : FundPrints

    Returns
    -------
    array of shape (n_sessions,), True where the second half arrived

    Notes
    -----
    A pattern, not a proof. In a fund whose flows are noisy most such pairs are chance.
    """
    relative = np.nan_to_num(prints.relative.to_numpy())
    beats = np.zeros(len(relative), dtype=bool)
    for wait in range(1, min(BEATS_WITHIN, len(relative) - 1) + 1):
        first, second = relative[:-wait], relative[wait:]
        beats[wait:] |= (first >= IN_AND_OUT) & (np.abs(first + second) <= ALIKE * first)
    return beats
