"""Index and fund prices of the sample market."""

import numpy as np
import pandas as pd

from sources.known import known_at

DIVIDENDS = {"IWM": 0.013, "IWN": 0.019, "IWO": 0.007, "SPY": 0.017}
"""Yield a year, paid in four parts."""


def draw_prices(sessions: pd.DatetimeIndex, returns: np.ndarray, on: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Make the price frame: small-cap and large-cap indices, and funds of the whole, its value and its growth half.

    Parameters
    ----------
    sessions : DatetimeIndex
    returns : ndarray, (n_sessions,), log return of the small-cap index
    on : ndarray of bool, (n_sessions,), whether the state is "on": value beats growth a little then
    """
    n = len(sessions)
    tilt = np.where(on, 0.00006, -0.00012) + 0.0035 * rng.standard_normal(n)
    large = 0.00018 + 0.72 * (returns - returns.mean()) + 0.0045 * rng.standard_normal(n)
    track = 0.0003 * np.diff(rng.standard_normal(n + 1))
    series = {
        "R2000": (750.0, returns),
        "SP500": (1280.0, large),
        "IWM": (75.0, returns + track),
        "IWN": (66.0, 0.95 * returns + tilt),
        "IWO": (86.0, 1.05 * returns - tilt),
        "SPY": (128.0, large + 0.3 * track),
    }
    known = known_at("session_close", sessions)
    frames = []
    for name, (start, log_return) in series.items():
        close = start * np.exp(np.cumsum(log_return))
        total = _total_return(close, sessions, DIVIDENDS[name]) if name in DIVIDENDS else np.full(n, np.nan)
        frames.append(pd.DataFrame({"series": name, "date": sessions, "close": close, "adj_close": total, "known_at": known}))
    return pd.concat(frames, ignore_index=True)


def _total_return(close: np.ndarray, sessions: pd.DatetimeIndex, rate: float) -> np.ndarray:
    """Scale closes so that their returns contain a dividend on the first session of each quarter; the last close stays."""
    quarter = sessions.quarter.to_numpy()
    paid = np.append(False, quarter[1:] != quarter[:-1])
    growth = np.cumsum(np.where(paid, np.log1p(rate / 4), 0.0))
    return np.asarray(close * np.exp(growth - growth[-1]))
