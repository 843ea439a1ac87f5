"""Filers written by hand, as facts and as the files of the true formats."""

import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from sources.sec.facts import FACTS

NET = "NetIncomeLoss"

SUB_HEADER = (
    "adsh cik name sic countryba stprba cityba zipba bas1 bas2 baph countryma stprma cityma zipma mas1 mas2 countryinc stprinc ein former "
    "changed afs wksi fye form period fy fp filed accepted prevrpt detail instance nciks aciks"
)
SUB = SUB_HEADER.split()
NUM_OLD = ["adsh", "tag", "version", "coreg", "ddate", "qtrs", "uom", "value", "footnote"]
NUM_NEW = ["adsh", "tag", "version", "ddate", "qtrs", "uom", "segments", "coreg", "value", "footnote"]

Stated = tuple[str, str, float]
"""First and last day of a period, and its value."""


def filing(filed: str, form: str, *stated: Stated, cik: int = 1, concept: str = NET, accn: str | None = None) -> list[dict[str, Any]]:
    """Facts of one filing, known at noon (UTC) of the day after."""
    day = date.fromisoformat(filed)
    known = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(days=1)
    return [
        {
            "cik": cik,
            "concept": concept,
            "start": date.fromisoformat(start),
            "end": date.fromisoformat(end),
            "value": float(value),
            "accn": accn or f"{cik:010d}-{filed}-{form}",
            "form": form,
            "filed": day,
            "known_at": known,
        }
        for start, end, value in stated
    ]


def facts(*filings: Iterable[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([row for each in filings for row in each], schema=FACTS)


def instant(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=23, tzinfo=UTC)


def known_on(years: pl.DataFrame, day: str) -> tuple[str, float] | None:
    """End and value of what holds on a day, of a step function of one company."""
    held = years.filter(pl.col("known_at") <= instant(day)).sort("known_at")
    return (str(held["end"][-1]), held["value"][-1]) if len(held) else None


def entry(start: str | None, end: object, val: object, filed: str = "2016-05-02", **more: object) -> dict[str, object]:
    """One entry of a 'companyfacts' list."""
    known = {"end": end, "val": val, "accn": f"0000000001-{filed}", "fy": 2016, "fp": "Q1", "form": "10-Q", "filed": filed, "frame": "CY"}
    return ({"start": start} if start is not None else {}) | known | more


def document(cik: object = 320193, **concepts: object) -> dict[str, object]:
    """A 'companyfacts' document; a list stands for facts in USD."""
    stated = {
        name: {"label": name, "description": "", "units": {"USD": found} if isinstance(found, list) else found}
        for name, found in concepts.items()
    }
    dei = {"EntityCommonStockSharesOutstanding": {"label": "", "description": "", "units": {"shares": [entry(None, "2016-04-20", 5)]}}}
    return {"cik": cik, "entityName": "Émile & Söhne", "facts": {"dei": dei, "us-gaap": stated}}


def write_document(path: Path, found: object) -> Path:
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


def sub_row(adsh: str, **values: object) -> dict[str, object]:
    usual = {"cik": 320193, "name": 'AN "ODD" NAME', "fye": "1231", "form": "10-Q", "filed": "20160502", "prevrpt": 0}
    return usual | {"adsh": adsh, "accepted": "2016-05-02 16:05:00.0"} | values


def num_row(adsh: str, tag: str, ddate: object, qtrs: object, value: object, **values: object) -> dict[str, object]:
    usual = {"version": "us-gaap/2015", "uom": "USD", "footnote": ""}
    return usual | {"adsh": adsh, "tag": tag, "ddate": ddate, "qtrs": qtrs, "value": value} | values


def table(rows: Iterable[dict[str, object]], columns: Sequence[str]) -> str:
    lines = ["\t".join(str(row.get(column, "")) for column in columns) for row in rows]
    return "".join(f"{line}\n" for line in ["\t".join(columns), *lines])


def write_zip(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def quarter(
    path: Path, sub: Iterable[dict[str, object]], num: Iterable[dict[str, object]], columns: Sequence[str] = tuple(NUM_NEW)
) -> Path:
    """A quarter's data set as a zip, with the tables that are not read."""
    return write_zip(
        path, {"sub.txt": table(sub, SUB), "num.txt": table(num, columns), "tag.txt": "tag\n", "pre.txt": "adsh\n", "readme.htm": "<html>"}
    )
