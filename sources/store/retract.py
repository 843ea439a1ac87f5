"""Taking back vintages that should never have been written, as by a source that told a wrong `known_at`."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from features.errors import DataError
from sources.store.kinds import KINDS, Kind, on_disk
from sources.store.lock import writing
from sources.store.manifest import Manifest, files_of, next_number, publish, read_manifests
from sources.store.sweep import sweep
from sources.store.tables import collect, scan, write_table
from sources.store.withdrawn import withdrawn, without
from sources.store.write import Batch, Count, stamp


def retract(root: Path, name: str, records: pl.DataFrame, reason: str, clock: Callable[[], datetime.datetime], wait_s: float) -> Batch:
    """Write a batch that withdraws vintages; those that are withdrawn already add nothing.

    Parameters
    ----------
    name : kind
    records : the key of the kind on disk, with `id`, and `vintage`; other columns are ignored
    reason : stored with them

    Raises
    ------
    DataError
        Where the store has no such vintage, columns are missing, or no reason is given; nothing is written then.
    StoreBusyError
        Where another writer holds the store for longer than `wait_s` seconds.
    """
    asked = _asked(name, records, reason)
    kind = KINDS[name]
    try:
        with writing(root, wait_s):
            manifests = read_manifests(root)
            sweep(root, manifests)
            _refuse_unknown(root, manifests, kind, asked)
            new = without(asked, withdrawn(root, manifests, kind))
            count = {name: Count(0, 0, 0, 0, withdrawn=len(new))}
            if new.is_empty():
                return Batch(None, None, count)
            number, now = next_number(manifests), stamp(manifests, clock)
            rows = new.sort(new.columns).with_columns(pl.lit(reason).alias("source"))
            file = write_table(root, f"withdrawn/{name}", number, rows, now)
            publish(root, Manifest(number, now, reason, manifests[-1].sha256(), (file,)))
    except OSError as error:
        raise DataError(f"store '{root}': cannot be written: {error.strerror or error}; nothing was withdrawn") from None
    return Batch(number, now, count)


def _asked(name: str, records: pl.DataFrame, reason: str) -> pl.DataFrame:
    if name not in KINDS:
        raise DataError(f"store: unknown kind '{name}'; known are {', '.join(KINDS)}")
    if not reason.strip():
        raise DataError("store: a retraction without a reason; rule: say why the records are withdrawn")
    columns = [*KINDS[name].key, "vintage"]
    missing = [column for column in columns if column not in records]
    if missing:
        rule = f"it has {', '.join(columns)}, as the frames of `as_of` do"
        raise DataError(f"store: retraction of '{name}': column '{missing[0]}' is missing; rule: {rule}")
    types = pl.DataFrame(pl.from_arrow(on_disk(name).empty_table())).schema
    return records.select(pl.col(column).cast(types[column]) for column in columns).unique()


def _refuse_unknown(root: Path, manifests: Sequence[Manifest], kind: Kind, asked: pl.DataFrame) -> None:
    stored = collect(root, scan(root, kind.name, files_of(manifests, kind.name)).select(asked.columns))
    unknown = asked.join(stored, on=asked.columns, how="anti")
    if len(unknown):
        row = ", ".join(f"{column}={value}" for column, value in unknown.row(0, named=True).items())
        raise DataError(f"store '{root}': retraction of '{kind.name}': there is no record {row}; take the rows of an answer of `as_of`")
