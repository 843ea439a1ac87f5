"""Filings in the formats of the Securities and Exchange Commission, from the file to the trailing twelve months (METHODS 1.4)."""

from sources.sec.companyfacts import read_companies, read_companyfacts
from sources.sec.facts import Filed
from sources.sec.filings import filings_frame
from sources.sec.measure import trailing_measure
from sources.sec.statements import read_acceptances, read_statements

__all__ = [
    "Filed",
    "filings_frame",
    "read_acceptances",
    "read_companies",
    "read_companyfacts",
    "read_statements",
    "trailing_measure",
]
