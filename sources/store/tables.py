"""Tables of the store as Parquet files: how one is written, and how a table's files are scanned."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import DataError
from sources.store.disk import inside, write_durably
from sources.store.kinds import KINDS, on_disk
from sources.store.manifest import File

BUCKET = 128
"""Ids that lie together: what is read of a large table at a time. No row group holds part of a bucket and part of another ..."""

GROUP_ROWS = 1 << 16
"""... unless several buckets together have fewer rows than this."""


def write_table(root: Path, table: str, batch: int, rows: pl.DataFrame) -> File:
    """Write rows, sorted by the table's key, as one immutable file.

    Parameters
    ----------
    rows : columns as `kinds.on_disk` names them, with at least one row
    """
    arrow = rows.to_arrow().cast(on_disk(table))
    path = f"{table}/{batch:08d}.parquet"
    written = write_durably(root / path, lambda stream: _write(stream, arrow))
    date = None if table == "ids" else rows[KINDS[table.removeprefix("quarantine/")].date]
    return File(
        path,
        table,
        len(rows),
        written.n_bytes,
        written.sha256,
        ids=(int(rows["id"].min()), int(rows["id"].max())),  # type: ignore[arg-type]
        dates=() if date is None else (str(date.min()), str(date.max())),
    )


def _write(stream: object, arrow: pa.Table) -> None:
    with pq.ParquetWriter(stream, arrow.schema, compression="zstd") as writer:
        for start, end in row_groups(arrow.column("id").to_numpy()):
            writer.write_table(arrow.slice(start, end - start), row_group_size=max(end - start, 1))


def row_groups(ids: np.ndarray) -> Iterator[tuple[int, int]]:
    """Cut sorted ids where a bucket ends, once at least `GROUP_ROWS` rows are together."""
    ends = [*(np.flatnonzero(np.diff(ids // BUCKET)) + 1), len(ids)]
    start = 0
    for end in ends:
        if end - start >= GROUP_ROWS or end == len(ids):
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
        empty = pl.from_arrow(on_disk(table).empty_table())
        return empty.lazy()  # type: ignore[union-attr]
    return pl.scan_parquet([_whole(root, file) for file in files], glob=False)


def collect(root: Path, frame: pl.LazyFrame) -> pl.DataFrame:
    """Read what was scanned; a damaged file is a DataError."""
    try:
        return frame.collect().rechunk()
    except (pl.exceptions.PolarsError, OSError) as error:
        told = " ".join(str(error).split())[:300]
        raise DataError(f"store '{root}': a file is damaged: {told}; `verify` names it, restore it from a copy") from None


def _whole(root: Path, file: File) -> Path:
    path = inside(root, file.path)
    try:
        size = path.stat().st_size
    except OSError:
        raise DataError(f"store '{root}': file '{file.path}' is missing; restore it from a copy") from None
    if size != file.n_bytes:
        raise DataError(f"store '{root}': file '{file.path}' has {size} bytes, not {file.n_bytes}; restore it from a copy")
    return path
