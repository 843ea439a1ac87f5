"""Sessions of the New York Stock Exchange, and the instants at which they end."""

import warnings
from functools import lru_cache

import exchange_calendars
import numpy as np
import pandas as pd

from features.errors import DataError

NEW_YORK = "America/New_York"
FIRST_YEAR, LAST_YEAR = 1990, 2035
"""Years that one cached calendar covers; earlier or later dates widen it. Fixed, so that no answer depends on the clock."""


def sessions(start: str | pd.Timestamp, end: str | pd.Timestamp) -> pd.DatetimeIndex:
    """Give the sessions from `start` to `end`, both included.

    Returns
    -------
    DatetimeIndex of naive dates, `datetime64[us]`, ascending, named "session"

    Raises
    ------
    DataError
        Where `end` is before `start`.
    """
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    if last < first:
        raise DataError(f"calendar: end {last:%Y-%m-%d} is before start {first:%Y-%m-%d}; rule: the end is not before the start")
    every = _closes(min(first.year, FIRST_YEAR), max(last.year, LAST_YEAR)).index
    return pd.DatetimeIndex(every[(every >= first) & (every <= last)])


def closes(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Give the instant (UTC) at which the exchange closes on each date: early closes are, and dates that are no session count as full days.

    Parameters
    ----------
    dates : DatetimeIndex, naive; any order, repeats allowed

    Returns
    -------
    DatetimeIndex, `datetime64[us, UTC]`, one instant a date
    """
    if not len(dates):
        return pd.DatetimeIndex([], dtype="datetime64[us, UTC]")
    instants = _calendar_around(dates).reindex(dates)
    plain = new_york(dates, 16)
    return pd.DatetimeIndex(np.where(instants.isna(), plain, instants.to_numpy())).as_unit("us").tz_localize("UTC")


def next_session_at(dates: pd.DatetimeIndex, hour: int, minute: int = 0) -> pd.DatetimeIndex:
    """Give the instant `hour`:`minute` New York time, in UTC, of the first session after each date."""
    if not len(dates):
        return pd.DatetimeIndex([], dtype="datetime64[us, UTC]")
    every = _calendar_around(dates + pd.Timedelta(days=15)).index
    return _utc(new_york(pd.DatetimeIndex(every[every.searchsorted(dates, side="right")]), hour, minute))


def at_new_york(dates: pd.DatetimeIndex, hour: int, minute: int = 0) -> pd.DatetimeIndex:
    """Give the instant `hour`:`minute` New York time, in UTC, of each date (`datetime64[us, UTC]`)."""
    return _utc(new_york(dates, hour, minute))


def new_york(dates: pd.DatetimeIndex, hour: int, minute: int = 0) -> np.ndarray:
    """Convert New York wall-clock times of naive dates to naive UTC (`datetime64[us]` array)."""
    wall = dates + pd.Timedelta(hours=hour, minutes=minute)
    return wall.tz_localize(NEW_YORK).tz_convert("UTC").tz_localize(None).as_unit("us").to_numpy()


def _utc(naive: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(naive).as_unit("us").tz_localize("UTC")


def _calendar_around(dates: pd.DatetimeIndex) -> pd.Series:
    return _closes(min(dates.min().year, FIRST_YEAR), max(dates.max().year, LAST_YEAR))


@lru_cache(maxsize=8)
def _closes(first_year: int, last_year: int) -> pd.Series:
    # the calendar begins 20 years before today unless a start is passed
    with warnings.catch_warnings():
        # the library reads UTC columns in a way that pandas 3.1 announces to change; the instants are the same either way
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = exchange_calendars.get_calendar("XNYS", start=f"{first_year}-01-01", end=f"{last_year}-12-31")
    index = pd.DatetimeIndex(calendar.sessions.to_numpy(), name="session").as_unit("us")
    instants = calendar.closes.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    return pd.Series(instants, index=index)
