"""A mark of each row a model was trained on, to tell whether a row that is asked about is that row."""

import numpy as np
import pandas as pd

from models.inference import Array

SPARE_BITS = 12
"""Bits of the hash that a float64 has no room for."""


def row_marks(rows: pd.DataFrame) -> Array:
    """Hash each row's values, as whole numbers that a float64 holds exactly.

    Values count to single precision, so that text with 15 digits gives the same mark; a missing value is a value.

    Parameters
    ----------
    rows : numbers; the order of the columns counts, the index does not

    Returns
    -------
    (n_rows,)
    """
    values = rows.astype(np.float32) + np.float32(0.0)  # minus zero is zero
    return np.asarray(pd.util.hash_pandas_object(values, index=False).to_numpy() >> SPARE_BITS, dtype=np.float64)
