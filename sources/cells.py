"""How issuers write dates and numbers."""

import re

import pandas as pd

from sources.table import Table

DATE_FORMATS = ("%b %d, %Y", "%d-%b-%Y", "%d/%b/%Y", "%Y-%m-%d")
"""As issuers write dates, real dates of a spreadsheet last."""

NO_DATE = ("", "-", "--")
THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")


def dates(table: Table, column: str) -> pd.Series:
    """Give a column of dates in any of `DATE_FORMATS`; marks of missing values are NaT."""
    text = table.column(column)
    days = parsed_dates(text)
    table.fail(column, days.isna() & ~text.isin(NO_DATE), "is a date such as Feb 04, 2025")
    return days


def numbers(table: Table, column: str, *, positive: bool = True, zero: bool = False) -> pd.Series:
    """Give a column of numbers, with or without separators of thousands."""
    bare = table.column(column).map(plain)
    return Table(table.name, table.rows.assign(**{column: bare})).numbers(column, positive=positive, zero=zero)


def parsed_dates(text: pd.Series) -> pd.Series:
    """Give dates, `datetime64[us]`, NaT where the text is none."""
    days = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")
    for each in DATE_FORMATS:
        days = days.fillna(pd.to_datetime(text, format=each, errors="coerce", exact=True).dt.as_unit("us"))
    return days


def plain(text: str) -> str:
    """Take the separators of thousands out of a number, and leave any other text as it is."""
    return text.replace(",", "") if THOUSANDS.fullmatch(text) else text
