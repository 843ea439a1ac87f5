"""When a filing could first be read (METHODS 1.4)."""

import numpy as np
import pandas as pd
import polars as pl

from sources.calendar import NEW_YORK
from sources.known import morning_of, next_business_day, next_session_morning

LAST_ENTRY = pd.Timedelta(hours=17, minutes=30)
"""New York time after which a filing counts for the next business day."""

FURTHEST_DAYS = 7
"""Days between acceptance and filing date beyond which the acceptance is taken for an error."""


def filing_known_at(filed: pd.DatetimeIndex, accepted: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Give the first instant at which a careful outsider could have used each filing.

    Parameters
    ----------
    filed : naive filing dates
    accepted : naive New York times of acceptance, NaT where not known; same length

    Returns
    -------
    DatetimeIndex, `datetime64[us, UTC]`. With an acceptance: that instant, yet not before 06:00 New York time of the filing date, nor,
    for acceptances after 17:30, of the next federal business day. Without one, or where it is more than a week off the filing date: 09:00
    of the first session strictly after the filing date.
    """
    filed, accepted = pd.DatetimeIndex(filed).as_unit("us"), pd.DatetimeIndex(accepted).as_unit("us")
    unaccepted = next_session_morning(filed)
    usable = np.abs((accepted.normalize() - filed).to_numpy()) <= np.timedelta64(FURTHEST_DAYS, "D")
    return unaccepted.where(~usable, _accepted_at(filed, accepted.where(usable, filed))).as_unit("us")


def with_known_at(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `known_at` to a frame with `filed` (Date) and `accepted` (naive Datetime, nullable); no filing date, no instant."""
    pairs = frame.select("filed", "accepted").unique().filter(pl.col("filed").is_not_null())
    known = filing_known_at(_index(pairs["filed"]), _index(pairs["accepted"]))
    instants = pl.Series("known_at", known.tz_localize(None).to_numpy(), dtype=pl.Datetime("us")).dt.replace_time_zone("UTC")
    return frame.join(pairs.with_columns(instants), on=["filed", "accepted"], how="left", nulls_equal=True)


def _accepted_at(filed: pd.DatetimeIndex, accepted: pd.DatetimeIndex) -> pd.DatetimeIndex:
    # the later of two readings where the clocks change
    instant = accepted.tz_localize(NEW_YORK, ambiguous=np.zeros(len(accepted), dtype=bool), nonexistent="shift_forward").tz_convert("UTC")
    late = accepted - accepted.normalize() > LAST_ENTRY
    following = next_business_day(accepted.normalize()).tz_convert(NEW_YORK).tz_localize(None).normalize()
    readable = pd.DatetimeIndex(np.where(late, np.maximum(filed.to_numpy(), following.to_numpy()), filed.to_numpy()))
    earliest = morning_of(readable.as_unit("us"))
    return instant.where(instant > earliest, earliest)


def _index(column: pl.Series) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(column.cast(pl.Datetime("us")).to_numpy()).as_unit("us")
