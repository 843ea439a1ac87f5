"""Frames of named series: prices, funds and macro, one file and its columns each."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sources.days import clip, without_absurd
from sources.downloads import FredFile, FundBook
from sources.fred_files import read_fred_file
from sources.fund_books import read_fund_books
from sources.known import known_at
from sources.spec import File, Fund, FundFile, Macro, MacroFile, PriceFile, Span
from sources.table import Folder, Table


def read_prices(folder: Folder, files: Mapping[str, PriceFile], span: Span) -> pd.DataFrame:
    """Read price series; rows without any close are no records."""
    frames = []
    for name, file in files.items():
        table, date = dated(folder, "prices", name, file, span)
        values = {
            column: table.numbers(source) if source else pd.Series(np.nan, index=date.index)
            for column, source in (("close", file.close), ("adj_close", file.adj_close))
        }
        frames.append(_records("series", name, date, file.known_at, values, required=("close", "adj_close")))
    return pd.concat(frames, ignore_index=True)


def read_funds(folder: Folder, files: Mapping[str, Fund], span: Span) -> pd.DataFrame:
    """Read net asset values and shares outstanding, from tidy files and from workbooks of the issuers."""
    frames = [_fund(folder, name, file, span) for name, file in files.items() if isinstance(file, FundFile)]
    books = {name: file for name, file in files.items() if isinstance(file, FundBook)}
    if books:
        frame = read_fund_books(folder, books)
        frames.append(frame[clip(frame["date"], span)])
    return pd.concat(frames, ignore_index=True)


def read_macro(folder: Folder, files: Mapping[str, Macro], span: Span) -> pd.DataFrame:
    """Read series of one value a date; dates without a value are no records."""
    frames = []
    for name, file in files.items():
        if isinstance(file, FredFile):
            frame = read_fred_file(folder, name, file)
            frames.append(frame[clip(frame["date"], file, span)])
        else:
            frames.append(_macro(folder, name, file, span))
    return pd.concat(frames, ignore_index=True)


def dated(folder: Folder, frame: str, series: str, file: File, span: Span) -> tuple[Table, pd.Series]:
    """Read a file of one series: rows within its start and end and the market's, one a date.

    Returns
    -------
    Table, Series of dates with the lines as index
    """
    table, date = within(folder, frame, series, file, span)
    table.refuse_repeats(pd.DataFrame({file.date: date}))
    return table, date


def within(folder: Folder, frame: str, series: str, file: File, span: Span) -> tuple[Table, pd.Series]:
    """Read the rows of a file whose date is within its start and end and the market's; repeats are the caller's."""
    table = folder.table(file.path)
    date = table.dates(file.date, file.date_format)
    table = folder.set_aside(frame, series, table, date.isna())
    keep = clip(date[table.rows.index], file)
    table, date = table.where(keep), date[table.rows.index][keep]
    table = without_absurd(folder, frame, series, table, file.date, date)
    date = date[table.rows.index]
    keep = clip(date, span)
    return table.where(keep), date[keep]


def _fund(folder: Folder, name: str, file: FundFile, span: Span) -> pd.DataFrame:
    """`split` is 1 but on the ex-dates that the market file gives."""
    table, date = dated(folder, "funds", name, file, span)
    splits = {pd.Timestamp(day): ratio for day, ratio in file.splits.items()}
    values = {
        "nav": table.numbers(file.nav),
        "shares_outstanding": table.numbers(file.shares_outstanding, zero=True),
        "split": date.map(splits).astype(np.float64).fillna(1.0),
    }
    return _records("fund", name, date, file.known_at, values, required=("nav", "shares_outstanding"))


def _macro(folder: Folder, name: str, file: MacroFile, span: Span) -> pd.DataFrame:
    table, date = dated(folder, "macro", name, file, span)
    values = {"value": table.numbers(file.value, positive=False)}
    return _records("series", name, date, file.known_at, values, required=("value",))


def _records(key: str, name: str, date: pd.Series, rule: str, values: Mapping[str, pd.Series], required: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame({key: name, "date": date, **values, "known_at": known_at(rule, date)})
    return frame.dropna(subset=list(required), how="all")
