"""Vendors' tables, read as text and turned into dates and numbers with errors that name file, line, column and rule."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pandas as pd

from features.errors import DataError
from sources.csv_text import read_csv_text

MISSING = ("", ".", "NA", "N/A", "#N/A", "NaN", "nan", "null", "None", "--", "-")
"""How vendors write a number that is not there."""

EMPTY_SHARE = 0.01
"""More rows without a key than this share are no accident."""


@dataclass(frozen=True)
class Table:
    """Rows of one file as text.

    Attributes
    ----------
    name : path below the root, for error texts
    rows : DataFrame of str; its index is the line in the file, the header being line 1
    """

    name: str
    rows: pd.DataFrame

    def column(self, column: str) -> pd.Series:
        """Give one column as text."""
        if column not in self.rows:
            raise DataError(f"{self.name}: column '{column}' is missing; the file has {', '.join(map(str, self.rows.columns[:30]))}")
        return self.rows[column].str.strip()

    def dates(self, column: str, date_format: str) -> pd.Series:
        """Give a column of dates, `datetime64[us]`; an empty cell is NaT.

        Raises
        ------
        DataError
            For text that is no date in `date_format`.
        """
        text = self.column(column)
        dates = pd.to_datetime(text, format=date_format, errors="coerce", exact=True).dt.as_unit("us")
        wrong = dates.isna() & (text != "")
        if wrong.any():
            self.fail(column, wrong, f"is a date written as {date_format}")
        if dates.dt.tz is not None:
            raise DataError(f"{self.name}: column '{column}' has a time zone; rule: dates are plain days")
        return dates

    def numbers(self, column: str, *, positive: bool = True, zero: bool = False) -> pd.Series:
        """Give a column of numbers, float64; missing marks are NaN.

        Parameters
        ----------
        positive : refuse numbers below or at zero
        zero : with `positive`, read 0 as missing

        Raises
        ------
        DataError
            For text that is no number, and for numbers that break the sign rule.
        """
        text = self.column(column)
        absent = text.isin(MISSING)
        numbers = pd.to_numeric(text.mask(absent), errors="coerce").astype(np.float64)
        self.fail(column, ~absent & ~np.isfinite(numbers), "is a number")
        if positive:
            if zero:
                numbers = numbers.mask(numbers == 0)
            self.fail(column, numbers <= 0, "is positive")
        return numbers

    def fail(self, column: str, wrong: pd.Series, rule: str) -> None:
        """Raise for the first of the wrong rows; do nothing where there is none."""
        if wrong.any():
            line = _first_line(wrong)
            value = str(self.rows[column][line])
            more = f" ({int(wrong.sum())} rows do)" if wrong.sum() > 1 else ""
            raise DataError(f"{self.name}: line {line}, column '{column}': '{value}' breaks the rule '{rule}'{more}")

    def refuse_repeats(self, keys: pd.DataFrame) -> None:
        """Raise where two rows have the same key; `keys` has the lines as its index."""
        repeated = keys.duplicated(keep="first")
        if repeated.any():
            line = _first_line(repeated)
            row = keys.loc[line]
            first = _first_line((keys == row).all(axis=1))
            shown = ", ".join(f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value) for value in row)
            raise DataError(
                f"{self.name}: lines {first} and {line} have the same key ({shown}); rule: one row per ({', '.join(keys.columns)})"
            )

    def where(self, keep: pd.Series) -> "Table":
        """Keep some rows, with their lines."""
        return Table(self.name, self.rows[keep.to_numpy()])


@dataclass(frozen=True)
class Folder:
    """Files below one root; each is read once.

    Attributes
    ----------
    root : resolved path
    quarantine : rows set aside while reading: frame, series, date, rule
    notes : what whoever reads the market should be told of its files
    """

    root: Path
    quarantine: list[pd.DataFrame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _read: dict[str, Table] = field(default_factory=dict)

    def below(self, path: str) -> Path:
        """Give the full path of a file or folder that need not be there.

        Raises
        ------
        DataError
            Where it lies outside the root, by its words or by a link on its way.
        """
        escapes = (
            ".." in PurePosixPath(path.replace("\\", "/")).parts or PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
        )
        # the system would refuse a NUL in words of its own
        full = self.root if escapes or "\0" in path else (self.root / path).resolve()
        if escapes or "\0" in path or not full.is_relative_to(self.root):
            raise DataError(f"path '{path}' leaves the root; rule: paths are below the root of the market file, without '..'")
        return full

    def file(self, path: str) -> Path:
        """Find a file below the root.

        Raises
        ------
        DataError
            Where it does not exist or lies outside.
        """
        full = self.below(path)
        if not full.is_file():
            raise DataError(
                f"file '{path}' does not exist below the root '{self.root}'; correct its path in the market file, or remove its section"
            )
        return full

    def table(self, path: str) -> Table:
        """Read a CSV file, plain or gzipped, as text."""
        if path not in self._read:
            self._read[path] = Table(path, read_csv_text(self.file(path), path))
        return self._read[path]

    def set_aside(self, frame: str, series: str, table: Table, empty: pd.Series) -> Table:
        """Quarantine rows whose key is empty and give the others.

        Raises
        ------
        DataError
            Where more than 1% of the rows have none.
        """
        count = int(empty.sum())
        if count > max(1, EMPTY_SHARE * len(empty)):
            raise DataError(f"{table.name}: line {_first_line(empty)}: the key is empty, in {count} of {len(empty)} rows; rule: at most 1%")
        if count:
            row = pd.DataFrame({"frame": frame, "series": series, "date": pd.NaT, "rule": "key is empty"}, index=range(count))
            self.quarantine.append(row.astype({"date": "datetime64[us]"}))
        return table.where(~empty)


def _first_line(wrong: pd.Series) -> int:
    return int(wrong.index[int(wrong.to_numpy().argmax())])
