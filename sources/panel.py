"""Closes of the constituents, wide."""

import numpy as np
import pandas as pd

from features.errors import DataError
from features.market import Panel
from sources.known import known_at
from sources.parquet_table import read_parquet_table
from sources.spec import PanelFile, Span
from sources.table import Folder


def read_panel(folder: Folder, file: PanelFile, span: Span) -> Panel:
    """Read a table with a column of dates and one column a security, as Parquet or CSV; Parquet keeps its precision.

    Raises
    ------
    DataError
        For a file that is no table, dates that are none or repeated, and closes that are no positive numbers.
    """
    close = _parquet(folder, file) if file.path.endswith(".parquet") else _csv(folder, file)
    repeated = close.index.duplicated()
    if repeated.any():
        raise DataError(f"{file.path}: date {close.index[repeated][0]:%Y-%m-%d} is there twice; rule: one row a date")
    close = close.sort_index()
    index = pd.DatetimeIndex(close.index)
    last = index[-1] if span.end is None else pd.Timestamp(span.end)
    close = close[(index >= pd.Timestamp(span.start)) & (index <= last)]
    values = close.to_numpy()
    wrong = (values <= 0) | np.isinf(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        place = f"row {close.index[row]:%Y-%m-%d}, column '{close.columns[column]}'"
        raise DataError(f"{file.path}: {place}: {values[row, column]} breaks the rule 'is positive'")
    return Panel(close, pd.Series(known_at(file.known_at, pd.DatetimeIndex(close.index)), index=close.index, name="known_at"))


def _parquet(folder: Folder, file: PanelFile) -> pd.DataFrame:
    frame = read_parquet_table(folder.file(file.path), file.path)
    if file.date in frame:
        frame = frame.set_index(file.date)
    if frame.index.name != file.date:
        raise DataError(f"{file.path}: column '{file.date}' is missing; the index is '{frame.index.name}'")
    if not isinstance(frame.index, pd.DatetimeIndex) or frame.index.tz is not None or frame.index.hasnans:
        raise DataError(f"{file.path}: column '{file.date}' is {frame.index.dtype}; rule: dates without a time zone, none missing")
    texts = [name for name, kind in frame.dtypes.items() if kind.kind != "f"]
    if texts:
        raise DataError(
            f"{file.path}: column '{texts[0]}' is {frame[texts[0]].dtype}; rule: every column but the date holds floating-point closes"
        )
    frame.index = pd.DatetimeIndex(frame.index.normalize().to_numpy(), name="date").as_unit("us")
    return frame


def _csv(folder: Folder, file: PanelFile) -> pd.DataFrame:
    table = folder.table(file.path)
    date = table.dates(file.date, file.date_format)
    table = folder.set_aside("panel", "panel", table, date.isna())
    securities = [column for column in table.rows.columns if column != file.date]
    close = pd.DataFrame({column: table.numbers(column) for column in securities})
    close.index = pd.DatetimeIndex(date[table.rows.index], name="date")
    return close
