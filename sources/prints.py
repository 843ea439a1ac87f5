"""Bad prints in daily closes: found by rule and named, never altered."""

import numpy as np
import pandas as pd

SPIKE = 4.0
"""A close this many times, or this part of, the one before and the one after is no price."""

BACK = 1.25
"""And those two lie within this factor of each other. A close may also miss the day's range by so much."""

TIE = 1e-9
"""Of logarithms: a factor that is met exactly counts as met."""

NEAR = pd.Timedelta(days=7)
"""Closes further apart say nothing of each other."""


def bad_prints(close: pd.Series, low: pd.Series | None = None, high: pd.Series | None = None) -> pd.Series:
    """Name the rule that each close breaks.

    Parameters
    ----------
    close : adjusted for splits, on dates in ascending order
    low, high : of the same days, NaN where unknown

    Returns
    -------
    Series of str on the same index: the rule, '' for good closes

    Notes
    -----
    A spike is known for one by the close after it, which is why the last close is never called so: it may be on a later look. `SPIKE` is
    far above what happens and comes back within a day, so that hindsight decides about faults of the vendor and not about moves.
    """
    rule = pd.Series("", index=close.index, dtype=str)
    value = close.to_numpy(dtype=np.float64)
    positive = np.isfinite(value) & (value > 0)
    rule[~positive] = "close is a number above 0"
    if low is not None and high is not None:
        with np.errstate(invalid="ignore"):
            beyond = positive & (((low > 0) & (value * BACK < low)) | ((high > 0) & (value > high * BACK))).to_numpy()
        rule[beyond] = "close is between the day's low and high"
    good = np.flatnonzero(rule.to_numpy() == "")
    spikes = good[_spikes(value[good], pd.DatetimeIndex(close.index[good]))]
    rule.iloc[spikes] = f"close is no {SPIKE:g}-fold spike of one day"
    return rule


def _spikes(value: np.ndarray, date: pd.DatetimeIndex) -> np.ndarray:
    """Give the places of closes that stand alone; the close after a spike is measured against the one before it."""
    found: list[int] = []
    move, near = np.diff(np.log(value)), np.diff(date) <= NEAR
    height, level = np.log(SPIKE) - TIE, np.log(BACK) + TIE
    candidates = np.flatnonzero((np.abs(move[:-1]) >= height) & (np.abs(move[:-1] + move[1:]) <= level) & near[:-1] & near[1:]) + 1
    for place in candidates.tolist():
        if not found or found[-1] != place - 1:
            found.append(place)
    return np.array(found, dtype=np.int64)
