"""Prices of the assets on trial, and the yardstick that only exists from 2020."""

import pandas as pd

from features.altcoins import published_cap
from features.asof import on_sessions
from features.coins import asset_prices
from features.market import Market

ASSETS = {"BTC": "Bitcoin", "ETH": "Ether", "ALT": "altcoins (equal weight)", "TOTAL3X": "TOTAL3 less stablecoins"}
"""Assets by name and in words; the last is a value of all coins but two, whose moves hold issuance besides prices."""


def claim_prices(market: Market) -> pd.DataFrame:
    """Prices at `asof(t)` of those of `ASSETS` that the market has, columns in that order; closes of the very day, as `asset_prices`."""
    prices = asset_prices(market)[["BTC", "ETH", "ALT"]]
    cap = published_cap(market.macro)
    if len(cap):
        day = cap.index.to_series().astype("int64").astype("float64")
        date, _ = on_sessions(day, cap["known_at"], market.sessions)
        value, _ = on_sessions(cap["level"], cap["known_at"], market.sessions)
        prices = prices.assign(TOTAL3X=value.where(date == market.sessions.astype("int64")))
    return prices.loc[:, prices.notna().any()]
