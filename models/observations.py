"""Observations as they are given: rows of numbers, NaN where missing, with the names of their columns."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from models.errors import ScoringError
from models.params import Array

LARGEST = 1e100
"""Beyond this a value counts as infinite: its square would be."""


def read_rows(X: ArrayLike, where: str, error: type[ValueError]) -> tuple[Array, list[str] | None]:
    """Give rows as numbers, and the names of their columns where X is a DataFrame.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    where : what an error begins with
    error : what is raised

    Raises
    ------
    error
        If X is empty or not two-dimensional, or a value is not a number or infinite: the message names its column.
    TypeError
        If X is sparse.
    """
    names = [str(name) for name in X.columns] if hasattr(X, "columns") else None
    if isinstance(X, np.ndarray) and X.dtype == np.float64 and X.ndim == 2:
        rows = X  # nothing to read; looking what else it might be takes a tenth of a warm refit
    else:
        try:
            rows = np.asarray(check_array(X, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=0, ensure_min_features=0))
        except (ValueError, TypeError) as trouble:
            raise _not_numbers(X, names, where, error, trouble) from trouble
    if not rows.size:
        raise error(f"{where}: X has shape {rows.shape}; rule: at least one row and one column. Look at what was selected before")
    bad = np.abs(rows) > LARGEST
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise error(
            f"{where}: {column_name(names, column)} is {rows[row, column]} in row {row}; rule: finite, or NaN where missing. "
            "Mend or blank the value"
        )
    return rows, names


def column_name(names: list[str] | None, column: int | np.integer[Any]) -> str:
    """Call a column by its name, or by its number where it has none."""
    return f"column {column}" if names is None else f"column '{names[int(column)]}'"


def check_columns(rows: Array, names: list[str] | None, fitted: list[str] | None, n_features: int, where: str) -> None:
    """Refuse columns that are not those of fit.

    Parameters
    ----------
    rows, names : as `read_rows` gives them
    fitted : names of the columns of fit, where they had any
    n_features : number of the columns of fit

    Raises
    ------
    ScoringError
    """
    if rows.shape[1] != n_features or (names is not None and fitted is not None and names != fitted):
        given, wanted = names or rows.shape[1], fitted or n_features
        raise ScoringError(f"{where}: X has columns {given}; rule: those of fit, in order, {wanted}. Select them first")


def read_lengths(lengths: ArrayLike | None, n_obs: int, where: str, error: type[ValueError]) -> NDArray[np.int64] | None:
    """Give the rows of each sequence; None for one sequence. Raises `error` unless they are positive and all of the rows."""
    if lengths is None:
        return None
    given = np.asarray(lengths, dtype=np.float64).reshape(-1)
    if given.sum() != n_obs or not (given >= 1).all() or (given % 1).any():
        raise error(
            f"{where}: lengths {given.tolist()[:5]} add up to {given.sum():g} for {n_obs} rows; rule: whole numbers of at least 1, and all "
            "rows together. Give the rows of each contiguous sequence, or None for one"
        )
    return given.astype(np.int64)


def _not_numbers(X: Any, names: list[str] | None, where: str, error: type[ValueError], trouble: Exception) -> Exception:
    table = np.asarray(X, dtype=object) if hasattr(X, "__array__") or isinstance(X, list | tuple) else np.empty(0)
    for column in range(table.shape[1] if table.ndim == 2 else 0):
        for row, value in enumerate(table[:, column]):
            try:
                float(value)
            except (ValueError, TypeError):
                name = column_name(names, column)
                return error(
                    f"{where}: {name} is {value!r} in row {row}; rule: numbers, NaN where missing. Convert it or leave the column out"
                )
    return trouble if isinstance(trouble, TypeError) else error(f"{where}: {trouble}")
