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
    """Count file by file with groupby, transform and rolling, and add up."""
    return pd.concat([_count(_read(path), "id", in_place=True) for path in paths]).groupby(level=0).sum()


def count_bucketed_sorted(paths: Sequence[Path]) -> pd.DataFrame:
    """Count file by file the faster way, rolling over groups: the rows of a stock stand together."""
    return pd.concat([_count(_read(path), "id") for path in paths]).groupby(level=0).sum()


def count_by_date(path: Path) -> pd.DataFrame:
    """Count from one file in which the stocks of a session stand together, by ticker, as one would write it down."""
    return _count(_read(path), "ticker", in_place=True)


def count_by_date_sorted(path: Path) -> pd.DataFrame:
    """Count from the same file the faster way: one code a ticker, and the rows of a stock brought together first."""
    rows = _read(path)
    rows["ticker"] = rows["ticker"].astype("category")
    return _count(rows.sort_values(["ticker", "date"], ignore_index=True), "ticker")


def _read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path, columns=None, to_pandas_kwargs={"date_as_object": False})


def _count(rows: pd.DataFrame, key: str, *, in_place: bool = False) -> pd.DataFrame:
    """Count session by session; `in_place` for rows of a stock that do not stand together."""
    stock, close = rows[key], rows["close"]

    def grouped(values: pd.Series) -> "pd.api.typing.SeriesGroupBy":
        return values.groupby(stock, sort=False, observed=True)

    def rolled(values: pd.Series, window: int, how: str) -> np.ndarray:
        if in_place:
            return grouped(values).transform(lambda each: getattr(each.rolling(window), how)()).to_numpy()
        # half the time of transform; its rows come stock by stock
        return getattr(grouped(values).rolling(window), how)().to_numpy()

    priced = close.notna()
    bridged = grouped(close).ffill(limit=MAX_GAP)
    before = grouped(bridged).shift()
    moves = np.log(bridged / before).clip(-ABSURD, ABSURD)
    top, bottom, swing = rolled(before, 251, "max"), rolled(before, 251, "min"), rolled(moves, 21, "sum")
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
        average = rolled(bridged, window, "mean")
        found |= {f"n_{window}": priced & ~np.isnan(average), f"above_{window}": close > average}
    return pd.DataFrame(found).groupby(rows["date"]).sum()
