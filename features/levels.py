"""Named series on the sessions: as levels that are carried no longer than their maximum age, or closes that are not carried."""

import numpy as np
import pandas as pd

from features.asof import first_usable, on_sessions
from features.market import Market

PRICE_MAX_AGE = 5
"""Sessions a price may be carried over missing prints."""


def price_level(market: Market, series: str, column: str) -> tuple[pd.Series, pd.Series]:
    """Put a price series on the sessions.

    Parameters
    ----------
    market : Market
    series : name in `market.prices`
    column : 'close' (price return) or 'adj_close' (total return); they are never mixed

    Returns
    -------
    level, age : Series on the sessions; the age is 0 on the session on which a record arrives
    """
    rows = market.prices[(market.prices["series"] == series) & market.prices[column].notna()]
    return on_sessions(rows[column], rows["known_at"], market.sessions, PRICE_MAX_AGE)


def macro_level(market: Market, series: str, max_age: int) -> tuple[pd.Series, pd.Series]:
    """Put a macro series on the sessions; as `price_level`."""
    rows = market.macro[market.macro["series"] == series]
    return on_sessions(rows["value"], rows["known_at"], market.sessions, max_age)


def index_closes(market: Market, series: str) -> pd.Series:
    """Put the closes of a price series on the sessions on which they arrived; NaN on sessions without one."""
    rows = market.prices[(market.prices["series"] == series) & market.prices["close"].notna()]
    slots = first_usable(rows["known_at"], market.sessions)
    usable = slots < len(market.sessions)
    out = np.full(len(market.sessions), np.nan)
    out[slots[usable]] = rows["close"].to_numpy()[usable]
    return pd.Series(out, index=market.sessions)
