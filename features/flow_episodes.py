"""What the guard on fund flows set aside, and what difference it makes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.flow_guard import guard
from features.fund_prints import FundPrints, fund_prints, fund_universe
from features.market import Market

TOTALS = ("fund", "year", "with_usd", "without_usd", "n")


@dataclass(frozen=True)
class FlowQuarantine:
    """Episodes and totals.

    Attributes
    ----------
    episodes : DataFrame with fund, date (session on which the flow became usable), flow_usd, share (of assets before),
        outcome ('reversed', 'counted' after ten sessions, 'waiting'), settled (session; NaT while waiting)
    totals : DataFrame with fund, year (of the print, as in `flows__ytd_usd`), with_usd, without_usd: flows with and without what is set
        aside; n: sessions on which a flow arrived
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
        totals.append(_by_year(prints, kept).assign(fund=fund))
    columns = ["fund", "date", "flow_usd", "share", "outcome", "settled"]
    listed = pd.concat(totals, ignore_index=True)[list(TOTALS)] if totals else pd.DataFrame(columns=list(TOTALS))
    return FlowQuarantine(pd.DataFrame(episodes, columns=columns), listed)


def _by_year(prints: FundPrints, kept: NDArray[np.float64]) -> pd.DataFrame:
    """Add up by the year of the print; before the first print there is no year."""
    seen = prints.printed.notna().to_numpy()
    sessions = pd.DatetimeIndex(prints.flow.index)
    year = sessions.year.to_numpy()[prints.printed.to_numpy()[seen].astype(np.int64)]
    both = pd.DataFrame({"with_usd": prints.flow.fillna(0.0), "without_usd": kept, "n": prints.flow.notna().astype(int)})[seen]
    return both.groupby(year).sum().rename_axis("year").reset_index()
