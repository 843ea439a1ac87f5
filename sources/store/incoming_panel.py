"""The panel on its way in: wide as a market has it, or long, one close a row."""

import numpy as np
import pandas as pd
import polars as pl

from features.errors import DataError
from features.market import Panel
from sources.store.incoming import SOURCE, Incoming, incoming
from sources.store.kinds import PANEL

LONG = {"security": pl.String, "date": pl.Date, "close": pl.Float64, "known_at": pl.Datetime("us", "UTC")}
"""Columns of a long panel; `source`, a text a record, may be there too. A null close says that an earlier one is withdrawn."""


def from_panel(panel: Panel | pl.DataFrame, source: str) -> Incoming:
    """Check closes of many securities.

    Parameters
    ----------
    panel : a market's, in which NaN is no record, or a long frame with the columns of `LONG`
    source : where records without one of their own come from

    Raises
    ------
    DataError
        Naming column, row, rule and value.
    """
    found = _from_wide(panel, source) if isinstance(panel, Panel) else _from_long(panel, source)
    wrong = found.rows.filter(~((pl.col("close") > 0) & pl.col("close").is_finite()))
    if len(wrong):
        row = wrong.row(0, named=True)
        place = f"panel: column '{found.names[row['code']]}', row {row['date']}"
        raise DataError(f"{place}: {row['close']} breaks the rule 'is positive' ({len(wrong)} records do)")
    return found


def _from_wide(panel: Panel, source: str) -> Incoming:
    close = panel.close
    for what, labels in (("date", close.index), ("security", close.columns)):
        if labels.has_duplicates:
            raise DataError(
                f"panel: {what} '{labels[labels.duplicated()][0]}' is there twice; rule: one row a session, one column a security"
            )
    if not isinstance(close.index, pd.DatetimeIndex) or close.index.tz is not None or (close.index != close.index.normalize()).any():
        raise DataError(f"panel: the index is {close.index.dtype}; rule: days without time and time zone")
    if not panel.known_at.index.equals(close.index) or panel.known_at.isna().any():
        raise DataError("panel: 'known_at' has other rows than the closes, or empty ones; rule: one instant a row of closes")
    if any(dtype.kind != "f" for dtype in close.dtypes):
        raise DataError(f"panel: closes are {close.to_numpy().dtype}; rule: every column holds floating-point prices")
    values = close.to_numpy(np.float64)
    # security by security: the order in which they lie on disk
    code, row = np.nonzero(~np.isnan(values.T))
    day = close.index.to_numpy().astype("datetime64[D]")
    known = panel.known_at.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    rows = pl.DataFrame({"code": code.astype(np.int32), "date": day[row], "close": values[row, code], "known_at": known[row]})
    rows = rows.with_columns(pl.col("known_at").dt.replace_time_zone("UTC"), pl.lit(source).alias(SOURCE))
    return incoming(PANEL, tuple(map(str, close.columns)), rows, "panel")


def _from_long(frame: pl.DataFrame, source: str) -> Incoming:
    wrong = [column for column, dtype in LONG.items() if frame.schema.get(column) != dtype]
    unknown = [column for column in frame.columns if column not in (*LONG, SOURCE)]
    if wrong or unknown:
        column = (wrong or unknown)[0]
        rule = ", ".join(f"{name} {dtype}" for name, dtype in LONG.items())
        raise DataError(
            f"panel: column '{column}' is {frame.schema.get(column, 'missing')}; rule: a long panel has {rule}, and if wanted {SOURCE}"
        )
    for column in ("security", "date", "known_at"):
        if frame[column].is_null().any():
            raise DataError(f"panel: column '{column}': a cell is empty; rule: only 'close' may be")
    repeated = frame.select("security", "date").is_duplicated()
    if repeated.any():
        row = frame.filter(repeated).row(0, named=True)
        raise DataError(
            f"panel: row security={row['security']}, date={row['date']}: this record is there twice; rule: one row per (security, date)"
        )
    names = frame["security"].unique().sort()
    codes = pl.DataFrame({"security": names, "code": pl.Series(range(len(names)), dtype=pl.Int32)})
    rows = frame.join(codes, on="security", maintain_order="left").with_columns(pl.col("close").fill_nan(None))
    if SOURCE not in rows:
        rows = rows.with_columns(pl.lit(source).alias(SOURCE))
    return incoming(PANEL, tuple(names), rows, "panel")
