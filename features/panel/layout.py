"""A panel on disk: closes in long form, in files by security, written once and read one file at a time."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from features.errors import DataError
from features.panel.rows import Ints, Rows

VERSION = 1
SCHEMA = pl.Schema({"id": pl.Int32(), "date": pl.Date(), "close": pl.Float64(), "member": pl.Boolean()})
"""Prices are float64: as float32 they moved the count above the 50-day average on hundreds of days."""

MANIFEST = "panel.json"


@dataclass(frozen=True)
class PanelLayout:
    """Where a panel lies.

    Attributes
    ----------
    folder : Path
    n_buckets : files; security `id` is in file `id % n_buckets`
    """

    folder: Path
    n_buckets: int

    def path(self, bucket: int) -> Path:
        """File of one bucket."""
        return self.folder / f"bucket-{bucket:04d}.parquet"


def write_panel(rows: pl.DataFrame, folder: Path, n_buckets: int) -> PanelLayout:
    """Write rows that fit in memory, in any order; see `write_buckets`."""
    part = pl.col("id").mod(n_buckets)
    return write_buckets((rows.filter(part == bucket).sort("id", "date") for bucket in range(n_buckets)), folder, n_buckets)


def write_buckets(buckets: Iterable[pl.DataFrame], folder: Path, n_buckets: int) -> PanelLayout:
    """Write a panel bucket by bucket: the folder appears when all of it is there.

    Parameters
    ----------
    buckets : for each bucket in turn its rows by `SCHEMA`, sorted by (id, date); a close that is not there is null or NaN
    folder : Path that does not exist yet
    n_buckets : how many buckets there are

    Returns
    -------
    PanelLayout

    Raises
    ------
    DataError
        Where rows break a rule of the layout, their number is another, or the folder exists.
    """
    if folder.exists():
        raise DataError(f"{folder}: exists; rule: a panel is written once. Give a new folder, or remove this one first")
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    beside.mkdir(parents=True)
    try:
        layout = PanelLayout(beside, n_buckets)
        written = 0
        for bucket, frame in enumerate(buckets):
            checked(frame, bucket, n_buckets, str(layout.path(bucket).name)).write_parquet(layout.path(bucket), compression="zstd")
            written += 1
        if written != n_buckets:
            raise DataError(f"{folder}: {written} buckets were given; rule: n_buckets, {n_buckets}")
        (beside / MANIFEST).write_text(json.dumps({"version": VERSION, "n_buckets": n_buckets}), encoding="utf-8")
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return PanelLayout(folder, n_buckets)


def open_panel(folder: Path) -> PanelLayout:
    """Find a panel that `write_buckets` wrote.

    Raises
    ------
    DataError
        If there is none, or one of another version.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise DataError(f"{folder}: no {MANIFEST}; rule: a folder that write_panel made")
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))
        version, n_buckets = int(said["version"]), int(said["n_buckets"])
    except (ValueError, KeyError, TypeError) as fault:
        raise DataError(f"{manifest}: {fault}; rule: JSON with version and n_buckets. Write the panel again") from fault
    if version != VERSION:
        raise DataError(f"{manifest}: version is {version}; rule: {VERSION}. Write the panel again")
    return PanelLayout(folder, n_buckets)


def read_bucket(layout: PanelLayout, bucket: int, sessions: pd.DatetimeIndex) -> Rows:
    """Read one file of a panel and check it.

    Parameters
    ----------
    layout : PanelLayout
    bucket : its number
    sessions : dates on which the exchange trades

    Returns
    -------
    Rows

    Raises
    ------
    DataError
        Where rows break a rule of the layout, or a date is no session.
    """
    path = layout.path(bucket)
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as fault:
        raise DataError(f"{path}: {str(fault).splitlines()[0]}; rule: a Parquet file of the panel. Write the panel again") from fault
    frame = checked(frame, bucket, layout.n_buckets, str(path))
    slots = session_slots(frame["date"].to_physical().to_numpy(), sessions, str(path))
    return Rows(frame["id"].to_numpy(), slots, frame["close"].to_numpy(), frame["member"].to_numpy())


def session_slots(days: Ints, sessions: pd.DatetimeIndex, where: str) -> Ints:
    """Find dates, as days from 1970-01-01, in the list of sessions."""
    listed = session_days(sessions)
    if not len(days):
        return np.empty(0, dtype=np.int32)
    low, high = int(min(listed[0], days.min())), int(max(listed[-1], days.max()))
    table = np.full(high - low + 1, -1, dtype=np.int32)
    table[listed - low] = np.arange(len(listed), dtype=np.int32)
    slots: Ints = table[days - np.int32(low)]
    if slots.min() < 0:
        row = int(np.argmin(slots))
        raise DataError(
            f"{where}: row {row}, column 'date': {np.datetime64(int(days[row]), 'D')} is no session; rule: dates are sessions from "
            f"{sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}. Leave the row out, or give the sessions of its exchange"
        )
    return slots


def session_days(sessions: pd.DatetimeIndex) -> Ints:
    """Give sessions as days from 1970-01-01."""
    return sessions.to_numpy("datetime64[D]").astype(np.int64).astype(np.int32)


def checked(frame: pl.DataFrame, bucket: int, n_buckets: int, where: str) -> pl.DataFrame:
    """See that rows keep the rules of the layout; a null close becomes NaN."""
    if frame.schema != SCHEMA:
        raise DataError(f"{where}: columns are {dict(frame.schema)}; rule: {dict(SCHEMA)}")
    for name in ("id", "date", "member"):
        if frame[name].null_count():
            raise DataError(f"{where}: row {frame[name].is_null().arg_max()}, column '{name}': missing; rule: only a close may be missing")
    frame = frame.with_columns(pl.col("close").fill_null(float("nan")))
    ids, days, close = frame["id"].to_numpy(), frame["date"].to_physical().to_numpy(), frame["close"].to_numpy()
    later = ids[1:] > ids[:-1]
    heads = np.flatnonzero(np.append(len(ids) > 0, later))
    _stop_at(ids[heads] % n_buckets != bucket, "id", ids, f"id % {n_buckets} is {bucket}", where, heads)
    # a NaN is neither above nor below anything
    _stop_at((close <= 0) | (close == np.inf), "close", close, "is positive and finite, or NaN where not priced", where)
    later |= (ids[1:] == ids[:-1]) & (days[1:] > days[:-1])
    _stop_at(np.append(False, ~later), "id", ids, "rows ascend by id, then date, each pair once", where)
    return frame


def _stop_at(
    wrong: NDArray[np.bool_], column: str, values: NDArray[Any], rule: str, where: str, rows: NDArray[np.int64] | None = None
) -> None:
    if wrong.any():
        row = int(np.argmax(wrong)) if rows is None else int(rows[np.argmax(wrong)])
        raise DataError(f"{where}: row {row}, column '{column}': {values[row]} breaks the rule '{rule}'")
