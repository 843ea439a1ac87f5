"""When a record could first be used: the publication rules by name (METHODS 1.0, 1.2 to 1.5)."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar

from sources.calendar import at_new_york, closes, next_session_at

RELEASE = (16, 30)
"""New York time of the afternoon releases of the Federal Reserve; the earlier ones of a day count as this late, too."""

ONE_DAY = pd.Timedelta(days=1)


def session_close(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Known when the exchange closes."""
    return closes(dates)


def quarter_past_close(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Known 15 minutes after the exchange closes: indices of option prices."""
    return closes(dates) + pd.Timedelta(minutes=15)


def end_of_utc_day(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Known at 24:00 UTC of the date: bars that are labelled by their start."""
    return (dates + ONE_DAY).as_unit("us").tz_localize("UTC")


def morning_of(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Known at 06:00 New York time of the date: archives stamped with the morning on which they appear."""
    return at_new_york(dates, 6)


def next_morning(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Known at 09:00 New York time of the next calendar day: holdings of a fund."""
    return at_new_york(dates + ONE_DAY, 9)


def next_session_morning(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Known at 09:00 New York time of the next session: net asset values and shares outstanding."""
    return next_session_at(dates, 9)


def next_business_day(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Known in the afternoon of the next federal business day: daily rates and spreads."""
    return at_new_york(_business_day(dates + ONE_DAY), *RELEASE)


def next_monday(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Known on the Monday after the week of the date, or the business day after it: the H.10 release of exchange rates."""
    ahead = 7 - dates.day_of_week.to_numpy()
    return at_new_york(_business_day(dates + pd.to_timedelta(ahead, unit="D")), *RELEASE)


def next_thursday(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Known on the Thursday after the date, or the business day after it: the H.4.1 release of Wednesday's balances."""
    ahead = (3 - dates.day_of_week.to_numpy() - 1) % 7 + 1
    return at_new_york(_business_day(dates + pd.to_timedelta(ahead, unit="D")), *RELEASE)


def four_weeks_after_month(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Known four weeks after the last day of the month of the date: money stock."""
    return at_new_york(_business_day(dates + pd.offsets.MonthEnd(0) + pd.Timedelta(weeks=4)), *RELEASE)


RULES: Mapping[str, Callable[[pd.DatetimeIndex], pd.DatetimeIndex]] = {
    rule.__name__: rule
    for rule in (
        session_close,
        quarter_past_close,
        end_of_utc_day,
        morning_of,
        next_morning,
        next_session_morning,
        next_business_day,
        next_monday,
        next_thursday,
        four_weeks_after_month,
    )
}
"""Every rule that a market file may name: naive dates in, UTC instants out."""


def known_at(rule: str, dates: pd.Series | pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Apply the rule named `rule` to naive `dates`, working each distinct date once.

    Returns
    -------
    DatetimeIndex, `datetime64[us, UTC]`, one instant a date
    """
    codes, distinct = pd.factorize(pd.DatetimeIndex(dates))
    return RULES[rule](pd.DatetimeIndex(distinct).as_unit("us"))[codes]


def _business_day(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Give each date itself, or the first federal business day after it."""
    days = np.busday_offset(dates.to_numpy().astype("datetime64[D]"), 0, roll="forward", holidays=_holidays())
    return pd.DatetimeIndex(days.astype("datetime64[us]"))


@lru_cache(maxsize=1)
def _holidays() -> np.ndarray:
    days = USFederalHolidayCalendar().holidays("1970-01-01", "2050-12-31")
    return days.to_numpy().astype("datetime64[D]")
