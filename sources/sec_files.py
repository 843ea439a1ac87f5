"""Filings of a market from what the SEC serves: documents of companies, or quarterly data sets."""

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import polars as pl

from features.errors import DataError
from features.quarantine import BAD_SHARE
from sources.company_archive import LARGEST_BYTES, documents
from sources.downloads import CompanyFacts, Names, Statements, shown
from sources.places import files_below
from sources.sec import Filed, filings_frame, read_acceptances, read_companies, read_companyfacts, read_statements
from sources.sec.companyfacts import parse_companyfacts
from sources.sec.facts import admit, no_facts
from sources.spec import Span
from sources.table import Folder
from sources.tickers import read_tickers


def read_sec_filings(folder: Folder, file: CompanyFacts | Statements, span: Span) -> pd.DataFrame:
    """Read reports, as they were known by the rules of the SEC's formats (`sources.sec.known`).

    Returns
    -------
    DataFrame of the schema `filings`, of every company; what was set aside is in the folder's quarantine

    Raises
    ------
    DataError
        For a fault in a file, and where no company states net income or revenue.
    """
    filed = _companies(folder, file) if isinstance(file, CompanyFacts) else _quarters(folder, file)
    facts = filed.facts.filter(_filed_within(file.start, file.end), _filed_within(None, span.end))
    frame = filings_frame(facts)
    if frame.empty:
        raise DataError(f"{shown(file)}: no 10-K or 10-Q by {span.end} states a net income or a revenue in USD; rule: one at least")
    if len(filed.aside):
        folder.quarantine.append(filed.quarantine())
    return _named(folder, file.tickers, frame) if file.tickers else frame


def _filed_within(first: datetime.date | None, last: datetime.date | None) -> pl.Expr:
    return pl.col("filed").is_between(first or datetime.date.min, last or datetime.date.max)


def _companies(folder: Folder, file: CompanyFacts) -> Filed:
    accepted = None
    if file.acceptances:
        parts = [read_acceptances(path) for path in _data_sets(folder, file.acceptances).values()]
        accepted = pl.concat(parts).drop_nulls().unique("accn", keep="first", maintain_order=True)
    names = file.companyfacts
    if isinstance(names, str) and not set("*?[") & set(names):
        full = folder.below(names)
        if full.is_dir():
            return _from_folder(folder, names, full, accepted)
        if names.endswith(".zip"):
            return _from_archive(folder, names, folder.file(names), accepted)
    paths = files_below(folder, names)
    for name, path in paths.items():
        _refuse_large(name, path)
    return merged([read_companyfacts(path, accepted) for path in paths.values()])


def _from_folder(folder: Folder, name: str, full: Path, accepted: pl.DataFrame | None) -> Filed:
    for each in full.glob("CIK*.json"):
        own = f"{name}/{each.name}"
        _refuse_large(own, folder.file(own))  # a link may lead out
    filed, faults = read_companies(full, accepted)
    _set_aside(folder, faults)
    return filed


def _from_archive(folder: Folder, name: str, path: Path, accepted: pl.DataFrame | None) -> Filed:
    frames, faults, count = [no_facts()], [], 0
    for member, document in documents(path, name):
        count += 1
        try:
            if isinstance(document, DataError):
                raise document
            frames.append(parse_companyfacts(document, f"{name}: '{member}'"))
        except DataError as error:
            faults.append(str(error))
    if len(faults) > max(1, BAD_SHARE * count):
        raise DataError(f"{name}: {len(faults)} of {count} documents cannot be read; rule: at most 1%; the first: {faults[0]}")
    _set_aside(folder, faults)
    raw = pl.concat(frames)
    if accepted is not None:
        raw = raw.drop("accepted").join(accepted, on="accn", how="left")
    return admit(raw)


def _quarters(folder: Folder, file: Statements) -> Filed:
    return merged([read_statements(path) for path in _data_sets(folder, file.statements).values()])


def _data_sets(folder: Folder, names: Names) -> dict[str, Path]:
    """Find quarterly data sets, zips or the folders they were unpacked to."""
    single = [names] if isinstance(names, str) else list(names)
    unpacked = {name: folder.below(name) for name in single if not set("*?[") & set(name) and folder.below(name).is_dir()}
    return unpacked | files_below(folder, [name for name in single if name not in unpacked])


def merged(filed: Sequence[Filed]) -> Filed:
    """Put facts of several files together; a filing that is in two of them counts once."""
    facts = pl.concat([each.facts for each in filed]).unique(maintain_order=True)
    return Filed(facts, pl.concat([each.aside for each in filed]))


def _named(folder: Folder, path: str, frame: pd.DataFrame) -> pd.DataFrame:
    tickers = read_tickers(folder.file(path), path)
    filers = frame["security"].drop_duplicates()
    named = filers.isin(tickers.names.keys()).sum()
    folder.notes.append(f"{named} of {len(filers)} filers under the ticker they have in '{path}', the others under their CIK")
    if tickers.shared:
        aside = {"frame": "filings", "series": list(tickers.shared), "date": pd.NaT, "rule": "ticker of several companies: named by CIK"}
        folder.quarantine.append(pd.DataFrame(aside).astype({"date": "datetime64[us]"}))
    return frame.assign(security=frame["security"].map(tickers.names).fillna(frame["security"]).astype(str))


def _set_aside(folder: Folder, faults: Iterable[str]) -> None:
    rows = [{"frame": "filings", "series": line.split(":")[0], "date": pd.NaT, "rule": "document cannot be read"} for line in faults]
    if rows:
        folder.quarantine.append(pd.DataFrame(rows).astype({"date": "datetime64[us]"}))


def _refuse_large(name: str, path: Path) -> None:
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise DataError(f"{name}: has {size} bytes; rule: a document of one company has at most {LARGEST_BYTES}")
