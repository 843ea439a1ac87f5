"""A run's numbers against those of its repetition: identical, equal within rounding, or where they part."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from training.errors import JobError

TOLERANCE = 1e-10
"""Relative difference that another number of threads, or another build of the linear algebra, may make (METHODS A22)."""

IDENTICAL, EQUAL, DIFFERS = "identical", "equal", "differs"


LOCKBOX = "lockbox.parquet"


@dataclass(frozen=True)
class Match:
    """One table or set of numbers, then and now.

    Attributes
    ----------
    name : what was compared
    verdict : `IDENTICAL` to the bit, `EQUAL` within `TOLERANCE`, or `DIFFERS`
    detail : how much was compared, and where the largest difference is
    """

    name: str
    verdict: str
    detail: str


def match_folders(then: Path, now: Path) -> list[Match]:
    """Compare every file of two evaluations of one run."""
    names = sorted({path.name for folder in (then, now) for path in folder.iterdir()})
    return [_match_file(then / name, now / name) for name in names]


def _match_file(then: Path, now: Path) -> Match:
    found = _compared(then, now)
    if then.name != LOCKBOX or found.verdict == IDENTICAL:
        return found
    return Match(found.name, found.verdict, "where is not said: its outcomes stay locked away")


def _compared(then: Path, now: Path) -> Match:
    for path, when in ((then, "was not logged"), (now, "is not made any more")):
        if not path.exists():
            return Match(then.name, DIFFERS, when)
    if then.suffix == ".json":
        return match_values(then.name, _flat(json.loads(then.read_text("utf-8"))), _flat(json.loads(now.read_text("utf-8"))))
    return match_tables(then.name, _read(then), _read(now))


def _read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix != ".csv":
        raise JobError(f"reproduce: '{path.name}' is a file of a kind that is not compared; rule: .parquet, .csv or .json")
    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:  # a table without a row has no column either
        return pd.DataFrame()


def match_tables(name: str, then: pd.DataFrame, now: pd.DataFrame) -> Match:
    """Compare two tables row by row.

    A column of numbers may differ by `TOLERANCE` of its own value; any other must be the same.
    """
    if list(then) != list(now):
        apart = sorted({*then} ^ {*now}) or ["their order"]
        return Match(name, DIFFERS, f"columns: {', '.join(map(str, apart))}")
    if len(then) != len(now):
        return Match(name, DIFFERS, f"{len(then)} rows then, {len(now)} now")
    gaps = {column: _gap(then[column], now[column]) for column in then}
    worst = max(gaps, key=lambda column: float(gaps[column].max(initial=0.0)), default=None)
    largest = float(gaps[worst].max(initial=0.0)) if worst is not None else 0.0
    size = f"{len(then)} rows, {then.shape[1]} columns"
    if worst is None or largest == 0.0:
        return Match(name, IDENTICAL, size)
    row = int(gaps[worst].argmax())
    place = f"'{worst}' in row {row} ({_key(then.iloc[row])}): {then[worst].iloc[row]} then, {now[worst].iloc[row]} now"
    return Match(name, EQUAL if largest <= TOLERANCE else DIFFERS, f"{size}; largest difference: {place}")


def _gap(then: pd.Series, now: pd.Series) -> np.ndarray:
    """Relative difference of each value; infinite where what is no number differs."""
    if not (pd.api.types.is_float_dtype(then) and pd.api.types.is_float_dtype(now)):
        same = (then.astype("str") == now.astype("str")) | (then.isna() & now.isna())
        return np.where(same.to_numpy(), 0.0, np.inf)
    a, b = then.to_numpy(dtype=np.float64), now.to_numpy(dtype=np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        relative = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
    return np.where(same, 0.0, np.where(np.isfinite(relative), relative, np.inf))


def _key(row: pd.Series) -> str:
    names = [name for name in ("session", "asset", "horizon", "rung", "date", "series", "event") if name in row]
    return ", ".join(f"{row[name]:%Y-%m-%d}" if isinstance(row[name], pd.Timestamp) else str(row[name]) for name in names)


def match_values(name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Match:
    """Compare values by name, numbers as in `match_tables`."""
    apart = sorted({*then} ^ {*now})
    if apart:
        return Match(name, DIFFERS, f"'{apart[0]}' is {'no more' if apart[0] in then else 'new'}")
    gaps = {key: _value_gap(then[key], now[key]) for key in then}
    worst = max(gaps, key=gaps.__getitem__, default=None)
    size = f"{len(gaps)} values"
    if worst is None or gaps[worst] == 0.0:
        return Match(name, IDENTICAL, size)
    detail = f"{size}; largest difference: '{worst}': {then[worst]} then, {now[worst]} now"
    return Match(name, EQUAL if gaps[worst] <= TOLERANCE else DIFFERS, detail)


def _value_gap(then: Any, now: Any) -> float:
    if then == now:
        return 0.0
    if not (isinstance(then, float) and isinstance(now, float)):
        return float("inf")
    return abs(then - now) / max(abs(then), abs(now))


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Give each value of nested JSON a dotted name."""
    if isinstance(tree, dict):
        pairs = [(f"{prefix}{key}", value) for key, value in tree.items()]
    elif isinstance(tree, list):
        pairs = [(f"{prefix}{number}", value) for number, value in enumerate(tree)]
    else:
        return {prefix.removesuffix("."): tree}
    out: dict[str, Any] = {}
    for key, value in pairs:
        out |= _flat(value, f"{key}.")
    return out
