"""How many small companies lose money, from their filings as known on the day (METHODS 1.4)."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.asof import first_usable
from features.family import Family, prefixed
from features.filing_events import Whole, days_of, filed
from features.highs import years_since_higher
from features.market import Market
from features.step_functions import step_counts, step_medians, step_sums
from features.year_spans import STALE_DAYS, STALE_DAYS_ANNUAL, Followed, YearSpans, follow

FAMILY = "profitability"
MIN_COVERAGE = 0.80
RECENT_DAYS = 400
"""Days within which a company that still exists files again."""

SEASONED_DAYS = 350
"""Days of filing after which a company's year should add up: a newcomer without one is not missing, it is young."""

MIN_SHARE = 0.5
"""A cross-section needs this share of the companies that filed recently: the punctual are more profitable than the late."""

NAMES = (
    "neg_share", "agg_margin", "med_margin", "neg_share_chg_63", "neg_share_chg_252", "agg_margin_chg_63", "agg_margin_chg_252",
    "neg_share_high_years",
)  # fmt: skip


@dataclass(frozen=True)
class TrailingYears:
    """Trailing twelve months of every company, shape (n_sessions, n_companies), companies in order of name.

    Attributes
    ----------
    sessions : DatetimeIndex, from the first on which a filing could be used to the last on which one is not stale
    net_income, revenue : USD; NaN where they cannot be known
    recent : whether the company filed in the last `RECENT_DAYS`
    expected : whether a trailing year should be known: it is, or the company has filed for `SEASONED_DAYS` and is not stale
    """

    sessions: pd.DatetimeIndex
    net_income: NDArray[np.float64]
    revenue: NDArray[np.float64]
    recent: NDArray[np.bool_]
    expected: NDArray[np.bool_]


def profitability(market: Market) -> Family:
    """Share of loss-makers and margins of all companies that file.

    Parameters
    ----------
    market : Market with filings

    Returns
    -------
    Family. `neg_share`: companies with a negative trailing net income / companies with a trailing net income; `agg_margin`: sum of
        net income / sum of revenue over companies with both; `med_margin`: median of the companies' own, where revenue is positive;
        `_chg_L`: change over L sessions; `neg_share_high_years`: it is the highest in so many years (`years_since_higher`).
        Coverage: companies with a trailing net income / those and the ones that should have it (filing for 350 days, newest period not
        stale); n: companies with a trailing net income.
        All values are NaN where coverage is under .80, where n is under half of the companies that filed in the last 400 days, and in
        the first 200 days of filings, in which those who have not filed yet cannot be told from those who do not exist.

    Notes
    -----
    The values step with the filings: daily rows are no new information. Companies with losses file late: in the first weeks of a
    history (real filings: March 2016) the share is too low.
    """
    book = _follow(market)
    sessions, n = book.sessions, len(book.sessions)
    known = pd.Series(step_counts(book.followed.years.begin, book.followed.years.stop, n), index=sessions, dtype=np.float64)
    expected = known + step_counts(*book.missing, n)
    coverage = known / expected.where(expected > 0)
    whole = (coverage >= MIN_COVERAGE) & (known >= MIN_SHARE * step_counts(*book.recent, n))
    if len(sessions):
        whole &= sessions >= sessions[0] + pd.Timedelta(days=STALE_DAYS)
    out = _levels(book.followed.years, sessions).where(whole).reindex(market.sessions)
    coverage = coverage.reindex(market.sessions)
    for name in ("neg_share", "agg_margin"):
        for window in (63, 252):
            out[f"{name}_chg_{window}"] = out[name].diff(window)
    out["neg_share_high_years"] = years_since_higher(out["neg_share"])
    quality = pd.DataFrame({"coverage": coverage, "age_sessions": _news_age(market), "n": known.reindex(market.sessions, fill_value=0.0)})
    return Family(prefixed(out[list(NAMES)], FAMILY), prefixed(quality, FAMILY))


def trailing_years(market: Market) -> TrailingYears:
    """Follow each company from filing to filing.

    Parameters
    ----------
    market : Market

    Returns
    -------
    TrailingYears
    """
    book = _follow(market)
    years, n_companies = book.followed.years, book.followed.company.max(initial=-1) + 1
    shape = (n_companies, len(book.sessions))
    out = {name: np.full(shape, np.nan) for name in ("net_income", "revenue")}
    marks = {name: np.zeros(shape, dtype=bool) for name in ("recent", "expected")}
    for company, begin, stop, income, revenue in zip(years.company, years.begin, years.stop, years.net_income, years.revenue, strict=True):
        out["net_income"][company, begin:stop], out["revenue"][company, begin:stop] = income, revenue
        marks["expected"][company, begin:stop] = True
    for name, spans in (("recent", book.recent), ("expected", book.missing)):
        for company, begin, stop in zip(book.followed.company, *spans, strict=True):
            marks[name][company, begin:stop] = True
    return TrailingYears(book.sessions, out["net_income"].T, out["revenue"].T, marks["recent"].T, marks["expected"].T)


@dataclass(frozen=True)
class _Book:
    """What follows from the filings of all companies; spans are pairs of (n_events,) sessions [begin, stop).

    Attributes
    ----------
    sessions : from the first on which a filing could be used to the last on which one is not stale
    followed : Followed, counted from the first of these sessions
    recent : where a company filed in the last `RECENT_DAYS`
    missing : where a trailing year should be known and is not
    """

    sessions: pd.DatetimeIndex
    followed: Followed
    recent: tuple[Whole, Whole]
    missing: tuple[Whole, Whole]


def _follow(market: Market) -> _Book:
    filings = filed(market)
    session_days = days_of(pd.Series(market.sessions))
    begin = int(filings.slot.min(initial=len(session_days)))
    last = int(filings.end.max(initial=0)) + filings.epoch + STALE_DAYS_ANNUAL
    finish = max(int(np.searchsorted(session_days, last, side="right")), int(filings.slot.max(initial=begin - 1)) + 1)
    days = session_days[begin:finish]
    followed = follow(replace(filings, slot=filings.slot - begin), days)
    here = followed.begin
    seasoned = np.searchsorted(days, days[_first_of_each(followed)] + SEASONED_DAYS)
    recent = np.minimum(np.searchsorted(days, days[here] + RECENT_DAYS), followed.following)
    absent = np.maximum(followed.known_until, seasoned)
    due = np.maximum(np.minimum(followed.newest_stale, followed.following), absent)
    return _Book(market.sessions[begin:finish], followed, (here, recent), (absent, due))


def _first_of_each(followed: Followed) -> Whole:
    """Give, at each filing, the session of the company's first."""
    first = np.searchsorted(followed.company, followed.company)
    return followed.begin[first]


def _news_age(market: Market) -> pd.Series:
    slots = first_usable(market.filings["known_at"], market.sessions)
    arrived = slots[slots < len(market.sessions)]
    newest = np.full(len(market.sessions), np.nan)
    newest[arrived] = arrived
    position = pd.Series(np.arange(len(newest)), index=market.sessions)
    return position - pd.Series(newest, index=market.sessions).ffill()


def _levels(years: YearSpans, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    n = len(sessions)
    known = step_counts(years.begin, years.stop, n)
    loss, both = years.net_income < 0, ~np.isnan(years.revenue)
    losses = step_counts(years.begin[loss], years.stop[loss], n)
    # sums are exact, so a company that files for the first time later changes no earlier bit
    income = step_sums(years.net_income[both], years.begin[both], years.stop[both], n)
    sales = step_sums(years.revenue[both], years.begin[both], years.stop[both], n)
    positive = both & (years.revenue > 0)
    margin = years.net_income[positive] / years.revenue[positive]
    levels = (
        _quotient(losses, known),
        _quotient(income, sales),
        step_medians(margin, years.begin[positive], years.stop[positive], n),
    )
    return pd.DataFrame(dict(zip(NAMES[:3], levels, strict=True)), index=sessions, dtype=np.float64)


def _quotient(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    quotient: NDArray[np.float64] = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return quotient
