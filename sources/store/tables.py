"""Tables of the store as Parquet files: how one is written, and how a table's files are scanned."""

import datetime
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from features.errors import DataError
from sources.store.disk import inside, write_durably
from sources.store.kinds import kind_of, on_disk
from sources.store.manifest import File

BUCKET = 128
"""Ids that lie together: what is read of a large table at a time. No row group holds part of a bucket and part of another ..."""

GROUP_ROWS = 1 << 16
"""... unless several buckets together have fewer rows than this."""


def write_table(root: Path, table: str, batch: int, rows: pl.DataFrame, stamp: datetime.datetime | None = None) -> File:
    """Write rows, sorted by the table's key, as one immutable file.

    Parameters
    ----------
    rows : columns as `kinds.on_disk` names them, with at least one row
    stamp : `recorded_at` of all of them, where it is no column
    """
    path = f"{table}/{batch:08d}.parquet"
    written = write_durably(root / path, lambda stream: _write(stream, table, rows, stamp))
    date = None if table == "ids" else rows[kind_of(table).date]
    return File(
        path,
        table,
        len(rows),
        written.n_bytes,
        written.sha256,
        ids=(int(rows["id"].min()), int(rows["id"].max())),  # type: ignore[arg-type]
        dates=() if date is None else (str(date.min()), str(date.max())),
    )


def _write(stream: object, table: str, rows: pl.DataFrame, stamp: datetime.datetime | None) -> None:
    """Write a row group at a time: only of one are there the texts and the stamp a row that the file has."""
    schema = on_disk(table)
    added = [] if stamp is None else [pl.lit(stamp).cast(pl.Datetime("us", "UTC")).alias("recorded_at")]
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for start, end in row_groups(rows["id"].to_numpy()):
            part = rows.slice(start, end - start).with_columns(*added, pl.col(pl.Enum).cast(pl.String)).select(schema.names)
            writer.write_table(part.to_arrow().cast(schema), row_group_size=end - start)


def row_groups(ids: np.ndarray, least: int | None = None) -> Iterator[tuple[int, int]]:
    """Cut sorted ids where a bucket ends, once at least `least` rows are together (None for `GROUP_ROWS`)."""
    least = least or GROUP_ROWS
    ends = [*(np.flatnonzero(np.diff(ids // BUCKET)) + 1), len(ids)]
    start = 0
    for end in ends:
        if end - start >= least or end == len(ids):
            yield start, int(end)
            start = int(end)


def scan(root: Path, table: str, files: Sequence[File]) -> pl.LazyFrame:
    """Scan files of one table; no file gives no rows.

    Raises
    ------
    DataError
        For a file that is missing or has another size than its manifest says.
    """
    if not files:
        return empty(table).lazy()
    return pl.scan_parquet([whole(root, file) for file in files], glob=False)


@cache
def empty(table: str) -> pl.DataFrame:
    """Give a table without rows."""
    return pl.DataFrame(pl.from_arrow(on_disk(table).empty_table()))


def collect(root: Path, frame: pl.LazyFrame) -> pl.DataFrame:
    """Read what was scanned; a damaged file is a DataError."""
    try:
        return frame.collect().rechunk()
    except (pl.exceptions.PolarsError, OSError) as error:
        told = " ".join(str(error).split())[:300]
        raise DataError(f"store '{root}': a file is damaged: {told}; `verify` names it, restore it from a copy") from None


def whole(root: Path, file: File) -> Path:
    """Give the full path of a file that has the size its manifest says.

    Raises
    ------
    DataError
        Where it has not, or is missing.
    """
    path = inside(root, file.path)
    try:
        size = path.stat().st_size
    except OSError:
        told = "restore it from a copy (or read again, if two compactions ended meanwhile)"
        raise DataError(f"store '{root}': file '{file.path}' is missing; {told}") from None
    if size != file.n_bytes:
        raise DataError(f"store '{root}': file '{file.path}' has {size} bytes, not {file.n_bytes}; restore it from a copy")
    return path
