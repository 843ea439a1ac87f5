"""Rows by the names of their columns: a table, or a bare array with names, which costs a server microseconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.params import Array


@dataclass(frozen=True)
class Rows:
    """Numbers with named columns.

    Attributes
    ----------
    columns : names
    values : (n_obs, n_columns), NaN where missing
    """

    columns: tuple[str, ...]
    values: Array

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.values)

    def __getitem__(self, at: slice) -> "Rows":
        """Give a stretch of rows."""
        return Rows(self.columns, self.values[at])


def take(rows: pd.DataFrame | Rows, columns: Sequence[str]) -> Array:
    """Give some columns as numbers, (n_obs, n_columns), in the order asked for."""
    if isinstance(rows, Rows):
        return rows.values[:, _positions(rows.columns, tuple(columns))]
    return rows[list(columns)].to_numpy(dtype=np.float64)


@cache
def _positions(columns: tuple[str, ...], wanted: tuple[str, ...]) -> NDArray[np.int64]:
    place = {name: number for number, name in enumerate(columns)}
    return np.array([place[name] for name in wanted], dtype=np.int64)
