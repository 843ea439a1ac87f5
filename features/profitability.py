"""How many small companies lose money, from their filings as known on the day (METHODS 1.4)."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.asof import first_usable
from features.family import Family, prefixed
from features.market import Market
from features.trailing import Ledger

FAMILY = "profitability"
MIN_COVERAGE = 0.80
STALE_DAYS = 200
STALE_DAYS_ANNUAL = 290
"""Days after the end of the newest period at which a company counts as silent; longer where a 10-K stated that period."""

RECENT_DAYS = 400
"""Days within which a company that still exists files again."""

SEASONED_DAYS = 350
"""Days of filing after which a company's year should add up: a newcomer without one is not missing, it is young."""

MIN_SHARE = 0.5
"""A cross-section needs this share of the companies that filed recently: the punctual are more profitable than the late."""

NAMES = ("neg_share", "agg_margin", "med_margin", "neg_share_chg_63", "neg_share_chg_252", "agg_margin_chg_63", "agg_margin_chg_252")


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
        `_chg_L`: change over L sessions. Coverage: companies with a trailing net income / those and the ones that should have it
        (filing for 350 days, newest period not stale); n: companies with a trailing net income.
        All values are NaN where coverage is under .80, where n is under half of the companies that filed in the last 400 days, and in
        the first 200 days of filings, in which those who have not filed yet cannot be told from those who do not exist.

    Notes
    -----
    The values step with the filings: daily rows are no new information. Companies with losses file late: in the first weeks of a
    history (real filings: March 2016) the share is too low.
    """
    years = trailing_years(market)
    sessions = years.sessions
    known = pd.Series((~np.isnan(years.net_income)).sum(axis=1), index=sessions, dtype=np.float64)
    expected = pd.Series(years.expected.sum(axis=1), index=sessions, dtype=np.float64)
    coverage = known / expected.where(expected > 0)
    whole = (coverage >= MIN_COVERAGE) & (known >= MIN_SHARE * years.recent.sum(axis=1))
    if len(sessions):
        whole &= sessions >= sessions[0] + pd.Timedelta(days=STALE_DAYS)
    out = _levels(years).where(whole).reindex(market.sessions)
    coverage = coverage.reindex(market.sessions)
    for name in ("neg_share", "agg_margin"):
        for window in (63, 252):
            out[f"{name}_chg_{window}"] = out[name].diff(window)
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
    filings = market.filings.sort_values(["security", "known_at", "period_end", "period_start"], kind="stable", ignore_index=True)
    slots = first_usable(filings["known_at"], market.sessions)
    filings = filings.assign(slot=slots, start=_days(filings["period_start"]), end=_days(filings["period_end"]))
    filings = filings[filings["slot"] < len(market.sessions)].copy()
    session_days = _days(pd.Series(market.sessions))
    begin = int(filings["slot"].min()) if len(filings) else 0
    last = int(np.searchsorted(session_days, filings["end"].max() + STALE_DAYS_ANNUAL, side="right")) if len(filings) else 0
    finish = max(last, begin)
    shape = (finish - begin, filings["security"].nunique())
    never = np.zeros(shape, dtype=bool)
    years = TrailingYears(market.sessions[begin:finish], np.full(shape, np.nan), np.full(shape, np.nan), never, never.copy())
    filings["slot"] -= begin
    for column, (_, own) in enumerate(filings.groupby("security", sort=True)):
        _follow(own, column, session_days[begin:finish], years)
    return years


def _news_age(market: Market) -> pd.Series:
    slots = first_usable(market.filings["known_at"], market.sessions)
    arrived = slots[slots < len(market.sessions)]
    newest = np.full(len(market.sessions), np.nan)
    newest[arrived] = arrived
    position = pd.Series(np.arange(len(newest)), index=market.sessions)
    return position - pd.Series(newest, index=market.sessions).ffill()


def _follow(own: pd.DataFrame, column: int, days: NDArray[np.int64], years: TrailingYears) -> None:
    """Write one company's column, a span of sessions for each session on which it filed."""
    ledger = Ledger()
    slots = own["slot"].to_numpy()
    seasoned = _from(days[slots[0]] + SEASONED_DAYS, days)
    facts = zip(own["start"], own["end"], own["net_income"], own["revenue"], own["form"].str.startswith("10-K"), strict=True)
    for at, (start, end, income, revenue, annual) in enumerate(facts):
        ledger.add(start, end, (income, revenue), annual)
        begin, following = int(slots[at]), int(slots[at + 1]) if at + 1 < len(slots) else len(days)
        if following == begin:
            continue
        newest = max(ledger.ends)
        years.recent[begin : min(_from(days[begin] + RECENT_DAYS, days), following), column] = True
        years.expected[max(begin, seasoned) : min(_stale_from(newest, ledger.ends[newest], days), following), column] = True
        for year in ledger.trailing_years():
            stop = min(_stale_from(year.end, year.annual, days), following)
            if begin < stop:
                years.net_income[begin:stop, column] = year.net_income
                years.revenue[begin:stop, column] = year.revenue
                years.expected[begin:stop, column] = True
                begin = stop
            if begin == following:
                break


def _stale_from(end: int, annual: bool, days: NDArray[np.int64]) -> int:
    return _from(end + (STALE_DAYS_ANNUAL if annual else STALE_DAYS) + 1, days)


def _from(day: int, days: NDArray[np.int64]) -> int:
    """Position of the first session not before a day."""
    return int(np.searchsorted(days, day, side="left"))


def _levels(years: TrailingYears) -> pd.DataFrame:
    rows = []
    for income, revenue in zip(years.net_income, years.revenue, strict=True):
        valid = ~np.isnan(income)
        both = valid & ~np.isnan(revenue)
        positive = both & (revenue > 0)
        # fsum is exact, so a company that files for the first time later changes no earlier bit
        sales = math.fsum(revenue[both])
        rows.append(
            (
                (income[valid] < 0).mean() if valid.any() else np.nan,
                math.fsum(income[both]) / sales if sales > 0 else np.nan,
                np.median(income[positive] / revenue[positive]) if positive.any() else np.nan,
            )
        )
    return pd.DataFrame(rows, columns=list(NAMES[:3]), index=years.sessions, dtype=np.float64)


def _days(dates: pd.Series) -> NDArray[np.int64]:
    return dates.to_numpy("datetime64[D]").astype(np.int64)
