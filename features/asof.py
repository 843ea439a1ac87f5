"""The one rule for time: a row of session t uses only what was known at `asof(t)` (METHODS 1.0)."""

import numpy as np
import pandas as pd

ONE_DAY = pd.Timedelta(days=1)


def asof(sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Instant up to which session dates may look: 00:00 UTC of the calendar day after each.

    Parameters
    ----------
    sessions : DatetimeIndex, naive session dates

    Returns
    -------
    DatetimeIndex in UTC, one instant per session
    """
    return (sessions + ONE_DAY).tz_localize("UTC")


def first_usable(known_at: pd.Series | pd.DatetimeIndex, sessions: pd.DatetimeIndex) -> np.ndarray:
    """Position of the first session whose `asof` is not before `known_at`.

    Returns
    -------
    ndarray of int64; `len(sessions)` where no session can use the record yet
    """
    return np.asarray(asof(sessions).searchsorted(pd.DatetimeIndex(known_at), side="left"), dtype=np.int64)


def on_sessions(
    values: pd.Series, known_at: pd.Series, sessions: pd.DatetimeIndex, max_age: int | None = None
) -> tuple[pd.Series, pd.Series]:
    """Put a series of records on the sessions on which they could be used.

    The records of one series become known in the order of their dates (`Market` sees to it), so the newest
    usable record of a session is the last one known.

    Parameters
    ----------
    values : Series, one value a record in order of date; NaN is a value ("known to be missing")
    known_at : Series in UTC, non-decreasing
    sessions : DatetimeIndex
    max_age : sessions a value may be carried; None for no limit

    Returns
    -------
    value, age : Series on `sessions`; the age counts sessions since the record became usable (NaN before the first)
    """
    slots = first_usable(known_at, sessions)
    usable = slots < len(sessions)
    newest = pd.Series(np.flatnonzero(usable), index=slots[usable]).groupby(level=0).last()
    position = newest.reindex(range(len(sessions))).ffill().to_numpy()
    seen = ~np.isnan(position)
    index = np.where(seen, position, 0).astype(np.int64)
    age = np.full(len(sessions), np.nan)
    out = np.full(len(sessions), np.nan)
    if seen.any():
        age[seen] = np.flatnonzero(seen) - slots[index[seen]]
        out[seen] = values.to_numpy(dtype=np.float64)[index[seen]]
    if max_age is not None:
        out[age > max_age] = np.nan
    return pd.Series(out, index=sessions), pd.Series(age, index=sessions)
