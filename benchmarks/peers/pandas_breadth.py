"""Counts of breadth over all priced stocks, from a long frame of closes with pandas.

The frame has a row for each stock and session, the rows of a stock in order of session: stock, session, close (NaN where not priced).
"""

import numpy as np
import pandas as pd

MAX_GAP = 5
"""Sessions without a close that the last one bridges."""

ALIVE = 21
ABSURD = np.log(4)


def count_all(closes: pd.DataFrame, stock: str = "security", session: str = "session", *, together: bool = False) -> pd.DataFrame:
    """Count everything that breadth is made of, session by session.

    Parameters
    ----------
    stock, session : names of these columns
    together : the rows of a stock stand together, which allows for the faster way of `_rolled`
    """
    key, close = closes[stock], closes["close"]
    priced = close.notna()
    bridged = _grouped(close, key).ffill(limit=MAX_GAP)
    before = _grouped(bridged, key).shift()
    moves = np.log(bridged / before).clip(-ABSURD, ABSURD)
    top, bottom = (_rolled(before, key, 251, how, together) for how in ("max", "min"))
    swing = _rolled(moves, key, 21, "sum", together)
    valid, swings = priced & moves.notna(), priced & ~np.isnan(swing)
    found = {
        "priced": priced,
        "alive": _grouped(close, key).ffill(limit=ALIVE - 1).notna(),
        "n_252": priced & ~np.isnan(top),
        "highs": close > top,
        "lows": close < bottom,
        "advances": close > before,
        "declines": close < before,
        "return_n": valid,
        "return_sum": np.expm1(moves).where(valid),
        "swing_n": swings,
        "swing_sum": np.where(swings, swing, 0.0),
        "swing_squares": np.where(swings, swing**2, 0.0),
    }
    for window in (50, 200):
        found |= _above(close, bridged, key, window, together)
    return pd.DataFrame(found).groupby(closes[session]).sum()


def count_above(closes: pd.DataFrame, window: int) -> pd.DataFrame:
    """Count, session by session, the stocks that have an average of `window` sessions and those above it."""
    key, close = closes["security"], closes["close"]
    bridged = _grouped(close, key).ffill(limit=MAX_GAP)
    return pd.DataFrame(_above(close, bridged, key, window, together=False)).groupby(closes["session"]).sum()


def _above(close: pd.Series, bridged: pd.Series, key: pd.Series, window: int, together: bool) -> dict[str, pd.Series]:
    average = _rolled(bridged, key, window, "mean", together)
    return {f"n_{window}": close.notna() & ~np.isnan(average), f"above_{window}": close > average}


def _grouped(values: pd.Series, key: pd.Series) -> "pd.api.typing.SeriesGroupBy":
    return values.groupby(key, sort=False, observed=True)


def _rolled(values: pd.Series, key: pd.Series, window: int, how: str, together: bool) -> np.ndarray:
    if together:  # half the time of transform; its rows come stock by stock
        return getattr(_grouped(values, key).rolling(window), how)().to_numpy()
    return _grouped(values, key).transform(lambda each: getattr(each.rolling(window), how)()).to_numpy()
