"""Which records of a file count by their date."""

import pandas as pd

from features.quarantine import BAD_SHARE
from sources.strict import FIRST_DAY, LAST_DAY, Clipped
from sources.table import Folder, Table

POSSIBLE = f"is a date from {FIRST_DAY} to {LAST_DAY}"


def possible(date: pd.Series) -> pd.Series:
    """Say which dates a market can have: a year 1900 or 2100 is a misprint."""
    return date.between(pd.Timestamp(FIRST_DAY), pd.Timestamp(LAST_DAY))


def clip(date: pd.Series, *spans: Clipped) -> pd.Series:
    """Say which dates lie within all spans."""
    keep = pd.Series(True, index=date.index)
    for span in spans:
        if span.start is not None:
            keep &= date >= pd.Timestamp(span.start)
        if span.end is not None:
            keep &= date <= pd.Timestamp(span.end)
    return keep


def without_absurd(folder: Folder, frame: str, series: str, table: Table, column: str, date: pd.Series) -> Table:
    """Quarantine rows whose date no market can have and give the others; `date` has the lines of the table.

    Raises
    ------
    DataError
        Where more than 1% of the rows have such a date.
    """
    absurd = ~possible(date)
    if absurd.mean() > BAD_SHARE:
        table.fail(column, absurd, f"{POSSIBLE}, in 99% of the rows")
    if absurd.any():
        aside = {"frame": frame, "series": series, "date": date[absurd], "rule": "date is absurd"}
        folder.quarantine.append(pd.DataFrame(aside).reset_index(drop=True))
    return table.where(~absurd)
