"""Breadth of a panel in files with pandas: file by file where stocks are parted into files, or from one file sorted by date.

Rows are id or ticker, date, close (NaN where not priced) and member; a stock has a row for each session from its listing until 21 sessions
after its delisting, so that no calendar is needed.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.peers.pandas_breadth import count_all


def count_bucketed(paths: Sequence[Path]) -> pd.DataFrame:
    """Count file by file with groupby, transform and rolling, and add up."""
    return pd.concat([count_all(_read(path), "id", "date") for path in paths]).groupby(level=0).sum()


def count_bucketed_sorted(paths: Sequence[Path]) -> pd.DataFrame:
    """Count file by file the faster way, rolling over groups: the rows of a stock stand together."""
    return pd.concat([count_all(_read(path), "id", "date", together=True) for path in paths]).groupby(level=0).sum()


def count_by_date(path: Path) -> pd.DataFrame:
    """Count from one file in which the stocks of a session stand together, by ticker, as one would write it down."""
    return count_all(_read(path), "ticker", "date")


def count_by_date_sorted(path: Path) -> pd.DataFrame:
    """Count from the same file the faster way: one code a ticker, and the rows of a stock brought together first."""
    rows = _read(path)
    rows["ticker"] = rows["ticker"].astype("category")
    return count_all(rows.sort_values(["ticker", "date"], ignore_index=True), "ticker", "date", together=True)


def _read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path, columns=None, to_pandas_kwargs={"date_as_object": False})
