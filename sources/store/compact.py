"""Compaction: many small files of old batches become one, with the same rows.

Nothing of a record changes: every vintage stays, with its `recorded_at`. The files that were put together stay on the disk, for readers
at work, until the next compaction has ended: a reader is in the way of none, and loses its files only if it works through two of them.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.errors import DataError
from sources.store.disk import sha256_of
from sources.store.kinds import kind_of
from sources.store.lock import writing
from sources.store.manifest import File, Manifest, next_number, publish, read_manifests
from sources.store.sweep import sweep
from sources.store.tables import collect, scan, whole, write_table
from sources.store.write import stamp

SMALL_ROWS = 1 << 20
"""Files with fewer rows are put together; larger ones stay as they are, so that a compaction costs what came since."""

SOURCE = "compaction"


@dataclass(frozen=True)
class Compaction:
    """What a compaction did.

    Attributes
    ----------
    number : of its manifest; None where no table had two small files, so that nothing was written
    files : by table, how many files became one
    """

    number: int | None
    files: Mapping[str, int]


def compact(root: Path, clock: Callable[[], datetime.datetime], wait_s: float, small_rows: int = SMALL_ROWS) -> Compaction:
    """Put the small files of each table together.

    Raises
    ------
    DataError
        Where a file is not what was written, or the disk refuses; the store is then as it was.
    StoreBusyError
        Where another writer holds the store for longer than `wait_s` seconds.
    """
    try:
        with writing(root, wait_s):
            manifests = read_manifests(root)
            sweep(root, manifests)
            files = [file for manifest in manifests for file in manifest.files]
            small = {table: _small(files, table, small_rows) for table in sorted({file.table for file in files})}
            small = {table: each for table, each in small.items() if len(each) > 1}
            if not small:
                return Compaction(None, {})
            number = next_number(manifests)
            merged = [_merged(root, table, number, each) for table, each in small.items()]
            replaced = {file.path for each in small.values() for file in each}
            counting = (*(file for file in files if file.path not in replaced), *merged)
            last = Manifest(number, stamp(manifests, clock), SOURCE, manifests[-1].sha256(), counting, tuple(sorted(replaced)))
            publish(root, last)
            sweep(root, [last])
    except OSError as error:
        raise DataError(f"store '{root}': cannot be written: {error.strerror or error}; nothing was put together") from None
    return Compaction(number, {table: len(each) for table, each in small.items()})


def _small(files: Sequence[File], table: str, small_rows: int) -> list[File]:
    return [file for file in files if file.table == table and file.rows < small_rows]


def _merged(root: Path, table: str, number: int, files: Sequence[File]) -> File:
    for file in files:
        # else a damaged record would get a hash that says it is none
        if sha256_of(whole(root, file)) != file.sha256:
            raise DataError(f"store '{root}': file '{file.path}' is damaged; restore it from a copy, then compact")
    order = ["id"] if table == "ids" else [*kind_of(table).key, "vintage"]
    rows = collect(root, scan(root, table, files)).sort(order, maintain_order=True)
    return write_table(root, table, number, rows)
