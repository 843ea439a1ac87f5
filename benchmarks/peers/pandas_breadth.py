"""Counts of breadth over all priced stocks, from a long frame of closes with pandas.

`closes` is long, a row for each stock and session in order of security and session: security, session, close (NaN where not priced).
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

MAX_GAP = 5
"""Sessions without a close that the last one bridges."""

ALIVE = 21
ABSURD = np.log(4)


def count_above(closes: pd.DataFrame, window: int) -> pd.DataFrame:
    """Count, session by session, the stocks that have an average of `window` sessions and those above it."""
    bridged = closes.groupby("security")["close"].ffill(limit=MAX_GAP)
    found = _above(closes, bridged, window)
    return found.groupby(closes["session"]).sum()


def count_all(closes: pd.DataFrame) -> pd.DataFrame:
    """Count everything that breadth is made of, session by session."""
    security, close = closes["security"], closes["close"]
    priced = close.notna()
    bridged = close.groupby(security).ffill(limit=MAX_GAP)
    before = bridged.groupby(security).shift()
    top, bottom = (_rolling(before, security, pick) for pick in (_highest, _lowest))
    moves = (bridged / before).apply(np.log).clip(-ABSURD, ABSURD)
    valid = priced & moves.notna()
    swing = _rolling(moves, security, lambda each: each.rolling(21).sum())
    swings = priced & swing.notna()
    found = pd.DataFrame(
        {
            "priced": priced,
            "alive": close.groupby(security).ffill(limit=ALIVE - 1).notna(),
            "n_252": priced & top.notna(),
            "highs": close > top,
            "lows": close < bottom,
            "advances": close > before,
            "declines": close < before,
            "return_n": valid,
            "return_sum": np.expm1(moves).where(valid),
            "swing_n": swings,
            "swing_sum": swing.where(swings),
            "swing_squares": (swing**2).where(swings),
        }
    )
    return pd.concat([found, *(_above(closes, bridged, window) for window in (50, 200))], axis=1).groupby(closes["session"]).sum()


def _above(closes: pd.DataFrame, bridged: pd.Series, window: int) -> pd.DataFrame:
    average = _rolling(bridged, closes["security"], lambda each: each.rolling(window).mean())
    return pd.DataFrame({f"n_{window}": closes["close"].notna() & average.notna(), f"above_{window}": closes["close"] > average})


def _rolling(values: pd.Series, security: pd.Series, roll: Callable[[pd.Series], pd.Series]) -> pd.Series:
    return values.groupby(security).transform(roll)


def _highest(each: pd.Series) -> pd.Series:
    return each.rolling(251).max()


def _lowest(each: pd.Series) -> pd.Series:
    return each.rolling(251).min()
