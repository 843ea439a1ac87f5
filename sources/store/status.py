"""What a store holds, series by series."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from sources.calendar import sessions as sessions_between
from sources.store.kinds import KINDS, Kind
from sources.store.manifest import Manifest, files_of
from sources.store.names import read_names
from sources.store.tables import collect, scan
from sources.store.withdrawn import withdrawn, without

TOGETHER = ("members", "filings", "actions", "panel")
"""Kinds with one line for all their securities."""

DAYS = np.timedelta64(1, "D")
SCHEMA = {
    "kind": pl.String,
    "series": pl.String,
    "first": pl.Date,
    "last": pl.Date,
    "records": pl.Int64,
    "age": pl.Int64,
    "gaps": pl.Int64,
    "longest_gap": pl.Int64,
    "revisions": pl.Int64,
    "quarantined": pl.Int64,
}


def status(root: Path, manifests: Sequence[Manifest], now: datetime.datetime) -> pl.DataFrame:
    """Describe every series, quarantined records and all vintages but the withdrawn counted.

    Returns
    -------
    DataFrame with the columns

    - kind, series; members, filings, actions and the panel have one line each, with the number of securities
    - first, last : date of a record; records : keys, whatever their vintages
    - age : sessions since `last` that are over at `now`
    - gaps : missing sessions (of coins: days) between first and last, for the panel summed over securities; null for kinds that have
      no rhythm of their own (macro, members, filings, actions)
    - longest_gap : the most sessions (of coins: days) from one record to the next, 1 where none is missing; null for members, filings,
      actions
    - revisions : records beyond the first of their key; quarantined : records set aside
    """
    names = {number: name for name, number in read_names(root, manifests).ids.items()}
    lines = [line for kind in KINDS.values() for line in _kind(root, manifests, kind, names, now)]
    return pl.DataFrame(lines, schema=SCHEMA, orient="row")


def _kind(root: Path, manifests: Sequence[Manifest], kind: Kind, names: dict[int, str], now: datetime.datetime) -> list[tuple[object, ...]]:
    rows = _standing(root, manifests, kind)
    aside = collect(root, scan(root, f"quarantine/{kind.name}", files_of(manifests, f"quarantine/{kind.name}")).select("id", "vintage"))
    if rows.is_empty() and aside.is_empty():
        return []
    keys = rows.filter(pl.col("vintage") == 0).sort("id", kind.date)
    steps = _steps(kind, keys)
    each = (
        keys.with_columns(steps)
        .group_by("id")
        .agg(
            pl.col(kind.date).min().alias("first"),
            pl.col(kind.date).max().alias("last"),
            pl.len().cast(pl.Int64).alias("records"),
            (pl.col("step") - 1).sum().alias("gaps"),
            pl.col("step").max().alias("longest_gap"),
        )
    )
    counted = (_count(rows.filter(pl.col("vintage") > 0), "revisions"), _count(aside.filter(pl.col("vintage") == 0), "quarantined"))
    for part in counted:
        each = each.join(part, on="id", how="full", coalesce=True)
    each = each.with_columns(pl.col("records", "revisions", "quarantined").fill_null(0))
    label = pl.col("id").replace_strict(names, return_dtype=pl.String).alias("series")
    each = _together(each) if kind.name in TOGETHER else each.with_columns(label)
    age = [_age(last, now) for last in each["last"]]
    rhythm = [name for name in ("gaps", "longest_gap") if not _has(kind, name)]
    each = each.with_columns(
        pl.lit(kind.name).alias("kind"), pl.Series("age", age, pl.Int64), *(pl.lit(None, pl.Int64).alias(name) for name in rhythm)
    )
    return each.sort("series").select(*SCHEMA).rows()


def _standing(root: Path, manifests: Sequence[Manifest], kind: Kind) -> pl.DataFrame:
    """Read what was not withdrawn; the first vintage of a key that stands counts as its vintage 0."""
    gone = withdrawn(root, manifests, kind)
    frame = scan(root, kind.name, files_of(manifests, kind.name))
    if gone.is_empty():
        return collect(root, frame.select("id", kind.date, "vintage"))
    rows = without(collect(root, frame.select(*kind.key, "vintage")), gone)
    return rows.with_columns(pl.col("vintage") - pl.col("vintage").min().over(kind.key)).select("id", kind.date, "vintage")


def _has(kind: Kind, name: str) -> bool:
    return kind.on_sessions or kind.name == "coins" or (kind.name == "macro" and name == "longest_gap")


def _steps(kind: Kind, keys: pl.DataFrame) -> pl.Series:
    """Count sessions (of coins: days) from the record before; null for the first of a series."""
    dates = keys[kind.date].to_numpy().astype("datetime64[D]")
    if not len(dates):
        return pl.Series("step", [], pl.Int64)
    if kind.name == "coins":
        place = dates.astype(np.int64)
    else:
        days = sessions_between(pd.Timestamp(dates.min()), pd.Timestamp(dates.max())).to_numpy().astype("datetime64[D]")
        place = np.searchsorted(days, dates, side="right")
    steps = np.diff(place, prepend=0)
    first = keys["id"].to_numpy() != np.roll(keys["id"].to_numpy(), 1)
    first[0] = True
    return pl.Series("step", steps, pl.Int64).set(pl.Series(first), None)


def _count(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return rows.group_by("id").agg(pl.len().cast(pl.Int64).alias(name))


def _together(each: pl.DataFrame) -> pl.DataFrame:
    total = pl.col("records", "gaps", "revisions", "quarantined").sum()
    label = pl.lit(f"{len(each)} securities").alias("series")
    return each.select(label, pl.col("first").min(), pl.col("last").max(), total, pl.col("longest_gap").max())


def _age(last: datetime.date | None, now: datetime.datetime) -> int | None:
    """Count the sessions after `last` that are over at `now`."""
    if last is None or last > now.date():
        return None if last is None else 0
    after = sessions_between(pd.Timestamp(last), pd.Timestamp(now.date()))
    over = (after + pd.Timedelta(days=1)).tz_localize("UTC") <= pd.Timestamp(now)
    return int(((after > pd.Timestamp(last)) & over).sum())
