"""Many closes in one long polars frame, of the panel or as quotes: checked without a text or an object a record."""

import polars as pl

from features.errors import DataError
from sources.store.incoming import SOURCE, Incoming, incoming
from sources.store.kinds import KINDS, PANEL
from sources.store.order import packed, unpacked

LONG = {"security": pl.String, "date": pl.Date, "close": pl.Float64, "known_at": pl.Datetime("us", "UTC")}
"""Columns of a long panel; `source`, a text a record, may be there too. A null close says that an earlier one is withdrawn."""

LONG_QUOTES = {"series": pl.String, "date": pl.Date, "close": pl.Float64, "known_at": pl.Datetime("us", "UTC")}
"""Columns of quotes as a polars frame, and if wanted `source`; no close is null."""

_COLUMNS = {"panel": LONG, "quotes": LONG_QUOTES}


def from_long(name: str, frame: pl.DataFrame, source: str) -> Incoming:
    """Check a long frame.

    Parameters
    ----------
    name : `panel` or `quotes`; other frames are few rows and come as pandas
    frame : the columns of `LONG` or `LONG_QUOTES`
    source : where records without one of their own come from

    Raises
    ------
    DataError
        Naming column, row, rule and value.
    """
    if name not in _COLUMNS:
        raise DataError(f"store: frame '{name}' is of polars; rule: only {' and '.join(_COLUMNS)} may be, give a frame of pandas")
    kind = KINDS[name]
    _check_columns(name, frame)
    for column in (kind.entity, "date", "known_at", *(["close"] if name == "quotes" else [])):
        if frame[column].null_count():
            raise DataError(f"{name}: column '{column}': a cell is empty; rule: only the panel's 'close' may be")
    names = frame[kind.entity].unique().sort()
    code = frame[kind.entity].cast(pl.Enum(names)).to_physical().cast(pl.Int32).alias("code")
    given = [pl.col("date"), pl.col("close").fill_nan(None), pl.col("known_at"), *([pl.col(SOURCE)] if SOURCE in frame else [])]
    found = incoming(kind, tuple(names), frame.select(code, *given), source, name)
    _refuse_repeated(found)
    refuse_not_positive(found)
    return found


def refuse_not_positive(found: Incoming) -> None:
    """Refuse closes that are not positive numbers; null is another matter."""
    close = pl.col("close")
    wrong = found.rows.filter(~((close > 0) & close.is_finite()) | (close.is_null() & (found.kind != PANEL)))
    if len(wrong):
        row = wrong.row(0, named=True)
        place = f"{found.kind.name}: column '{found.names[row['code']]}', row {row['date']}"
        raise DataError(f"{place}: {row['close']} breaks the rule 'is positive' ({len(wrong)} records do)")


def _check_columns(name: str, frame: pl.DataFrame) -> None:
    columns = _COLUMNS[name]
    wrong = [column for column, dtype in columns.items() if frame.schema.get(column) != dtype]
    unknown = [column for column in frame.columns if column not in (*columns, SOURCE)]
    if wrong or unknown:
        column = (wrong or unknown)[0]
        rule = ", ".join(f"{each} {dtype}" for each, dtype in columns.items())
        told, whole = frame.schema.get(column, "missing"), {"panel": "a long panel has", "quotes": "quotes have"}[name]
        raise DataError(f"{name}: column '{column}' is {told}; rule: {whole} {rule}, and if wanted {SOURCE}")


def _refuse_repeated(found: Incoming) -> None:
    keys = packed(found.rows["code"], found.rows["date"])
    if not keys.flags["SORTED_ASC"]:
        keys = keys.sort()
    twice = (keys.diff() == 0).fill_null(value=False)
    if twice.any():
        (number, day), kind = unpacked(keys.filter(twice)[0]), found.kind
        place = f"{kind.name}: row {kind.entity}={found.names[number]}, date={day}"
        raise DataError(f"{place}: this record is there twice; rule: one row per ({kind.entity}, date)")
