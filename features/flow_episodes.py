"""What the guard on fund flows set aside, and what difference it makes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.flow_guard import guard
from features.fund_prints import fund_prints, fund_universe
from features.market import Market


@dataclass(frozen=True)
class FlowQuarantine:
    """Episodes and totals.

    Attributes
    ----------
    episodes : DataFrame with fund, date (session on which the flow became usable), flow_usd, share (of assets before),
        outcome ('reversed', 'counted' after ten sessions, 'waiting'), settled (session; NaT while waiting)
    totals : DataFrame by fund and year of arrival: flows with and without what was set aside for good, in USD
    """

    episodes: pd.DataFrame
    totals: pd.DataFrame


def flow_quarantine(market: Market, nav_lag: int = 1) -> FlowQuarantine:
    """List the flows above the guard and print totals with and without them.

    Parameters
    ----------
    market : Market
    nav_lag : as in `features.flows.flows`

    Returns
    -------
    FlowQuarantine
    """
    episodes, totals = [], []
    for fund in fund_universe(market):
        prints = fund_prints(market, fund, nav_lag)
        guarded = guard(prints)
        for each in guarded.episodes:
            outcome = "waiting" if each.settled is None else "counted" if each.reversal is None else "reversed"
            settled = pd.NaT if each.settled is None else market.sessions[each.settled]
            at = each.position
            episodes.append((fund, market.sessions[at], prints.flow.iloc[at], prints.relative.iloc[at], outcome, settled))
        kept = guarded.base.fillna(0.0).to_numpy().copy()
        for change in guarded.changes:
            kept[change.position] += change.amount
        both = pd.DataFrame({"with_usd": prints.flow.fillna(0.0), "without_usd": np.asarray(kept)}, index=market.sessions)
        by_year = both.groupby(market.sessions.year).sum()
        totals.append(by_year.rename_axis("year").reset_index().assign(fund=fund))
    columns = ["fund", "date", "flow_usd", "share", "outcome", "settled"]
    listed = pd.concat(totals, ignore_index=True) if totals else pd.DataFrame(columns=["fund", "year", "with_usd", "without_usd"])
    return FlowQuarantine(pd.DataFrame(episodes, columns=columns), listed[["fund", "year", "with_usd", "without_usd"]])
