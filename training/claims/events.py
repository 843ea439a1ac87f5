"""Breakouts of small caps, and what crypto did after each."""

import numpy as np
import pandas as pd

from features import asset_prices
from features.breakout_list import list_events
from features.market import Market
from training.targets import forward_return

NO_PRICE, NOT_OVER = "no price yet", "not over"


def what_followed(events: pd.DataFrame, prices: pd.DataFrame, assets: list[str], horizons: list[int]) -> pd.DataFrame:
    """Forward return of each asset after each event, entered at `asof` of the event's session.

    Returns
    -------
    DataFrame with the columns of `events` and asset, horizon, log_return, note; the return is missing, and the note says
    why, where the asset had no price or the horizon is not over
    """
    parts = []
    for asset in assets:
        begun = prices[asset].first_valid_index()
        for horizon in horizons:
            value = forward_return(prices[asset], horizon).reindex(events["date"]).to_numpy()
            before = events["date"] < begun if begun is not None else pd.Series(True, index=events.index)
            note = np.where(~np.isnan(value), "", np.where(before, NO_PRICE, NOT_OVER))
            parts.append(events.assign(asset=asset, horizon=horizon, log_return=value, note=note))
    order = ["date", "series", "asset", "horizon"]
    return pd.concat(parts, ignore_index=True).sort_values(order, kind="stable", ignore_index=True)


def event_study(market: Market, assets: list[str], horizons: list[int], series: list[str] | None = None) -> pd.DataFrame:
    """`list_events` and `what_followed` in one call."""
    return what_followed(list_events(market, series), asset_prices(market), assets, horizons)


def base_rates(prices: pd.DataFrame, assets: list[str], horizons: list[int]) -> pd.DataFrame:
    """How often, and by how much, each asset rose over each horizon from any session on record.

    Returns
    -------
    DataFrame with asset, horizon, up (share of rises), median (log return), n, n_independent (non-overlapping)
    """
    rows = []
    for asset in assets:
        for horizon in horizons:
            y = forward_return(prices[asset], horizon).dropna()
            up, median = (float((y > 0).mean()), float(y.median())) if len(y) else (float("nan"), float("nan"))
            rows.append({"asset": asset, "horizon": horizon, "up": up, "median": median, "n": len(y), "n_independent": len(y) // horizon})
    return pd.DataFrame(rows)
