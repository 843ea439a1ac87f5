"""One batch: all of it is visible, or nothing."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from features.errors import DataError
from sources.store.incoming import Incoming
from sources.store.kinds import Kind
from sources.store.lock import writing
from sources.store.manifest import File, Manifest, files_of, next_number, publish, read_manifests
from sources.store.names import Names, read_names
from sources.store.order import in_order
from sources.store.rules import COUNTS, stop_if_many, with_rule
from sources.store.sweep import sweep
from sources.store.tables import collect, row_groups, scan, write_table
from sources.store.vintages import numbered
from sources.store.withdrawn import marked, withdrawn

ONE_MICROSECOND = datetime.timedelta(microseconds=1)

TOGETHER = 1 << 20
"""Records that are compared at a time with what is stored of them."""


@dataclass(frozen=True)
class Count:
    """What became of the records of one kind."""

    new: int
    revised: int
    identical: int
    quarantined: int
    withdrawn: int = 0


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


def write_batch(
    root: Path,
    found: Sequence[Incoming],
    source: str,
    clock: Callable[[], datetime.datetime],
    wait_s: float,
    seen: datetime.datetime | None = None,
) -> Batch:
    """Write checked records as one batch.

    Parameters
    ----------
    seen : as of `vintages.numbered`, for the kinds whose records do not say when they were revised

    Raises
    ------
    DataError
        Where too many records are bad or the disk refuses; the store is then as it was.
    StoreBusyError
        Where another writer holds the store for longer than `wait_s` seconds.
    """
    try:
        with writing(root, wait_s):
            return _write(root, found, source, clock, seen)
    except OSError as error:
        raise DataError(f"store '{root}': cannot be written: {error.strerror or error}; nothing of this batch counts") from None


def _write(
    root: Path, found: Sequence[Incoming], source: str, clock: Callable[[], datetime.datetime], seen: datetime.datetime | None
) -> Batch:
    manifests = read_manifests(root)
    sweep(root, manifests)
    names = read_names(root, manifests)
    new_names = names.missing(name for each in found for name in each.names)
    names = names.with_new(new_names)
    tables: dict[str, pl.DataFrame] = {}
    counts: dict[str, Count] = {}
    for each in found:
        good, aside = _parted(root, manifests, each, names, seen)
        tables |= {each.kind.name: good, f"quarantine/{each.kind.name}": aside}
        revised = int((good["vintage"] > 0).sum())
        counts[each.kind.name] = Count(len(good) - revised, revised, len(each.rows) - len(good) - len(aside), len(aside))
    tables = {table: rows for table, rows in tables.items() if len(rows)}
    if not tables:
        return Batch(None, None, counts)
    number, now = next_number(manifests), stamp(manifests, clock)
    files = [write_table(root, "ids", number, new_names)] if len(new_names) else []
    files += [write_table(root, table, number, rows, now) for table, rows in tables.items()]
    publish(root, Manifest(number, now, source, manifests[-1].sha256() if manifests else "", tuple(files)))
    return Batch(number, now, counts)


def stamp(manifests: Sequence[Manifest], clock: Callable[[], datetime.datetime]) -> datetime.datetime:
    """Give the time, but later than every batch before, even where the clock was set back."""
    now = clock().astimezone(datetime.UTC)
    return max(now, manifests[-1].recorded_at + ONE_MICROSECOND) if manifests else now


def _parted(
    root: Path, manifests: Sequence[Manifest], found: Incoming, names: Names, seen: datetime.datetime | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give ids and vintages; part good records from bad ones; leave out those that the store has."""
    kind = found.kind
    rows = with_rule(kind, _by_id(found, names))
    aside, table = rows.filter(pl.col("rule").is_not_null()).cast({"rule": pl.String}), f"quarantine/{kind.name}"
    good = rows.filter(pl.col("rule").is_null()) if len(aside) else rows
    cuts = list(row_groups(good["id"].to_numpy(), TOGETHER)) if files_of(manifests, kind.name) else [(0, len(good))]
    parts = [good.slice(start, end - start) for start, end in cuts]
    undated = seen if kind.first_prints else None
    good = pl.concat([numbered(part, _near(root, manifests, kind.name, kind, part), kind.key, kind.values, undated) for part in parts])
    if len(aside):
        aside = numbered(aside, _near(root, manifests, table, kind, aside), (*kind.key, "rule"), kind.values)
        both = pl.concat([each.select("id", "code", kind.date, pl.col("rule").cast(pl.String)) for each in (good, aside)])
        stop_if_many(kind, found.names, both, _counts(root, manifests, kind))
    return good, aside


def _by_id(found: Incoming, names: Names) -> pl.DataFrame:
    """Give ids, and sort by the key."""
    ids = pl.Series([names.ids[name] for name in found.names], dtype=pl.Int32)
    rows = found.rows.with_columns(ids.gather(found.rows["code"]).alias("id"))
    return in_order(found.kind, rows)


def _near(root: Path, manifests: Sequence[Manifest], table: str, kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """Read the stored records that may have a key of these rows."""
    columns = dict.fromkeys([*kind.key, *kind.values, "known_at", "vintage", "source", *(["rule"] if table != kind.name else [])])
    files = [] if rows.is_empty() else [file for file in files_of(manifests, table) if _overlap(file, kind, rows)]
    ranges = [pl.col(name).is_between(rows[name].min(), rows[name].max()) for name in ("id", kind.date)]
    near = collect(root, scan(root, table, files).filter(*ranges).select(*columns))
    return near if near.is_empty() else marked(near, withdrawn(root, manifests, kind) if table == kind.name else near.clear())


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
