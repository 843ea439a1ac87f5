"""What a fund workbook says of its fund above the holdings."""

from dataclasses import dataclass

import pandas as pd

from features.errors import DataError
from sources.calendar import FIRST_YEAR, LAST_YEAR
from sources.cells import parsed_dates, plain
from sources.workbook import Workbook

LABELS = ("Ticker", "Name")
"""Where the table begins, and the cover ends."""


@dataclass(frozen=True)
class Cover:
    """What the holdings sheet says of the fund above its table.

    Attributes
    ----------
    name : of the fund, in the issuer's words
    inception : first day of the fund; the beginning of 1990 where it is not said
    as_of : day of the holdings
    n_securities : without cash and derivatives; NaN where it is not said
    """

    name: str
    inception: pd.Timestamp
    as_of: pd.Timestamp
    n_securities: float


def read_cover(workbook: Workbook) -> Cover:
    """Read the lines above the holdings.

    Raises
    ------
    DataError
        Where the day of the holdings is not said: without it nobody knows when they were known.
    """
    labels: dict[str, str] = {}
    alone: list[str] = []
    for row in workbook.rows("Holdings"):
        cells = [str(cell).strip() for cell in row if str(cell).strip()]
        if set(LABELS) <= set(cells):
            break
        if len(cells) > 1:
            labels[cells[0].lower()] = cells[1]
        alone += cells if len(cells) == 1 else []
    place = f"{workbook.name}, sheet 'Holdings'"
    if "fund holdings as of" not in labels:
        raise DataError(f"{place}: no line 'Fund Holdings as of' above the table; rule: holdings have a date; download the workbook again")
    names = [words for words in alone if parsed_dates(pd.Series([words])).isna().all()]
    as_of = _day(labels["fund holdings as of"], "Fund Holdings as of", place)
    inception = _day(labels.get("inception date", f"{FIRST_YEAR}-01-01"), "Inception Date", place)
    count = plain(labels.get("number of securities (excluding cash and derivatives)", ""))
    number = pd.to_numeric(pd.Series([count]), errors="coerce").iloc[0]
    return Cover(names[0] if names else "", inception, as_of, float(number))


def _day(text: str, label: str, place: str) -> pd.Timestamp:
    day: pd.Timestamp = parsed_dates(pd.Series([text])).iloc[0]
    if pd.isna(day) or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise DataError(f"{place}: '{label}' is '{text}'; rule: a date such as Feb 04, 2025, from {FIRST_YEAR} to {LAST_YEAR}")
    return day
