"""The order of records on disk and in answers."""

import datetime

import numpy as np
import polars as pl

from sources.store.kinds import Kind

EPOCH = datetime.date(1970, 1, 1)
_SHIFT = 1 << 31
"""Days since 1970 plus this are not negative."""


def packed(ids: pl.Series, dates: pl.Series) -> pl.Series:
    """Put ids and dates into one int64 each, in the same order: sorting it takes a third of the memory of sorting two columns."""
    both = pl.DataFrame([ids.alias("id"), dates.alias("date")])
    return both.select((pl.col("id").cast(pl.Int64) * (1 << 32) + pl.col("date").to_physical().cast(pl.Int64) + _SHIFT).alias("key"))["key"]


def unpacked(key: int) -> tuple[int, datetime.date]:
    """Give back id and date."""
    return key >> 32, EPOCH + datetime.timedelta(days=(key & 0xFFFFFFFF) - _SHIFT)


def in_order(kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """Sort records by the key of their kind."""
    if len(kind.key) > len(("id", "date")):
        return rows.sort(kind.key)
    key = packed(rows["id"], rows[kind.date])
    # files are sorted, so what is read of several is a few sorted runs, which a stable sort only merges
    return rows if key.is_sorted() else rows[np.argsort(key.to_numpy(), kind="stable")]
