"""Base rates as distributions: how far an asset moved from any session on record, and from the sessions of events."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from models.answers import QUANTILES
from models.inference import Array
from training.targets import forward_return

BEFORE, AFTER = -126, 252
"""Sessions around an event whose path is drawn."""

FAN_STEP = 6


def base_fan(prices: pd.DataFrame, assets: Sequence[str], horizons: Sequence[int]) -> pd.DataFrame:
    """Empirical quantiles of all past forward returns; the newest is the last one that is over.

    Parameters
    ----------
    prices : price of each asset at `asof(t)`

    Returns
    -------
    DataFrame with asset, horizon, lo80, median, hi80 (log returns), n, n_independent; missing quantiles where n is 0
    """
    rows = []
    for asset in assets:
        for horizon in horizons:
            y = forward_return(prices[asset], horizon).dropna()
            levels = {name: float(y.quantile(level)) if len(y) else float("nan") for name, level in QUANTILES.items()}
            rows.append({"asset": asset, "horizon": horizon} | levels | {"n": len(y), "n_independent": len(y) // horizon})
    return pd.DataFrame(rows)


def path_fan(price: pd.Series) -> pd.DataFrame:
    """Quantiles of ln P(t + tau) - ln P(t) over every session t, for tau from `BEFORE` to `AFTER`.

    Returns
    -------
    DataFrame, index tau, columns lo80, median, hi80
    """
    log_price = np.log(price.to_numpy(dtype=np.float64))
    taus = np.arange(BEFORE, AFTER + 1, FAN_STEP)
    out = np.full((len(taus), len(QUANTILES)), np.nan)
    for k, tau in enumerate(taus):
        span = abs(int(tau))
        rise = log_price[span:] - log_price[: len(log_price) - span] if span < len(log_price) else np.empty(0)
        moved = rise if tau >= 0 else -rise
        known = moved[~np.isnan(moved)]
        if len(known):
            out[k] = np.quantile(known, list(QUANTILES.values()))
    return pd.DataFrame(out, index=pd.Index(taus, name="tau"), columns=list(QUANTILES))


def event_path(price: pd.Series, date: pd.Timestamp) -> tuple[Array, Array]:
    """Path of ln P relative to an event's session, where there are prices.

    Returns
    -------
    taus : (n,) sessions from the event
    moves : (n,) log; empty where the asset had no price on the event's session
    """
    log_price = np.log(price.to_numpy(dtype=np.float64))
    at = int(price.index.get_indexer(pd.DatetimeIndex([date]))[0])
    if at < 0 or np.isnan(log_price[at]):
        return np.empty(0), np.empty(0)
    span = np.arange(max(at + BEFORE, 0), min(at + AFTER + 1, len(log_price)))
    moves = log_price[span] - log_price[at]
    known = ~np.isnan(moves)
    return (span - at)[known].astype(np.float64), moves[known]
