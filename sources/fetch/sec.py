"""Filings from the SEC's 'companyfacts'."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import polars as pl

from features.errors import DataError
from features.quarantine import QUARANTINE
from sources.download import download
from sources.errors import WebError
from sources.fetch.delivery import Delivery, Tools
from sources.fetch.plan import SecPlan
from sources.sec import Filed, filings_frame, read_companyfacts

TOGETHER = 200
"""Companies a batch: what was fetched before a break is kept."""

LARGEST_CIK = 9_999_999_999
HOUR = 3600.0
NOT_FOUND = 404


@dataclass(frozen=True)
class Sec:
    """Company by company into files beside the store; a run that was cut short goes on with those that are missing."""

    plan: SecPlan

    NEEDS = "user_agent (the SEC refuses others)"
    GIVES = "filings"
    KNOWN = "the session after the filing date: the documents have no time of acceptance"

    def deliver(self, tools: Tools) -> Iterator[Delivery]:
        """Fetch and read, some companies at a time."""
        companies = _companies(self.plan.companies, tools.beside)
        for begin in range(0, len(companies), TOGETHER):
            found = []
            for number, cik in enumerate(companies[begin : begin + TOGETHER], begin):
                tools.progress(f"SEC {cik}", number, len(companies))
                path = self._document(cik, tools)
                if path is not None:
                    found.append(read_companyfacts(path))
            if found:
                yield _delivery(found)

    def _document(self, cik: int, tools: Tools) -> Path | None:
        """Fetch one document unless it was fetched of late; None where the company has none."""
        path = tools.downloads / "companyfacts" / f"CIK{cik:010d}.json"
        if path.is_file() and time.time() - path.stat().st_mtime < self.plan.fresh_hours * HOUR:
            return path
        try:
            return download(tools.client, f"{self.plan.address}/api/xbrl/companyfacts/{path.name}", path, "json")
        except WebError as error:
            if error.status == NOT_FOUND:
                return None
            raise


def _delivery(found: list[Filed]) -> Delivery:
    frame = filings_frame(pl.concat([each.facts for each in found]))
    aside = pd.concat([each.quarantine() for each in found], ignore_index=True)[list(QUARANTINE)]
    return Delivery("SEC companyfacts", {"filings": frame} if len(frame) else {}, aside=aside)


def _companies(given: tuple[int, ...] | str, beside: Path) -> list[int]:
    """Give the numbers, each once, in order."""
    if not isinstance(given, str):
        return sorted(set(given))
    path = beside / given
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{given}: the list of companies cannot be read: {error}; rule: one number (CIK) a line") from None
    numbers = [line for line in lines if line and not line.startswith("#")]
    wrong = [each for each in numbers if not each.isdecimal() or not 0 < int(each) <= LARGEST_CIK]
    if wrong or not numbers:
        raise DataError(
            f"{given}: {wrong[0]!r} is no number of a company; rule: one number (CIK) a line" if wrong else f"{given}: is empty"
        )
    return sorted({int(each) for each in numbers})
