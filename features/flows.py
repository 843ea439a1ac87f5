"""Money into and out of small-cap funds, from shares outstanding (METHODS 1.3)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.family import Family, prefixed
from features.flow_flags import heartbeats, reconstitution_days
from features.flow_guard import Change, guard
from features.fund_prints import MAX_GAP, FundPrints, fund_prints, fund_universe
from features.levels import price_level
from features.market import Market
from features.momentum import INDEX, record_highs
from features.scaling import rolling_z

FAMILY = "flows"
WINDOWS = (5, 21, 63, 252)
MIN_COVERAGE = 0.80
HIGH_WITHIN = 21
"""Sessions back to which a record high counts as recent."""

NEW_YEAR = 7
"""Day of January by which the calendar must have begun for its first year to have a year-to-date."""


@dataclass(frozen=True)
class _Total:
    """Flows of the universe on the sessions: `weight` is the share of its assets whose flow is counted."""

    flow: pd.Series
    weight: pd.Series
    assets: pd.Series
    printed: pd.Series
    changes: list[tuple[Change, float]]


def flows(market: Market, nav_lag: int = 1) -> Family:
    """Flows of all funds of the market, summed.

    Parameters
    ----------
    market : Market; the universe is the funds in `market.funds`
    nav_lag : 1 values new shares at the net asset value of the print before, 0 at the day's own

    Returns
    -------
    Family. `flow_pct_L`: flows of L sessions as a share of assets before them; `ytd_usd`: USD since 1 January of the year of the newest
        print, `ytd_pct` as a share of assets then; `z`: standardised `flow_pct_63`; `divergence`: standardised 63-session return less `z`;
        `record_high_with_outflows`: 1 where the index made a record high in the last 21 sessions and `ytd_usd` < 0; `reconstitution`: 1
        where the newest print is of the day the Russell indices change or of the next; `heartbeat`: 1 where a flow of 2% of a fund went
        back within 3 sessions. The first says nothing of appetite, the second seldom.
        Coverage: share of assets and of the last 21 sessions whose flow is counted; n: funds with assets.
    """
    funds = [fund_prints(market, fund, nav_lag) for fund in fund_universe(market)]
    total = _total(market, funds)
    level, age = price_level(market, INDEX, "close")
    values = {f"flow_pct_{n}": _over(total, n) / total.assets.shift(n) for n in WINDOWS}
    ages = pd.DataFrame({fund.fund: fund.age for fund in funds}, index=market.sessions).min(axis=1)
    year_to_date, start_assets = _year_to_date(total)
    values["ytd_usd"] = year_to_date.where(ages <= MAX_GAP)
    values["ytd_pct"] = values["ytd_usd"] / start_assets
    values["z"] = rolling_z(values["flow_pct_63"])
    values["divergence"] = rolling_z(np.log(level).diff(63)) - values["z"]
    recent_high = record_highs(level, age)["ath"].rolling(HIGH_WITHIN, min_periods=1).max()
    known = recent_high.notna() & values["ytd_usd"].notna()
    values["record_high_with_outflows"] = ((recent_high > 0) & (values["ytd_usd"] < 0)).astype("float64").where(known)
    values |= {name: flag.where(ages <= MAX_GAP) for name, flag in _flags(market, funds, total.printed).items()}
    quality = {
        "coverage": pd.Series(_counted(total, 21), index=market.sessions).clip(0, 1).where(ages.notna()),
        "age_sessions": ages,
        "n": pd.DataFrame({fund.fund: fund.assets.notna() for fund in funds}, index=market.sessions).sum(axis=1),
    }
    return Family(prefixed(pd.DataFrame(values), FAMILY), prefixed(pd.DataFrame(quality), FAMILY))


def _total(market: Market, funds: list[FundPrints]) -> _Total:
    # added fund by fund: an absent one adds an exact zero, so a fund that starts later changes no earlier bit
    guarded = [guard(fund) for fund in funds]
    zeros = pd.Series(0.0, index=market.sessions)
    assets = sum((fund.assets.fillna(0.0) for fund in guarded), start=zeros)
    assets = assets.where(assets > 0)
    flow, weight = zeros, zeros
    changes: list[tuple[Change, float]] = []
    for fund in guarded:
        own = (fund.assets / assets).fillna(0.0)
        flow = flow + fund.base.fillna(0.0)
        weight = weight + own.where(fund.base.notna(), 0.0)
        changes += [(change, float(own.iloc[change.position])) for change in fund.changes]
    printed = pd.DataFrame({fund.fund: fund.printed for fund in funds}, index=market.sessions).max(axis=1)
    return _Total(flow, weight, assets, printed, sorted(changes, key=lambda each: each[0].row))


def _flags(market: Market, funds: list[FundPrints], printed: pd.Series) -> dict[str, pd.Series]:
    of_index = reconstitution_days(market.sessions).astype(np.float64)
    beat = np.zeros(len(market.sessions), dtype=bool)
    for fund in funds:
        beat |= heartbeats(fund)
    of_print = printed.map(dict(enumerate(of_index.tolist()))).fillna(0.0)
    return {"reconstitution": of_print, "heartbeat": pd.Series(beat.astype(np.float64), index=market.sessions)}


def _over(total: _Total, window: int) -> pd.Series:
    """Sum the flows that arrived in the last `window` sessions, as counted at each row; NaN where under .80 of them are."""
    out = total.flow.rolling(window).sum().to_numpy().copy()
    for change, _ in total.changes:
        out[change.row : change.position + window] += change.amount
    return pd.Series(np.where(_counted(total, window) >= MIN_COVERAGE, out, np.nan), index=total.assets.index)


def _counted(total: _Total, window: int) -> NDArray[np.float64]:
    out = total.weight.rolling(window, min_periods=1).sum().to_numpy().copy()
    for change, own in total.changes:
        out[change.row : change.position + window] += change.sign * own
    return out / window


def _year_to_date(total: _Total) -> tuple[pd.Series, pd.Series]:
    """Sum the flows of prints of the newest print's year; and the assets before its first.

    NaN where under .80 of the year's prints so far are counted, so also in a year in which the prints begin late.
    """
    sessions = pd.DatetimeIndex(total.assets.index)
    printed = total.printed.to_numpy()
    flow, counted, due, start = (np.full(len(sessions), np.nan) for _ in range(4))
    seen = np.flatnonzero(~np.isnan(printed))
    year = np.zeros(len(sessions), dtype=np.int64)
    year[seen] = sessions.year.to_numpy()[printed[seen].astype(np.int64)]
    first_of_year = sessions.searchsorted(pd.DatetimeIndex([f"{y or 1900}-01-01" for y in year]))
    arrived, weight, assets = total.flow.to_numpy(), total.weight.to_numpy(), total.assets.ffill().to_numpy()
    for t in seen:
        new = t == 0 or year[t] != year[t - 1]
        flow[t] = arrived[t] + (0.0 if new else flow[t - 1])
        counted[t] = weight[t] + (0.0 if new else counted[t - 1])
        start[t] = (assets[t - 1] if t else np.nan) if new else start[t - 1]
        due[t] = printed[t] - first_of_year[t] + 1
    for change, own in total.changes:
        rows = slice(change.row, change.row + int((year[change.row :] == year[change.position]).sum()))
        flow[rows] += change.amount
        counted[rows] += change.sign * own
    whole = (counted / due >= MIN_COVERAGE) & ~((first_of_year == 0) & (sessions[:1].day_of_year.to_numpy() > NEW_YEAR).any())
    return pd.Series(np.where(whole, flow, np.nan), index=sessions), pd.Series(start, index=sessions)
