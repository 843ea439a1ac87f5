"""The 'companyfacts' documents: everything one company has stated in XBRL, with the filing that stated it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from features.errors import DataError
from sources.sec.facts import RAW, WANTED, Filed, admit, no_facts

TAXONOMY = "us-gaap"
LARGEST_BYTES = 256 << 20
"""The largest documents have some 10 MB."""

BAD_SHARE = 0.01
"""More unreadable documents than this share of a folder are no accident."""

LARGEST_CIK = 9_999_999_999


def read_companyfacts(path: str | Path, accepted: pl.DataFrame | None = None, concepts: Sequence[str] = WANTED) -> Filed:
    """Read one company's document.

    Parameters
    ----------
    path : JSON file, as served under `api/xbrl/companyfacts/CIK##########.json`
    accepted : polars DataFrame with `accn` and `accepted` (naive New York time), from `read_acceptances`; the document itself has filing
        dates only, so that its facts count from the session after
    concepts : names in US GAAP

    Returns
    -------
    Filed; a company without facts in US GAAP gives none

    Raises
    ------
    DataError
        Where the file is no such document.
    """
    return admit(_with_acceptance(_raw(Path(path), concepts), accepted))


def read_companies(folder: str | Path, accepted: pl.DataFrame | None = None, concepts: Sequence[str] = WANTED) -> tuple[Filed, list[str]]:
    """Read every `CIK*.json` of a folder.

    Returns
    -------
    Filed of all companies, and one line for each document that could not be read

    Raises
    ------
    DataError
        Where there is no document, or more than 1% of them (and more than one) cannot be read.
    """
    paths = sorted(Path(folder).glob("CIK*.json"))
    if not paths:
        raise DataError(f"{folder}: no file CIK*.json; rule: the folder holds one 'companyfacts' document a company")
    frames, faults = [no_facts()], []
    for path in paths:
        try:
            frames.append(_raw(path, concepts))
        except DataError as error:
            faults.append(str(error))
    if len(faults) > max(1, BAD_SHARE * len(paths)):
        raise DataError(f"{folder}: {len(faults)} of {len(paths)} documents cannot be read; rule: at most 1%; the first: {faults[0]}")
    return admit(_with_acceptance(pl.concat(frames), accepted)), faults


def parse_companyfacts(document: Mapping[str, Any], name: str, concepts: Sequence[str] = WANTED) -> pl.DataFrame:
    """Turn a document into raw facts; a field that is not of its kind becomes a null, for `admit` to name.

    Parameters
    ----------
    document : the JSON object
    name : file, for error texts

    Returns
    -------
    polars DataFrame with the columns `sources.sec.facts.RAW`
    """
    cik = _company(document.get("cik"), name)
    taxonomies = _object(document.get("facts"), name, "facts")
    stated = _object(taxonomies.get(TAXONOMY, {}), name, f"facts.{TAXONOMY}")
    rows = [
        (concept, unit, *_fields(entry))
        for concept in concepts
        if concept in stated
        for unit, entries in _units(stated[concept], name, concept)
        for entry in entries
    ]
    names = ("concept", "unit", "start", "end", "value", "accn", "form", "filed")
    text = {column: pl.Float64 if column == "value" else pl.String for column in names}
    dates = [pl.col(column).str.to_date("%Y-%m-%d", strict=False) for column in ("start", "end", "filed")]
    frame = pl.DataFrame(rows, schema=text, orient="row").with_columns(dates)
    return frame.with_columns(pl.lit(cik).alias("cik"), pl.lit(None, pl.Datetime("us")).alias("accepted")).select(
        pl.col(column).cast(kind) for column, kind in RAW.items()
    )


def _raw(path: Path, concepts: Sequence[str]) -> pl.DataFrame:
    return parse_companyfacts(_document(path), path.name, concepts)


def _with_acceptance(raw: pl.DataFrame, accepted: pl.DataFrame | None) -> pl.DataFrame:
    if accepted is None:
        return raw
    return raw.drop("accepted").join(accepted.select("accn", "accepted").unique("accn"), on="accn", how="left")


def _document(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise DataError(f"{path.name}: {path.stat().st_size:,} bytes; rule: a document of one company has at most {LARGEST_BYTES:,}")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.name}: the file cannot be read: {error.strerror or error}") from None
    if content[:512].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise DataError(f"{path.name}: this is a web page, not JSON; download it again, with a User-Agent that names you")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:  # wrong encodings and numbers of thousands of digits among them
        raise DataError(f"{path.name}: this is no JSON: {error}; most likely the download was cut short: repeat it") from None
    return _object(found, path.name, "document")


def _object(found: object, name: str, place: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise DataError(f"{name}: '{place}' is {type(found).__name__}; rule: it is an object, as in a 'companyfacts' document")
    return found


def _company(found: object, name: str) -> int:
    number = found if type(found) is int else int(found) if isinstance(found, str) and found.isascii() and found.isdigit() else 0
    if not 0 < number <= LARGEST_CIK:
        raise DataError(f"{name}: 'cik' is {str(found)[:40]!r}; rule: it is the company's number, 1 to 10 digits")
    return number


def _units(found: object, name: str, concept: str) -> Iterator[tuple[str, Iterable[object]]]:
    units = _object(_object(found, name, concept).get("units"), name, f"{concept}.units")
    for unit, entries in units.items():
        if not isinstance(entries, list):
            raise DataError(f"{name}: '{concept}.units.{unit}' is {type(entries).__name__}; rule: it is a list of facts")
        yield unit, entries


def _fields(entry: object) -> tuple[str | None, str | None, float | None, str | None, str | None, str | None]:
    fields = entry if isinstance(entry, dict) else {}
    start, end, accn, form, filed = (_text(fields.get(key)) for key in ("start", "end", "accn", "form", "filed"))
    return start, end, _number(fields.get("val")), accn, form, filed


def _text(found: object) -> str | None:
    return found if isinstance(found, str) else None


def _number(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    try:
        return float(found)
    except OverflowError:
        return None
