"""Breadth of a panel on disk with pandas: file by file where stocks are parted into files, or from one file sorted by date.

Rows are id or ticker, date, close (NaN where not priced) and member; a stock has a row for each session from its listing until 21 sessions
after its delisting, so that no calendar is needed.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

MAX_GAP, ALIVE = 5, 21
ABSURD = np.log(4)


def count_bucketed(paths: Sequence[Path]) -> pd.DataFrame:
    """Count file by file, and add up."""
    parts = [_count(_read(path), "id") for path in paths]
    return pd.concat(parts).groupby(level=0).sum()


def count_by_date(path: Path) -> pd.DataFrame:
    """Count from one file in which the stocks of a session stand together, by ticker."""
    rows = _read(path)
    # one code a ticker: grouping by the strings themselves takes twice as long
    rows["ticker"] = rows["ticker"].astype("category")
    return _count(rows.sort_values(["ticker", "date"], ignore_index=True), "ticker")


def _read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path, columns=None, to_pandas_kwargs={"date_as_object": False})


def _count(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """Count rows in order of stock and date, session by session."""
    stock, close = rows[key], rows["close"]

    def grouped(values: pd.Series) -> "pd.api.typing.SeriesGroupBy":
        return values.groupby(stock, sort=False, observed=True)

    priced = close.notna()
    bridged = grouped(close).ffill(limit=MAX_GAP)
    before = grouped(bridged).shift()
    moves = np.log(bridged / before).clip(-ABSURD, ABSURD)
    # rolling over groups takes half the time of transform with a function; its rows come in the same order
    year, swing = grouped(before).rolling(251), grouped(moves).rolling(21).sum().to_numpy()
    top, bottom = year.max().to_numpy(), year.min().to_numpy()
    valid, swings = priced & moves.notna(), priced & ~np.isnan(swing)
    found = {
        "priced": priced,
        "alive": grouped(close).ffill(limit=ALIVE - 1).notna(),
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
        average = grouped(bridged).rolling(window).mean().to_numpy()
        found |= {f"n_{window}": priced & ~np.isnan(average), f"above_{window}": close > average}
    return pd.DataFrame(found).groupby(rows["date"]).sum()
