"""Records that break a rule on entry to a market: set aside, or too many to be an accident."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataError
from features.schemas import KEYS

BAD_SHARE = 0.01
"""More bad records than this share of a series are no accident: the load stops."""

ON_SESSIONS = ("prices", "funds")
"""Frames whose dates must be sessions of the exchange."""

IN_ORDER = ("prices", "coins", "funds", "macro")
"""Frames whose records become known in the order of their dates."""

QUARANTINE = ("frame", "series", "date", "rule")


def set_aside(name: str, frame: pd.DataFrame, sessions: pd.DatetimeIndex, origin: Mapping[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the good records of a frame from the bad ones.

    A record that became known after a later one of its series cannot be used without rewriting what was computed
    meanwhile, so it stays out. Whether it does is settled at the instant it becomes known: nothing sees the future.
    """
    series = KEYS[name][0]
    rule = pd.Series("", index=frame.index, dtype=str)
    if name in IN_ORDER and len(frame):
        known = frame["known_at"].astype("int64")
        soonest_later = known[::-1].groupby(frame[series][::-1]).cummin()[::-1]
        rule[known > soonest_later] = "known only after a later record of its series"
    if name == "filings":
        rule[frame["period_end"].dt.tz_localize("UTC") > frame["known_at"]] = "period end after known-at"
    if name in ON_SESSIONS:
        rule[~frame["date"].isin(sessions)] = "date is no session"
    bad = rule != ""
    date = frame["date"] if "date" in frame else frame[KEYS[name][1]]
    aside = pd.DataFrame({"frame": name, "series": frame[series], "date": date, "rule": rule})[bad.to_numpy()]
    _stop_if_many(name, frame[series], aside, origin)
    return frame[~bad].reset_index(drop=True), aside


def set_aside_rows(close: pd.DataFrame, sessions: pd.DatetimeIndex) -> tuple[NDArray[np.bool_], pd.DataFrame]:
    """Say which rows of a panel's closes are good, and list the others.

    Raises
    ------
    DataError
        Where a date or a security is there twice, a close is no positive number, or more than 1% of the rows are no sessions.
    """
    if close.index.has_duplicates:
        day = close.index[close.index.duplicated()][0]
        raise DataError(f"panel: date {day:%Y-%m-%d} is there twice; rule: one row per session")
    if close.columns.has_duplicates:
        raise DataError(f"panel: security '{close.columns[close.columns.duplicated()][0]}' is there twice; rule: one column per security")
    values = close.to_numpy()
    if values.dtype.kind != "f":
        raise DataError(f"panel: closes are {values.dtype}; rule: every column holds floating-point prices")
    wrong = np.argwhere(~((values > 0) | np.isnan(values)) | np.isinf(values))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            f"panel: column '{close.columns[column]}', row {close.index[row]:%Y-%m-%d}: {values[row, column]} breaks the rule 'is positive'"
        )
    good = close.index.isin(sessions)
    if (~good).mean() > BAD_SHARE:
        raise DataError(
            f"panel: {(~good).sum()} of {len(good)} rows are no sessions, the first {close.index[~good][0]:%Y-%m-%d}; rule: at most 1%"
        )
    aside = pd.DataFrame({"frame": "panel", "series": "panel", "date": close.index[~good], "rule": "date is no session"})
    return good, aside


def _stop_if_many(name: str, series: pd.Series, aside: pd.DataFrame, origin: Mapping[str, str]) -> None:
    if aside.empty:
        return
    # filings of one company are too few for a share of their own: there the frame is the series
    whole = series if name not in ("filings", "members") else pd.Series(name, index=series.index)
    total = whole.value_counts()
    count = whole[aside.index].value_counts()
    share = (count / total[count.index]).sort_values()
    if len(share) and share.iloc[-1] > BAD_SHARE:
        worst = str(share.index[-1])
        first = aside[(whole[aside.index] == worst).to_numpy()].iloc[0]
        raise DataError(
            f"{origin.get(worst, name)}: series '{worst}': {count[worst]} of {total[worst]} records are bad, more than {BAD_SHARE:.0%}; "
            f"the first is {first['date']:%Y-%m-%d}: {first['rule']}. Correct the file, or the start and end of this "
            "series in the market file"
        )
