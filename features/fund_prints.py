"""What one fund printed, on the sessions on which it could be read: flows and assets."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.asof import first_usable, on_sessions
from features.market import Market

MAX_GAP = 5
"""Sessions over which one print's change in shares may reach back, and for which assets are carried."""


@dataclass(frozen=True)
class FundPrints:
    """Series on the sessions of the market; a value stands on the session on which it became usable.

    Attributes
    ----------
    fund : its name
    flow : USD; NaN where no print arrived, never zero for want of one
    relative : the flow as a share of the assets before it
    assets : USD, carried up to `MAX_GAP` sessions
    printed : position in the sessions of the newest print's own date; NaN before the first
    age : sessions since the newest print became usable
    """

    fund: str
    flow: pd.Series
    relative: pd.Series
    assets: pd.Series
    printed: pd.Series
    age: pd.Series


def fund_universe(market: Market) -> list[str]:
    """Name the funds whose flows are summed."""
    return sorted(market.funds["fund"].unique().tolist())


def fund_prints(market: Market, fund: str, nav_lag: int = 1) -> FundPrints:
    """Turn share counts into flows.

    Parameters
    ----------
    market : Market
    fund : name in `market.funds`
    nav_lag : 1 for the net asset value of the print before, 0 for the day's own

    Returns
    -------
    FundPrints

    Raises
    ------
    ValueError
        If `nav_lag` is neither 0 nor 1.

    Notes
    -----
    flow_d = (SO_d - SO_{d-1} k) NAV_{d-1} / k with k new shares per old one since the print before; without
    the division shares after a split would count at their price before it. Over missing prints the change since the last one is the flow
    of the day that prints again, if they are at most `MAX_GAP` sessions apart; longer gaps give NaN.
    """
    if nav_lag not in (0, 1):
        raise ValueError(f"nav_lag is {nav_lag!r}; rule: 1 (value of the print before, the default) or 0 (of the day itself)")
    rows = market.funds[market.funds["fund"] == fund]
    factor = rows["split"].cumprod()
    whole = rows["nav"].notna() & rows["shares_outstanding"].notna()
    rows, factor = rows[whole].reset_index(drop=True), factor[whole].reset_index(drop=True)
    split = factor / factor.shift(1)
    position = pd.Series(market.sessions.get_indexer(pd.DatetimeIndex(rows["date"])), index=rows.index, dtype=np.float64)
    near = position.diff() <= MAX_GAP
    shares, nav = rows["shares_outstanding"], rows["nav"]
    new = shares - shares.shift(1) * split
    flow = (new * (nav if nav_lag == 0 else nav.shift(1) / split)).where(near)
    relative = (new / (shares.shift(1) * split)).where(near)
    known = rows["known_at"]
    printed, age = on_sessions(position, known, market.sessions)
    return FundPrints(
        fund,
        _arrived(flow, known, market.sessions),
        _arrived(relative, known, market.sessions),
        on_sessions(shares * nav, known, market.sessions, MAX_GAP)[0],
        printed,
        age,
    )


def _arrived(values: pd.Series, known_at: pd.Series, sessions: pd.DatetimeIndex) -> pd.Series:
    """Add up what became usable on each session; NaN where nothing did."""
    out = np.full(len(sessions), np.nan)
    slots = first_usable(known_at, sessions)
    for slot, value in zip(slots, values, strict=True):
        if slot < len(sessions) and not np.isnan(value):
            out[slot] = value if np.isnan(out[slot]) else out[slot] + value
    return pd.Series(out, index=sessions)
