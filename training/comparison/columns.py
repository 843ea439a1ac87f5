"""The test on rows that do not overlap, of many columns at once: what `mean_over_offsets` does, in one pass."""

import numpy as np
from scipy.stats import cauchy
from scipy.stats import t as student

from models.inference import Array
from training.evaluation.offsets import LARGEST, MIN_ROWS, SMALLEST, t_of_columns


def p_of_columns(values: Array, horizon: int) -> Array:
    """One-sided p-value of 'the mean is not above zero' of each column.

    Parameters
    ----------
    values : (n_obs, n_columns), in order of time
    horizon : sessions over which neighbouring rows overlap

    Returns
    -------
    (n_columns,) as `training.evaluation.offsets.mean_over_offsets` gives one by one
    """
    n_obs, n_columns = values.shape
    if n_obs // horizon < MIN_ROWS:
        return np.full(n_columns, np.nan)
    padded = np.full((-(-n_obs // horizon) * horizon, n_columns), np.nan)
    padded[:n_obs] = values
    table = padded.reshape(-1, horizon, n_columns)
    t, rows = t_of_columns(table)
    p = np.clip(student.sf(t, rows - 1), SMALLEST, LARGEST)
    combined = cauchy.sf(np.mean(cauchy.isf(p), axis=0))
    return np.where(np.ptp(values, axis=0) == 0, 1.0, combined)
