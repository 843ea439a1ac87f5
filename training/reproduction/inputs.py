"""What a run was made from: its data series by series, its code package by package, and the versions it ran on."""

import hashlib
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.market import Market
from features.schemas import KEYS, SCHEMAS
from training.logged_model import ROOT, code_hash
from training.tracking import git_commit

INPUTS_FILE = "inputs.json"

CODE = ("features", "models", "sources", "serving", "training")
"""Packages whose code a run's numbers depend on."""

WHOLE = ("members", "filings")
"""Frames of thousands of securities: each counts as one series."""

DIGITS = 16
"""Hexadecimal digits of a hash that are kept: 64 bits, where a handful of values is compared."""

Inputs = dict[str, Any]


def gather_inputs(market: Market, market_file: str | None) -> Inputs:
    """Collect, as plain values for JSON.

    Parameters
    ----------
    market_file : that the market was loaded from; None where it came from elsewhere

    Returns
    -------
    dict with market (file, its text, note, fingerprint), data (rows, first, last and hash by series), code (hash by package, commit),
    python, machine and packages
    """
    return {
        "market": {
            "file": market_file,
            "text": Path(market_file).read_text(encoding="utf-8") if market_file else None,
            "note": market.note,
            "fingerprint": market.fingerprint(),
        },
        "data": {name: series for name, series in _series(market)},
        "code": {"commit": git_commit(ROOT), "model": code_hash(), **{package: _package_hash(package) for package in CODE}},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "packages": {str(each.metadata["Name"]).lower(): each.version for each in distributions()},
    }


def _series(market: Market) -> Iterator[tuple[str, dict[str, Any]]]:
    for frame in SCHEMAS:
        records = getattr(market, frame)
        if frame in WHOLE or not len(records):
            yield frame, _described(records, _date(records))
            continue
        for name, part in records.groupby(KEYS[frame][0], sort=True):
            yield f"{frame} {name}", _described(part, _date(part))
    close = market.panel.close
    told = {"rows": len(close), "columns": close.shape[1], **_span(close.index)}
    yield "panel", told | {"hash": _digest(np.ascontiguousarray(close.to_numpy()).tobytes(), "|".join(close.columns).encode())}
    if market.counted is not None:
        totals = (market.counted.everyone, market.counted.members)
        arrays = [np.ascontiguousarray(array).tobytes() for each in totals for array in (each.counts, each.sums, each.expected)]
        yield "panel, counted", {"rows": len(market.sessions), **_span(market.sessions), "hash": _digest(*arrays)}


def _date(records: pd.DataFrame) -> pd.Series:
    return records[next(name for name in ("date", "period_end", "start") if name in records)]


def _described(records: pd.DataFrame, dates: pd.Series) -> dict[str, Any]:
    bits = pd.util.hash_pandas_object(records, index=False).to_numpy().tobytes()
    return {"rows": len(records), **_span(dates), "hash": _digest(bits)}


def _span(dates: pd.Series | pd.Index) -> dict[str, str | None]:
    if not len(dates):
        return {"first": None, "last": None}
    return {"first": f"{dates.min():%Y-%m-%d}", "last": f"{dates.max():%Y-%m-%d}"}


def _package_hash(package: str) -> str:
    files = sorted((ROOT / package).rglob("*.py"))
    return _digest(*(part for path in files for part in (path.relative_to(ROOT).as_posix().encode(), b"\0", path.read_bytes())))


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:DIGITS]


def input_differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say in a line each what was another input; empty where all were the same.

    Parameters
    ----------
    then, now : of `gather_inputs`
    """
    lines = [f"data, {name}: {_grown(then['data'].get(name), now['data'].get(name))}" for name in _changed(then["data"], now["data"])]
    if not lines and then["market"]["fingerprint"] != now["market"]["fingerprint"]:
        lines.append("data: name, note or sessions of the market are others, the records are the same")
    lines += [f"code of {name}/: changed" for name in CODE if then["code"].get(name) != now["code"].get(name)]
    if lines and then["code"]["commit"] != now["code"]["commit"]:
        lines.append(f"commit: {then['code']['commit'][:12]} then, {now['code']['commit'][:12]} now")
    lines += [f"{name}: {then[name]} then, {now[name]} now" for name in ("python", "machine") if then[name] != now[name]]
    old, new = then["packages"], now["packages"]
    return lines + [f"package {name}: {old.get(name, 'absent')} then, {new.get(name, 'absent')} now" for name in _changed(old, new)]


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]


def _grown(then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str:
    if then is None or now is None:
        return "new" if then is None else "gone"
    said = [f"{each['rows']} rows to {each['last']}" for each in (then, now)]
    return f"{said[0]} then, {said[1]} now" if said[0] != said[1] else f"other values in its {said[0]}"
