"""Sections of a market file that name what a source serves, as it was downloaded."""

import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sources.fred import REVISED, SERIES
from sources.strict import Clipped, Rule, Strict

Names = str | tuple[str, ...]
"""One path below the root or several; `*` and `?` stand for what is there."""


class FundBook(Clipped):
    """Workbook of one fund as its issuer serves it: .xls, .xlsx or XML.

    Attributes
    ----------
    workbook : path below the root
    known_at : rule; none earlier than next_session_morning, when issuers show the figures
    splits : new shares per old share by ex-date
    """

    workbook: str
    known_at: Rule
    splits: dict[datetime.date, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)


class MemberBooks(Strict):
    """Workbooks of one fund, each with its holdings on a day: membership of its index by dated lists.

    Attributes
    ----------
    workbooks : paths below the root, or a pattern of them
    fund : its ticker, which the workbooks do not say
    """

    workbooks: Names
    fund: str
    known_at: Literal["next_morning"]


class CompanyFacts(Clipped):
    """Documents of the SEC's 'companyfacts', one a company; `start` and `end` are filing dates.

    They are known by the time of acceptance where `acceptances` has it, and else the session after the filing date.

    Attributes
    ----------
    companyfacts : a folder of CIK*.json, the bulk archive of them (.zip), or files
    acceptances : quarterly data sets, read for the times of acceptance alone
    tickers : the SEC's company_tickers.json; without it companies are named by their CIK
    """

    companyfacts: Names
    acceptances: Names = ()
    tickers: str | None = None


class Statements(Clipped):
    """Quarterly 'financial statement data sets' of the SEC, zips or folders; otherwise as `CompanyFacts`."""

    statements: Names
    tickers: str | None = None


class FredFile(Clipped):
    """A `fredgraph.csv` of one series as downloaded.

    Attributes
    ----------
    fred : path below the root
    id : of the series at FRED, the name of its column
    known_at : rule; by default, and at the earliest, that of `sources.fred.SERIES`
    """

    fred: str
    id: str
    known_at: Rule | None = None

    @model_validator(mode="after")
    def _has_a_rule(self) -> Self:
        if self.known_at is None and self.id not in SERIES and self.id not in REVISED:
            raise ValueError(f"no rule for known-at of '{self.id}'; add 'known_at:', which only {', '.join(SERIES)} do not need")
        return self


def shown(section: Strict) -> str:
    """Name the files of a section, tidy or downloaded, as its market file does."""
    keys = ("path", "workbook", "workbooks", "companyfacts", "statements", "fred")
    names = next(getattr(section, key) for key in keys if hasattr(section, key))
    return names if isinstance(names, str) else ", ".join(names)
