"""Rows as they are handed in, checked strictly: what is wrong is named, and never repeated to the one who sent it."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic_core import from_json

SESSION = "session"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
LARGEST = 1e300
"""Beyond it a product of two values is none any more."""


class BodyError(ValueError):
    """A body that breaks a rule.

    Attributes
    ----------
    where : path to what is wrong
    why : the rule it breaks
    """

    def __init__(self, where: Sequence[str | int], why: str) -> None:
        super().__init__(why)
        self.where, self.why = list(where), why


@dataclass(frozen=True)
class Given:
    """Rows that were handed in.

    Attributes
    ----------
    sessions : (n_obs,) ascending, none twice
    values : (n_obs, n_columns), NaN where missing
    """

    sessions: NDArray[np.datetime64]
    values: NDArray[np.float64]


def parsed(body: bytes) -> Any:
    """Read JSON; NaN and Infinity are no JSON.

    Raises
    ------
    BodyError
    """
    try:
        return from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError:
        raise BodyError([], "the body is no JSON; NaN and Infinity are none: a missing value is null") from None


def rows_of(records: Any, columns: Sequence[str], most: int, where: Sequence[str | int] = ("rows",)) -> Given:
    """Check rows given as a list of objects.

    Parameters
    ----------
    columns : that every row must have beside `session`, each a number or null
    most : rows that may come at once
    where : path to the list

    Raises
    ------
    BodyError
    """
    if not isinstance(records, list):
        raise BodyError(where, "must be a list of rows")
    _check_size(len(records), most, where)
    wanted = {SESSION, *columns}
    sessions, values = [], np.empty((len(records), len(columns)))
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            raise BodyError([*where, number], "must be an object with a session and the model's columns")
        if record.keys() != wanted:
            raise _other_fields(record, wanted, [*where, number])
        sessions.append(day_of(record[SESSION], [*where, number, SESSION]))
        for place, column in enumerate(columns):
            values[number, place] = number_of(record[column], [*where, number, column])
    return in_order(np.array(sessions, dtype="datetime64[us]"), values, where)


def known_of(record: Mapping[str, Any], columns: Sequence[str]) -> dict[str, float | None]:
    """Check the values of one observation, which must be those of the model's columns.

    Raises
    ------
    BodyError
    """
    if not isinstance(record, dict):
        raise BodyError(["values"], "must be an object with the model's columns")
    if record.keys() != set(columns):
        raise _other_fields(record, set(columns), ["values"])
    numbers = {column: number_of(record[column], ["values", column]) for column in columns}
    return {column: None if np.isnan(value) else value for column, value in numbers.items()}


def table_of(table: pd.DataFrame, columns: Sequence[str], most: int) -> Given:
    """Check rows given as a table, of Arrow or Parquet.

    Raises
    ------
    BodyError
    """
    _check_size(len(table), most, ["rows"])
    if set(map(str, table)) != {SESSION, *columns} or table.shape[1] != len(columns) + 1:
        raise _other_fields(dict.fromkeys(map(str, table)), {SESSION, *columns}, ["rows"])
    values = np.empty((len(table), len(columns)))
    for place, column in enumerate(columns):
        if not pd.api.types.is_numeric_dtype(table[column]) or pd.api.types.is_bool_dtype(table[column]):
            raise BodyError(["rows", column], "must be numbers")
        values[:, place] = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    spoilt = np.argwhere(np.abs(values) > LARGEST)
    if len(spoilt):
        raise BodyError(["rows", int(spoilt[0][0]), columns[spoilt[0][1]]], "must be a finite number, or missing")
    return in_order(_days(table[SESSION]), values, ["rows"])


def in_order(sessions: NDArray[np.datetime64], values: NDArray[np.float64], where: Sequence[str | int]) -> Given:
    """Refuse sessions that do not follow each other."""
    wrong = np.flatnonzero(sessions[1:] <= sessions[:-1])
    if len(wrong):
        raise BodyError([*where, int(wrong[0]) + 1, SESSION], "must be later than that of the row before")
    return Given(sessions, values)


def day_of(value: Any, where: Sequence[str | int]) -> np.datetime64:
    """Read a date as YYYY-MM-DD."""
    if isinstance(value, str) and DAY.fullmatch(value):
        try:
            return np.datetime64(value, "us")
        except ValueError:
            pass
    raise BodyError(where, "must be a date, YYYY-MM-DD")


def number_of(value: Any, where: Sequence[str | int]) -> float:
    """Read a finite number, or null as NaN."""
    if value is None:
        return float("nan")
    if isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST:
        return float(value)
    raise BodyError(where, "must be a finite number, or null where it is missing")


def _check_size(n: int, most: int, where: Sequence[str | int]) -> None:
    if not n:
        raise BodyError(where, "must have a row at least")
    if n > most:
        raise BodyError(where, f"must have at most {most:,} rows")


def _other_fields(record: Mapping[str, Any], wanted: set[str], where: Sequence[str | int]) -> BodyError:
    missing = sorted(wanted - record.keys())
    if missing:
        return BodyError([*where, missing[0]], f"is missing ({len(missing)} are); null says that a value is not known")
    return BodyError(where, f"has {len(record.keys() - wanted)} fields that the model does not read; /version lists those it reads")


def _days(column: pd.Series) -> NDArray[np.datetime64]:
    if pd.api.types.is_datetime64_dtype(column):
        days = column.to_numpy(dtype="datetime64[us]")
    elif pd.api.types.is_string_dtype(column):
        return np.array([day_of(value, ["rows", number, SESSION]) for number, value in enumerate(column)], dtype="datetime64[us]")
    else:
        raise BodyError(["rows", SESSION], "must be dates without a time zone, or text as YYYY-MM-DD")
    if np.isnat(days).any() or (days != days.astype("datetime64[D]")).any():
        raise BodyError(["rows", SESSION], "must be dates without a time of day, none missing")
    return days


def read_table(body: bytes, kind: str, most: int) -> pd.DataFrame:
    """Read Arrow or Parquet, no further than the rows that may come.

    Raises
    ------
    BodyError
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if kind == "parquet":
            file = pq.ParquetFile(io.BytesIO(body))
            _check_size(file.metadata.num_rows, most, ["rows"])
            read: pd.DataFrame = file.read().to_pandas()
            return read
        with pa.ipc.open_stream(io.BytesIO(body)) as stream:
            batches, n = [], 0
            for batch in stream:
                n += batch.num_rows
                _check_size(max(n, 1), most, ["rows"])
                batches.append(batch)
            whole: pd.DataFrame = pa.Table.from_batches(batches, stream.schema).to_pandas()
            return whole
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, BodyError):
            raise
        raise BodyError([], f"the body is no {kind} table") from None
