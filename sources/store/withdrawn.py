"""Vintages that were taken back: which, and since when."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from sources.store.kinds import Kind
from sources.store.manifest import Manifest, files_of
from sources.store.tables import collect, empty, scan


def withdrawn(root: Path, manifests: Sequence[Manifest], kind: Kind, recorded: datetime.datetime | None = None) -> pl.DataFrame:
    """Read keys and vintages that were withdrawn by `recorded`; None for all that were."""
    table = f"withdrawn/{kind.name}"
    files = files_of(manifests, table)
    if not files:
        return empty(table).select(*kind.key, "vintage")
    rows = collect(root, scan(root, table, files))
    if recorded is not None:
        rows = rows.filter(pl.col("recorded_at") <= recorded)
    return rows.select(*kind.key, "vintage")


def without(rows: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
    """Leave out the records whose key and vintage are among those that were withdrawn."""
    return rows if gone.is_empty() else rows.join(gone, on=gone.columns, how="anti")


def marked(rows: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
    """Say in the column `withdrawn` which records those are."""
    if gone.is_empty():
        return rows.with_columns(pl.lit(value=False).alias("withdrawn"))
    marks = gone.with_columns(pl.lit(value=True).alias("withdrawn"))
    return rows.join(marks, on=gone.columns, how="left", maintain_order="left").with_columns(pl.col("withdrawn").fill_null(value=False))
