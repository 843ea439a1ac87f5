"""Bitemporal reading: what was known then, as far as it was recorded by then."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import polars as pl

from features.errors import DataError
from sources.store.kinds import KINDS, PANEL, Kind
from sources.store.lock import quiet
from sources.store.manifest import File, Manifest, files_of, read_manifests, until
from sources.store.names import read_names
from sources.store.tables import BUCKET, collect, empty, scan
from sources.store.vintages import NEWEST, PRINTS, chosen
from sources.store.withdrawn import withdrawn, without


@dataclass(frozen=True)
class AsOf:
    """What a store answers.

    Attributes
    ----------
    known, recorded : UTC; the same two give the same frames for ever
    frames : by kind: `id`, the name under the entity's own word, key, values, `known_at`, `recorded_at`, `source`, `vintage`;
        sorted by id and the rest of the key
    """

    known: datetime.datetime
    recorded: datetime.datetime
    frames: Mapping[str, pl.DataFrame]


def settled(
    root: Path, recorded: pd.Timestamp | datetime.datetime | None, clock: Callable[[], datetime.datetime], wait_s: float
) -> tuple[list[Manifest], datetime.datetime]:
    """List the batches recorded at `recorded` or before, once no other can come to be among them.

    Parameters
    ----------
    recorded : UTC; None for the last batch

    Raises
    ------
    DataError
        For an instant that is still to come, or without a time zone.
    """
    manifests = read_manifests(root)
    last = manifests[-1].recorded_at if manifests else None
    if recorded is None:
        return manifests, last or datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    moment = instant(recorded, "recorded")
    if last is None or moment > last:
        if moment > clock():
            raise DataError(
                f"as_of: recorded {moment} is still to come; rule: not after now, or the answer could change; leave it out for the newest"
            )
        # a writer at work may have stamped a batch earlier than this and not published it yet
        with quiet(root, wait_s):
            manifests = read_manifests(root)
    return until(manifests, moment), moment


def instant(moment: pd.Timestamp | datetime.datetime, name: str) -> datetime.datetime:
    """Give an instant in UTC; one without a time zone is refused."""
    if moment.tzinfo is None:
        raise DataError(f"as_of: {name} {moment} has no time zone; rule: instants are UTC, e.g. pd.Timestamp('2024-01-31', tz='UTC')")
    plain = moment.floor("us").to_pydatetime() if isinstance(moment, pd.Timestamp) else moment
    try:
        return plain.astimezone(datetime.UTC)
    except OverflowError:
        raise DataError(f"as_of: {name} {moment} is beyond the years 1 to 9999 in UTC; name an instant of the data") from None


def read(
    root: Path,
    manifests: Sequence[Manifest],
    name: str,
    known: datetime.datetime,
    recorded: datetime.datetime,
    prints: str = NEWEST,
    ids: tuple[int, int] | None = None,
    since: str | None = None,
    columns: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Read one kind as it was known.

    Parameters
    ----------
    manifests : the batches that count, and the compaction before them where there is one
    name : kind
    known, recorded : UTC
    prints : `newest` or `first`, see `vintages.chosen`
    ids : lowest and highest id to read; None for all
    since : first date to read, ISO; None for all
    columns : the key, `known_at`, `vintage`, and of the values those that are wanted; None for all

    Returns
    -------
    DataFrame with these columns of the kind on disk, sorted by its key
    """
    kind = _kind(name)
    if prints not in PRINTS:
        raise DataError(f"as_of: prints is '{prints}'; rule: one of {', '.join(PRINTS)}")
    files = [file for file in files_of(manifests, name) if _may_hold(file, ids, since)]
    if not files:
        return empty(name) if columns is None else empty(name).select(columns)
    frame = scan(root, name, files).filter(pl.col("known_at") <= known, pl.col("recorded_at") <= recorded)
    if ids is not None:
        frame = frame.filter(pl.col("id").is_between(*ids))
    if since is not None:
        frame = frame.filter(pl.col(kind.date) >= datetime.date.fromisoformat(since))
    if columns is not None:
        frame = frame.select(columns)
    gone = withdrawn(root, manifests, kind, recorded)
    rows = without(collect(root, frame), gone)
    # the file of a batch is sorted and has a key once
    if len(files) > 1 or len(gone) or any(manifest.replaced is not None for manifest in manifests[:1]):
        rows = chosen(kind, rows, prints)
    if name == "members":
        # a membership that has not ended is open: its end is learnt when it comes
        ended = pl.col("end").cast(pl.Datetime("us")).dt.replace_time_zone("UTC") <= known
        rows = rows.with_columns(pl.when(ended).then(pl.col("end")).alias("end"))
    return rows


def _may_hold(file: File, ids: tuple[int, int] | None, since: str | None) -> bool:
    near = ids is None or (file.ids[0] <= ids[1] and file.ids[1] >= ids[0])
    return near and (since is None or not file.dates or file.dates[1] >= since)


def buckets(
    root: Path, manifests: Sequence[Manifest], name: str, known: datetime.datetime, recorded: datetime.datetime, prints: str = NEWEST
) -> Iterator[pl.DataFrame]:
    """Read one kind a bucket of ids at a time: together the rows of `read`, in the same order."""
    files = files_of(manifests, name)
    if not files:
        return
    first, last = min(file.ids[0] for file in files) // BUCKET, max(file.ids[1] for file in files) // BUCKET
    for bucket in range(first, last + 1):
        rows = read(root, manifests, name, known, recorded, prints, ids=(bucket * BUCKET, (bucket + 1) * BUCKET - 1))
        if len(rows):
            yield rows


def named(rows: pl.DataFrame, name: str, dictionary: pl.DataFrame) -> pl.DataFrame:
    """Put the name of what a record is about, from a frame of `id` and `name`, beside its id."""
    entity = KINDS[name].entity
    frame = rows.join(dictionary.rename({"name": entity}), on="id", how="left", maintain_order="left")
    return frame.select("id", entity, pl.exclude("id", entity)).rechunk()


def as_of(
    root: Path, manifests: Sequence[Manifest], known: datetime.datetime, recorded: datetime.datetime, kinds: Sequence[str], prints: str
) -> AsOf:
    """Read several kinds, with names."""
    dictionary = read_names(root, manifests).frame()
    frames = {name: named(read(root, manifests, name, known, recorded, prints), name, dictionary) for name in kinds}
    return AsOf(known, recorded, frames)


def quarantined(root: Path, manifests: Sequence[Manifest], recorded: datetime.datetime) -> pl.DataFrame:
    """List records that were set aside: frame, series, date, rule, known_at, recorded_at, source."""
    names = read_names(root, manifests).frame().rename({"name": "series"})
    parts = []
    for kind in KINDS.values():
        table = f"quarantine/{kind.name}"
        files = files_of(manifests, table)
        if not files and kind != PANEL:  # one kind, so that there are columns where nothing is
            continue
        rows = collect(root, scan(root, table, files).filter(pl.col("recorded_at") <= recorded))
        rows = rows.with_columns(pl.lit(kind.name).alias("frame"), pl.col(kind.date).alias("date")).join(names, on="id", how="left")
        parts.append(rows.select("frame", "series", "date", "rule", "known_at", "recorded_at", "source"))
    return pl.concat(parts)


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise DataError(f"store: unknown kind '{name}'; known are {', '.join(KINDS)}")
    return KINDS[name]
