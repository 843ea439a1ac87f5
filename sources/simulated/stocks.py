"""Stocks of the sample market: listings, delistings, gaps, and membership of the index."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.market import Panel
from sources.calendar import at_new_york
from sources.known import known_at
from sources.simulated.regimes import unit_t

REVIEW_LEAD = pd.Timedelta(days=14)
"""Index changes are announced this long before they take effect."""

REMOVAL = 3
"""A security leaves the index this many sessions after its last price."""


@dataclass(frozen=True)
class Stocks:
    """Panel, membership and the sessions between which each stock is listed.

    Attributes
    ----------
    panel : closes, sessions x stocks
    members : membership intervals
    first, last : ndarray of int, (n_stocks,), position of the first and of the last priced session
    delisted : ndarray of bool, (n_stocks,)
    """

    panel: Panel
    members: pd.DataFrame
    first: np.ndarray
    last: np.ndarray
    delisted: np.ndarray


def draw_stocks(sessions: pd.DatetimeIndex, returns: np.ndarray, n_stocks: int, rng: np.random.Generator) -> Stocks:
    """Draw `n_stocks` prices that load on the index return, three in ten listed later and one in six delisted."""
    n = len(sessions)
    names = pd.Index([f"S{i:04d}" for i in range(n_stocks)], dtype=str)
    order = rng.permutation(n_stocks)
    first, last = np.zeros(n_stocks, dtype=np.int64), np.full(n_stocks, n - 1)
    late, gone = order[: round(0.3 * n_stocks)], order[-round(n_stocks / 6) :] if n_stocks >= 6 else order[:0]
    first[late] = rng.integers(1, max(2, int(0.95 * n)), len(late))
    last[gone] = rng.integers(int(0.1 * n), n - 1, len(gone))
    delisted = np.isin(np.arange(n_stocks), gone)
    beta, vol = rng.uniform(0.6, 1.5, n_stocks), 0.02 * np.exp(0.3 * rng.standard_normal(n_stocks))
    log_return = returns[:, None] * beta + vol * unit_t(rng, 5, (n, n_stocks)) - 0.35 * vol**2
    # half of the delisted fail: they lose most of their value in the last month
    fails = gone[: len(gone) // 2]
    for stock in fails:
        log_return[max(0, last[stock] - 20) : last[stock] + 1, stock] -= 0.06
    close = rng.uniform(8.0, 60.0, n_stocks) * np.exp(np.cumsum(log_return, axis=0))
    close[_absent(n, first, last, rng)] = np.nan
    frame = pd.DataFrame(close, index=sessions.rename("date"), columns=names)
    known = pd.Series(known_at("session_close", sessions), index=frame.index, name="known_at")
    members = _members(sessions, names, close, first, last, delisted)
    return Stocks(Panel(frame, known), members, first, last, delisted)


def _absent(n: int, first: np.ndarray, last: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mark where no price is: outside the listing, single missing prints, and a halt of some weeks in one stock of eight."""
    row = np.arange(n)[:, None]
    absent = (row < first) | (row > last) | (rng.random((n, len(first))) < 0.001)
    for stock in np.flatnonzero(rng.random(len(first)) < 0.125):
        start = rng.integers(0, n)
        absent[start : start + rng.integers(5, 40), stock] = True
    return absent


def reconstitutions(sessions: pd.DatetimeIndex) -> np.ndarray:
    """Give the positions of the first sessions after each fourth Friday of June."""
    years = sorted(set(sessions.year))
    fridays = pd.DatetimeIndex([pd.date_range(f"{year}-06-01", f"{year}-06-30", freq="WOM-4FRI")[0] for year in years])
    place = np.asarray(sessions.searchsorted(fridays, side="right"))
    return place[(place > 0) & (place < len(sessions))]


def _members(
    sessions: pd.DatetimeIndex, names: pd.Index, close: np.ndarray, first: np.ndarray, last: np.ndarray, delisted: np.ndarray
) -> pd.DataFrame:
    """Rank at each June review; between reviews only listings of the quarter enter and failures leave."""
    n = len(sessions)
    reviews = np.append(0, reconstitutions(sessions))
    bounds = np.append(reviews[1:], n)
    leaves = np.where(delisted, last + REMOVAL, n)
    parts = []
    for place, after in zip(reviews, bounds, strict=True):
        seen = max(0, int(place) - 10)
        ranked = close[seen]
        inside = ~np.isnan(ranked) & (leaves > place)
        if place:
            inside &= ranked > np.nanquantile(ranked, 0.03)
        enters = np.where(inside, place, _quarter_entry(sessions, first, int(place), int(after)))
        stays = (enters >= 0) & (enters < np.minimum(after, leaves))
        start, end = enters[stays], np.minimum(after, leaves[stays])
        parts.append(_intervals(sessions, names[stays], start, end))
    return pd.concat(parts, ignore_index=True)


def _quarter_entry(sessions: pd.DatetimeIndex, first: np.ndarray, place: int, after: int) -> np.ndarray:
    """Give where a stock listed since the review enters: the first session of a quarter at least 20 sessions later; -1 for never."""
    quarter = sessions.quarter.to_numpy()
    starts = np.flatnonzero(np.append(False, quarter[1:] != quarter[:-1]))
    starts = starts[(starts > place) & (starts < after)]
    at = np.searchsorted(starts, first + 20)
    entry = np.append(starts, -1)[np.minimum(at, len(starts))]
    return np.where((first >= place - 10) & (first > 0), entry, -1)


def _intervals(sessions: pd.DatetimeIndex, names: pd.Index, start: np.ndarray, end: np.ndarray) -> pd.DataFrame:
    dates = pd.DatetimeIndex(np.append(sessions.to_numpy(), np.datetime64("NaT", "us")))
    begins = sessions[start]
    return pd.DataFrame(
        {
            "security": names,
            "start": begins,
            "end": dates[np.minimum(end, len(sessions))],
            "known_at": at_new_york((begins - REVIEW_LEAD).as_unit("us"), 18),
        }
    )
