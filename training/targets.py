"""What is forecast: forward returns, and the label a classifier learns."""

import numpy as np
import pandas as pd


def forward_return(price: pd.Series, horizon: int, delay: int = 0) -> pd.Series:
    """Ln P(t + delay + horizon) - ln P(t + delay), in sessions; NaN where it is not known yet.

    Parameters
    ----------
    price : Series on sessions, the price at `asof(t)`
    horizon, delay : sessions
    """
    log_price = pd.Series(np.log(price))
    return log_price.shift(-(horizon + delay)) - log_price.shift(-delay)


def calm_rise(price: pd.Series, horizon: int, drawdown: float) -> pd.Series:
    """1 where the price rose over the next `horizon` sessions without falling `drawdown` from a peak on the way, else 0.

    Returns
    -------
    Series of float, NaN where the window is not over
    """
    log_price = np.log(price.to_numpy(dtype=np.float64))
    out = np.full(len(log_price), np.nan)
    if len(log_price) > horizon:
        paths = np.lib.stride_tricks.sliding_window_view(log_price, horizon + 1)
        deepest = (np.maximum.accumulate(paths, axis=1) - paths).max(axis=1)
        rose = paths[:, -1] > paths[:, 0]
        out[: len(paths)] = np.where(np.isnan(paths).any(axis=1), np.nan, rose & (deepest < -np.log1p(-drawdown)))
    return pd.Series(out, index=price.index)
