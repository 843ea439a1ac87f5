"""What a market holds, series by series: span, delay of known-at, age, gaps, what was set aside, and its course."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.market import Market

VALUES = {"prices": ("close", "adj_close"), "coins": ("close",), "funds": ("shares_outstanding",), "macro": ("value",)}
"""Column that stands for a series: the first of these with any value."""

KEYED = {"prices": "series", "coins": "asset", "funds": "fund", "macro": "series"}
DAY, HOUR = pd.Timedelta(days=1), pd.Timedelta(hours=1)
GAP_FACTOR = 5
"""A hole is a step of more than so many usual ones: a weekend in a daily series is none, a missing month is."""


@dataclass(frozen=True)
class Series:
    """One input series.

    Attributes
    ----------
    frame, name : where it is in the market
    first, last : dates of its records; NaT where it has none
    n : records
    shortest_delay, delay, longest_delay : least, median and largest of known-at minus the date's 00:00 UTC
    bounded : True where records were counted and not held: they were known by then, and none says when
    age : sessions of the market after its newest usable record
    missing : sessions without a record between first and last (days for coins); None for a series without a daily rhythm
    longest_gap : days between neighbouring dates, at most
    quarantined : dates of records set aside; NaT where the record had none
    course : values by date, for a picture
    """

    frame: str
    name: str
    first: pd.Timestamp
    last: pd.Timestamp
    n: int
    shortest_delay: pd.Timedelta
    delay: pd.Timedelta
    longest_delay: pd.Timedelta
    bounded: bool
    age: int
    missing: int | None
    longest_gap: int
    quarantined: pd.DatetimeIndex
    course: pd.Series


def take_inventory(market: Market) -> list[Series]:
    """Describe every series of a market; members, filings and the panel are one each.

    Returns
    -------
    list of Series, in the order of the market's frames
    """
    return [*_keyed(market), *_members(market), *_filings(market), *_panel(market)]


def inventory_table(series: list[Series]) -> pd.DataFrame:
    """Lay an inventory out, one row a series.

    Returns
    -------
    DataFrame with frame, series, first, last, n, shortest_delay_hours, delay_hours (median), longest_delay_hours, delay_is_bound,
    age_sessions, missing, longest_gap_days, quarantined
    """
    rows = [
        {
            "frame": each.frame,
            "series": each.name,
            "first": each.first,
            "last": each.last,
            "n": each.n,
            "shortest_delay_hours": each.shortest_delay / HOUR,
            "delay_hours": each.delay / HOUR,
            "longest_delay_hours": each.longest_delay / HOUR,
            "delay_is_bound": each.bounded,
            "age_sessions": each.age,
            "missing": each.missing,
            "longest_gap_days": each.longest_gap,
            "quarantined": len(each.quarantined),
        }
        for each in series
    ]
    return pd.DataFrame(rows).astype({"missing": "Int64"}) if rows else pd.DataFrame()


def _keyed(market: Market) -> Iterator[Series]:
    for frame, key in KEYED.items():
        records: pd.DataFrame = getattr(market, frame)
        for name, part in records.groupby(key, sort=True):
            column = next((c for c in VALUES[frame] if part[c].notna().any()), VALUES[frame][0])
            yield _series(market, frame, str(name), part["date"], part["known_at"], part.set_index("date")[column].dropna())


def _members(market: Market) -> Iterator[Series]:
    members = market.members
    if len(members):
        ends = members["end"].dropna()
        changes = pd.concat([pd.Series(1.0, index=members["start"]), pd.Series(-1.0, index=ends)])
        count = changes.groupby(level=0).sum().sort_index().cumsum().reindex(market.sessions, method="ffill").dropna()
        yield _series(market, "members", f"{members['security'].nunique()} securities", members["start"], members["known_at"], count)


def _filings(market: Market) -> Iterator[Series]:
    filings = market.filings
    if len(filings):
        known = filings["known_at"].dt.tz_localize(None).dt.to_period("M").dt.to_timestamp()
        course = known.value_counts().sort_index().astype(float)
        yield _series(market, "filings", f"{filings['security'].nunique()} securities", filings["period_end"], filings["known_at"], course)


def _panel(market: Market) -> Iterator[Series]:
    priced = market.priced()
    if len(priced):
        dates, counted = pd.Series(priced.index, index=priced.index), market.counted is not None
        known = usable_at(dates) if counted else market.panel.known_at
        yield _series(market, "panel", panel_name(market), dates, known, priced.astype(float), bounded=counted)


def panel_name(market: Market) -> str:
    """Say what the panel of a market is of."""
    if market.counted is not None:
        return f"counted, up to {market.priced().max()} securities at once"
    return f"{market.panel.close.shape[1]} securities"


def usable_at(dates: pd.Series) -> pd.Series:
    """Give the instant at which a session's row is made: a close that was not known by then was not counted."""
    return (dates + DAY).dt.tz_localize("UTC")


def _series(
    market: Market, frame: str, name: str, date: pd.Series, known_at: pd.Series, course: pd.Series, *, bounded: bool = False
) -> Series:
    delays = known_at.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy() - date.to_numpy()
    dates = pd.DatetimeIndex(np.unique(date.to_numpy()))
    steps = np.diff(dates.to_numpy()) / np.timedelta64(1, "D")
    return Series(
        frame,
        name,
        dates[0],
        dates[-1],
        len(date),
        pd.Timedelta(delays.min()),
        pd.Timedelta(np.median(delays)),
        pd.Timedelta(delays.max()),
        bounded,
        _age(market, known_at),
        _missing(market, frame, dates),
        int(steps.max()) if len(steps) else 0,
        _set_aside(market, frame, name),
        course,
    )


def _age(market: Market, known_at: pd.Series) -> int:
    """Sessions whose rows knew nothing newer: 0 where the newest record was usable on the last session."""
    usable = (market.sessions + DAY).tz_localize("UTC")
    newest = known_at[known_at <= usable[-1]].max()
    return len(usable) if pd.isna(newest) else len(usable) - 1 - int(usable.searchsorted(newest))


def _missing(market: Market, frame: str, dates: pd.DatetimeIndex) -> int | None:
    if frame == "coins":
        return len(pd.date_range(dates[0], dates[-1])) - len(dates)
    if frame in ("prices", "funds", "panel"):
        expected = market.sessions[(market.sessions >= dates[0]) & (market.sessions <= dates[-1])]
        return int((~expected.isin(dates)).sum())
    return None


def _set_aside(market: Market, frame: str, name: str) -> pd.DatetimeIndex:
    aside = market.quarantine[market.quarantine["frame"] == frame]
    if frame in KEYED:
        aside = aside[aside["series"].astype(str) == name]
    return pd.DatetimeIndex(pd.to_datetime(aside["date"]))


def holes(course: pd.Series) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Stretches of a course (values by date) without values, longer than `GAP_FACTOR` of its usual steps.

    Returns
    -------
    list of (last date before, first date after)
    """
    dates = course.index
    if len(dates) < 3:
        return []
    steps = np.diff(dates.to_numpy()) / np.timedelta64(1, "D")
    wide = np.flatnonzero(steps > GAP_FACTOR * max(float(np.median(steps)), 1.0))
    return [(dates[int(k)], dates[int(k) + 1]) for k in wide.tolist()]
