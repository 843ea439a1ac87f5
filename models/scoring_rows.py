"""The rows a model is asked to answer for: checked, as numbers, in order of session."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.errors import ScoringError


def checked_rows(rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows in order of session, their dates as naive midnights and their values as numbers.

    Parameters
    ----------
    rows : `session` and `columns` at least; a missing value stays NaN
    columns : what the model reads

    Returns
    -------
    DataFrame with `columns` as float64 and `session`

    Raises
    ------
    ScoringError
        Naming the first column, session or value that breaks a rule.
    """
    if "session" not in rows:
        raise ScoringError("column 'session' is missing; rule: one row a session, with its date in 'session'")
    missing = [c for c in columns if c not in rows]
    if missing:
        raise ScoringError(f"column '{missing[0]}' is missing ({len(missing)} are); the model reads {', '.join(columns)}")
    if not len(rows):
        raise ScoringError("there are no rows; rule: at least one session")
    session = parse_sessions(rows["session"])
    values, spoilt = _as_numbers(rows[list(columns)])
    if spoilt.any():
        at, column = np.argwhere(spoilt)[0]
        raise ScoringError(
            f"column '{columns[column]}', session {session.iloc[at]:%Y-%m-%d}: not a finite number; leave it empty if it is missing"
        )
    out: pd.DataFrame = values.assign(session=session).sort_values("session", kind="stable", ignore_index=True)
    twice = out["session"].duplicated()
    if twice.any():
        raise ScoringError(f"session {out['session'][twice].iloc[0]:%Y-%m-%d} is there twice; rule: one row a session")
    return out


def _as_numbers(block: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Values as float64, and where something stands that is no finite number."""
    if (block.dtypes == np.float64).all():
        return block, np.isinf(block.to_numpy())
    values = block.apply(pd.to_numeric, errors="coerce").astype(np.float64)
    return values, (values.isna() & block.notna() | np.isinf(values)).to_numpy()


def parse_sessions(values: pd.Series) -> pd.Series:
    """Dates of the rows as naive midnights; names the first that is none."""
    try:
        dates = pd.to_datetime(values, errors="coerce", format=None if values.dtype.kind == "M" else "ISO8601")
    except ValueError as error:  # several time zones in one column
        raise ScoringError(f"column 'session': {str(error).split('.')[0]}; rule: YYYY-MM-DD") from None
    if dates.isna().any():
        raise ScoringError(f"column 'session': {values[dates.isna()].iloc[0]!r} is no date; rule: YYYY-MM-DD")
    naive = dates.dt.tz_localize(None) if dates.dt.tz is not None else dates
    if (naive != naive.dt.normalize()).any():
        raise ScoringError(f"column 'session': {naive[naive != naive.dt.normalize()].iloc[0]} has a time of day; rule: a session is a date")
    return naive.astype("datetime64[us]")
