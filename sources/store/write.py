"""One batch: all of it is visible, or nothing."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from features.errors import DataError
from sources.store.incoming import Incoming
from sources.store.kinds import Kind, on_disk
from sources.store.lock import writing
from sources.store.manifest import File, Manifest, files_of, publish, read_manifests
from sources.store.names import Names, read_names
from sources.store.rules import COUNTS, stop_if_many, with_rule
from sources.store.sweep import sweep
from sources.store.tables import collect, scan, write_table
from sources.store.vintages import numbered

ONE_MICROSECOND = datetime.timedelta(microseconds=1)


@dataclass(frozen=True)
class Count:
    """What became of the records of one kind."""

    new: int
    revised: int
    identical: int
    quarantined: int


@dataclass(frozen=True)
class Batch:
    """What a write did.

    Attributes
    ----------
    number : of the batch; None where every record was there already, so that nothing was written
    recorded_at : UTC; None likewise
    counts : by kind
    """

    number: int | None
    recorded_at: datetime.datetime | None
    counts: Mapping[str, Count]


def write_batch(root: Path, found: Sequence[Incoming], source: str, clock: Callable[[], datetime.datetime], wait_s: float) -> Batch:
    """Write checked records as one batch.

    Raises
    ------
    DataError
        Where too many records are bad or the disk refuses; the store is then as it was.
    StoreBusyError
        Where another writer holds the store for longer than `wait_s` seconds.
    """
    try:
        with writing(root, wait_s):
            return _write(root, found, source, clock)
    except OSError as error:
        raise DataError(f"store '{root}': cannot be written: {error.strerror or error}; nothing of this batch counts") from None


def _write(root: Path, found: Sequence[Incoming], source: str, clock: Callable[[], datetime.datetime]) -> Batch:
    manifests = read_manifests(root)
    sweep(root, manifests)
    names = read_names(root, manifests)
    new_names = names.missing(name for each in found for name in each.names)
    names = names.with_new(new_names)
    tables: dict[str, pl.DataFrame] = {}
    counts: dict[str, Count] = {}
    for each in found:
        good, aside = _parted(root, manifests, each, names)
        tables |= {each.kind.name: good, f"quarantine/{each.kind.name}": aside}
        revised = int((good["vintage"] > 0).sum())
        counts[each.kind.name] = Count(len(good) - revised, revised, len(each.rows) - len(good) - len(aside), len(aside))
    tables = {table: rows for table, rows in tables.items() if len(rows)}
    if not tables:
        return Batch(None, None, counts)
    number, stamp = len(manifests) + 1, _stamp(manifests, clock)
    files = [write_table(root, "ids", number, new_names)] if len(new_names) else []
    files += [_write_records(root, table, number, rows, stamp) for table, rows in tables.items()]
    publish(root, Manifest(number, stamp, source, manifests[-1].sha256() if manifests else "", tuple(files)))
    return Batch(number, stamp, counts)


def _stamp(manifests: Sequence[Manifest], clock: Callable[[], datetime.datetime]) -> datetime.datetime:
    """Later than every batch before, even where the clock was set back."""
    now = clock().astimezone(datetime.UTC)
    return max(now, manifests[-1].recorded_at + ONE_MICROSECOND) if manifests else now


def _parted(root: Path, manifests: Sequence[Manifest], found: Incoming, names: Names) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give ids and vintages; part good records from bad ones; leave out those that the store has."""
    kind = found.kind
    ids = pl.Series([names.ids[name] for name in found.names], dtype=pl.Int32)
    rows = found.rows.with_columns(ids.gather(found.rows["code"]).alias("id")).sort(kind.key)
    rows = with_rule(kind, rows)
    good = rows.filter(pl.col("rule").is_null())
    good = numbered(good, _near(root, manifests, kind.name, kind, good), kind.key, kind.values)
    aside, table = rows.filter(pl.col("rule").is_not_null()), f"quarantine/{kind.name}"
    if len(aside):
        aside = numbered(aside, _near(root, manifests, table, kind, aside), (*kind.key, "rule"), kind.values)
        stop_if_many(kind, found.names, pl.concat([good, aside.select(good.columns)]), _counts(root, manifests, kind))
    return good, aside


def _near(root: Path, manifests: Sequence[Manifest], table: str, kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """Read the stored records that may have a key of these rows."""
    columns = dict.fromkeys([*kind.key, *kind.values, "known_at", "vintage", *(["rule"] if table != kind.name else [])])
    files = [] if rows.is_empty() else [file for file in files_of(manifests, table) if _overlap(file, kind, rows)]
    ranges = [pl.col(name).is_between(rows[name].min(), rows[name].max()) for name in ("id", kind.date)]
    return collect(root, scan(root, table, files).filter(*ranges).select(*columns))


def _overlap(file: File, kind: Kind, rows: pl.DataFrame) -> bool:
    ids, dates = rows["id"], rows[kind.date]
    first, last = file.dates or ("", "")
    return bool(file.ids[0] <= ids.max() and file.ids[1] >= ids.min() and first <= str(dates.max()) and last >= str(dates.min()))  # type: ignore[operator]


def _counts(root: Path, manifests: Sequence[Manifest], kind: Kind) -> pl.DataFrame:
    parts = []
    for table, bad in ((kind.name, 0), (f"quarantine/{kind.name}", 1)):
        frame = scan(root, table, files_of(manifests, table)).filter(pl.col("vintage") == 0).group_by("id").agg(pl.len().alias("n"))
        parts.append(collect(root, frame.select("id", pl.col("n").cast(pl.Int64), (pl.col("n") * bad).cast(pl.Int64).alias("bad"))))
    return pl.concat(parts).select(*COUNTS)


def _write_records(root: Path, table: str, number: int, rows: pl.DataFrame, stamp: datetime.datetime) -> File:
    stamped = rows.with_columns(pl.lit(stamp).cast(pl.Datetime("us", "UTC")).alias("recorded_at"))
    return write_table(root, table, number, stamped.select(on_disk(table).names))
