"""Trailing years of all companies, as spans of sessions: what `features.trailing.Ledger` finds filing by filing, found at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.filing_events import ANNUAL, NO_INCOME, NO_REVENUE, Filed, Ledgers, Whole, ledgers
from features.trailing import KEEP_DAYS, TRIED_ENDS
from features.walks import Walk, graph, walks_back

Values = NDArray[np.float64]

STALE_DAYS = 200
STALE_DAYS_ANNUAL = 290
"""Days after the end of the newest period at which a company counts as silent; longer where a 10-K stated that period."""


@dataclass(frozen=True)
class YearSpans:
    """Spans of sessions [begin, stop) in which a trailing year of a company is known; arrays of shape (n_spans,).

    Attributes
    ----------
    company, begin, stop : int64
    net_income, revenue : USD; revenue is NaN where it cannot be known
    """

    company: Whole
    begin: Whole
    stop: Whole
    net_income: Values
    revenue: Values


@dataclass(frozen=True)
class Followed:
    """Each session with a filing of a company; arrays of shape (n_events,).

    Attributes
    ----------
    company, begin : int64, the session
    following : the company's next such session, the number of sessions where there is none
    newest_stale : the session from which the newest period is stale, `begin` where there is no period
    known_until : until where trailing years are known from `begin` on
    years : YearSpans
    """

    company: Whole
    begin: Whole
    following: Whole
    newest_stale: Whole
    known_until: Whole
    years: YearSpans


def follow(filings: Filed, session_days: Whole) -> Followed:
    """Follow each company from filing to filing.

    Parameters
    ----------
    filings : Filed
    session_days : (n_sessions,) days from 1970-01-01

    Returns
    -------
    Followed
    """
    books = ledgers(filings)
    company, begin = filings.company[books.last], filings.slot[books.last]
    following = np.full(len(begin), len(session_days))
    same = company[1:] == company[:-1]
    following[:-1][same] = begin[1:][same]
    ends = _tried_ends(books.shapes)[books.shape]
    days = session_days - filings.epoch
    until, parts, newest_stale = begin.copy(), [], begin
    for tried in range(TRIED_ENDS):
        back, annual = ends[:, tried] >> 1, ends[:, tried] & 1
        stale = np.searchsorted(days, books.newest - back + np.where(annual, STALE_DAYS_ANNUAL, STALE_DAYS) + 1)
        stop = np.minimum(stale, following)
        if not tried:
            newest_stale = np.where(back >= 0, stale, begin)
        asked = np.flatnonzero((back >= 0) & (until < stop))
        income = _years_to(asked, tried, filings.net_income, NO_INCOME, books)
        asked, income = asked[~np.isnan(income)], income[~np.isnan(income)]
        revenue = _years_to(asked, tried, filings.revenue, NO_REVENUE, books)
        parts.append(YearSpans(company[asked], until[asked], stop[asked], income, revenue))
        until[asked] = stop[asked]
    whole = (np.concatenate([getattr(part, name) for part in parts]) for name in YearSpans.__dataclass_fields__)
    return Followed(company, begin, following, newest_stale, until, YearSpans(*whole))


def _tried_ends(shapes: list[list[tuple[int, int, int]]]) -> Whole:
    """Newest period ends of each shape, (n_shapes, TRIED_ENDS): twice the days before the newest, odd where a 10-K stated it; else -1."""
    out = np.full((len(shapes), TRIED_ENDS), -1)
    for number, periods in enumerate(shapes):
        ends: dict[int, int] = {}
        for _, right, marks in periods:
            ends[right] = ends.get(right, 0) | int(bool(marks & ANNUAL))
        for tried, right in enumerate(sorted(ends)[:TRIED_ENDS]):
            out[number, tried] = 2 * right + ends[right]
    return out


def _years_to(events: Whole, tried: int, values: Values, missing: int, books: Ledgers) -> Values:
    """Add up the year to one of the ends tried, at some events; of walks equally short the least sum, NaN where there is none."""
    out = np.full(len(events), np.nan)
    asked, place = np.unique(books.shape[events], return_inverse=True)
    walks = [_walks(books.shapes[shape], tried, missing) for shape in asked]
    n_walks = np.array([len(each) for each in walks], dtype=np.int64)
    if not n_walks.sum():
        return out
    steps, signs = _table([walk for each in walks for walk in each])
    first_walk = np.cumsum(n_walks) - n_walks
    per_event = n_walks[place]
    # one row for each walk of each event
    row_event = np.repeat(events, per_event)
    first_row = np.cumsum(per_event) - per_event
    row_walk = np.repeat(first_walk[place] - first_row, per_event) + np.arange(len(row_event))
    total = np.zeros(len(row_event))
    for step, sign in zip(steps.T, signs.T, strict=True):
        total += sign[row_walk] * values[books.period[books.start[row_event] + step[row_walk]]]
    some = np.flatnonzero(per_event)
    out[some] = np.minimum.reduceat(total, first_row[some])
    return out


def _walks(periods: list[tuple[int, int, int]], tried: int, missing: int) -> list[Walk]:
    """Walks to one of the newest ends, over the periods that are stated and recent enough."""
    end = sorted({right for _, right, _ in periods})[tried]
    usable = ((-left, -right, at) for at, (left, right, marks) in enumerate(periods, 1) if left <= KEEP_DAYS and not marks & missing)
    return walks_back(graph(usable), -end)


def _table(walks: Sequence[Walk]) -> tuple[Whole, Values]:
    """Write walks as rows: the place of each step's period, and +1 or -1; a walk that is shorter adds 0 times its first period."""
    longest = max(len(walk) for walk in walks)
    steps = np.array([[abs(number) - 1 for number in walk] + [abs(walk[0]) - 1] * (longest - len(walk)) for walk in walks])
    signs = np.array([[float(np.sign(number)) for number in walk] + [0.0] * (longest - len(walk)) for walk in walks])
    return steps, signs
