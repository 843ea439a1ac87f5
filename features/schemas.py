"""Schemas of the market's frames, and the checks made once, when data enters."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError

from features.errors import DataError

KNOWN_AT = pa.Column("datetime64[us, UTC]", nullable=False)
DATE = pa.Column("datetime64[us]", nullable=False)
POSITIVE = pa.Check.gt(0, name="is positive")


def _key() -> pa.Column:
    return pa.Column(str, nullable=False)


def _price(*, nullable: bool) -> pa.Column:
    return pa.Column(float, POSITIVE, nullable=nullable)


SCHEMAS: Mapping[str, pa.DataFrameSchema] = {
    "prices": pa.DataFrameSchema(
        {"series": _key(), "date": DATE, "close": _price(nullable=True), "adj_close": _price(nullable=True), "known_at": KNOWN_AT}
    ),
    "coins": pa.DataFrameSchema(
        {"asset": _key(), "date": DATE, "close": _price(nullable=False), "market_cap": _price(nullable=True), "known_at": KNOWN_AT}
    ),
    "members": pa.DataFrameSchema(
        {"security": _key(), "start": DATE, "end": pa.Column("datetime64[us]", nullable=True), "known_at": KNOWN_AT}
    ),
    "funds": pa.DataFrameSchema(
        {
            "fund": _key(),
            "date": DATE,
            "nav": _price(nullable=True),
            "shares_outstanding": _price(nullable=True),
            "split": _price(nullable=False),
            "known_at": KNOWN_AT,
        }
    ),
    "filings": pa.DataFrameSchema(
        {
            "security": _key(),
            "form": _key(),
            "period_start": DATE,
            "period_end": DATE,
            "net_income": pa.Column(float, nullable=True),
            "revenue": pa.Column(float, nullable=True),
            "known_at": KNOWN_AT,
        }
    ),
    "macro": pa.DataFrameSchema({"series": _key(), "date": DATE, "value": pa.Column(float, nullable=False), "known_at": KNOWN_AT}),
}
"""Column names, types and ranges of each frame; a frame may not have other columns."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "prices": ("series", "date"),
    "coins": ("asset", "date"),
    "members": ("security", "start"),
    "funds": ("fund", "date"),
    "filings": ("security", "period_end", "period_start", "known_at"),
    "macro": ("series", "date"),
}
"""What identifies a record; the first word names the series it belongs to."""


def empty(name: str) -> pd.DataFrame:
    """Give the frame `name` with its columns and no rows."""
    columns = SCHEMAS[name].columns
    return pd.DataFrame({column: pd.Series(dtype=str(spec.dtype)) for column, spec in columns.items()})


def checked(
    name: str,
    frame: pd.DataFrame,
    origin: Mapping[str, str],
    schemas: Mapping[str, pa.DataFrameSchema] = SCHEMAS,
    keys: Mapping[str, tuple[str, ...]] = KEYS,
) -> pd.DataFrame:
    """Sort a frame by its key and check columns, types, ranges and repeated keys.

    Parameters
    ----------
    name : one of `schemas`
    frame : the records, in any order
    origin : file each series came from, by its name, for the error text
    schemas, keys : those of a market, unless given

    Raises
    ------
    DataError
        Naming file, column, row (as the key of the record) and rule.
    """
    columns, key = list(schemas[name].columns), list(keys[name])
    missing = [column for column in columns if column not in frame]
    if missing:
        raise DataError(f"market frame '{name}': column '{missing[0]}' is missing; it needs {', '.join(columns)}")
    frame = frame[columns].sort_values(key, kind="stable", ignore_index=True)
    try:
        frame = schemas[name].validate(frame)
    except SchemaError as error:
        raise DataError(_explain(name, key, frame, origin, error)) from None
    repeated = frame.duplicated(key)
    if repeated.any():
        row = frame.iloc[int(repeated.to_numpy().argmax())]
        raise DataError(f"{_place(name, key, row, origin)}: this record is there twice; rule: one row per ({', '.join(key)})")
    return frame


def _place(name: str, key: list[str], row: pd.Series, origin: Mapping[str, str]) -> str:
    told = ", ".join(f"{k}={_short(row[k])}" for k in key)
    return f"{origin.get(str(row[key[0]]), name)}: row {told}"


def _short(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def _explain(name: str, key: list[str], frame: pd.DataFrame, origin: Mapping[str, str], error: SchemaError) -> str:
    column = str(getattr(error.schema, "name", None) or "?")
    rule = getattr(error.check, "name", None) or str(error.check)
    cases = getattr(error, "failure_cases", None)
    if isinstance(cases, pd.DataFrame) and "index" in cases and len(cases) and pd.notna(cases["index"].iloc[0]):
        at, value = int(cases["index"].iloc[0]), cases["failure_case"].iloc[0]
        place = f"{_place(name, key, frame.iloc[at], origin)}, column '{column}'"
        return f"{place}: {_short(value)} breaks the rule '{rule}' ({len(cases)} rows do)"
    files = ", ".join(sorted(set(origin.values()))[:3]) or name
    found = frame[column].dtype if column in frame else "absent"
    return f"{files}: frame '{name}', column '{column}': breaks the rule '{rule}' (it is {found})"
