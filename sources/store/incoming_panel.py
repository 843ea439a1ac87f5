"""The panel on its way in: wide as a market has it, or long, one close a row."""

import numpy as np
import pandas as pd
import polars as pl

from features.errors import DataError
from features.market import Panel
from sources.store.incoming import Incoming, incoming
from sources.store.incoming_long import from_long, refuse_not_positive
from sources.store.kinds import PANEL


def from_panel(panel: Panel | pl.DataFrame, source: str) -> Incoming:
    """Check closes of many securities.

    Parameters
    ----------
    panel : a market's, in which NaN is no record, or a long frame with the columns of `incoming_long.LONG`
    source : where records without one of their own come from

    Raises
    ------
    DataError
        Naming column, row, rule and value.
    """
    if not isinstance(panel, Panel):
        return from_long("panel", panel, source)
    found = _from_wide(panel, source)
    refuse_not_positive(found)
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
    rows = rows.with_columns(pl.col("known_at").dt.replace_time_zone("UTC"))
    return incoming(PANEL, tuple(map(str, close.columns)), rows, source, "panel")
