"""Tests on rows that do not overlap: every h-th row, from each of the h first rows on, the p-values combined."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import cauchy
from scipy.stats import t as student

from models.inference import Array

MIN_ROWS = 30
"""Non-overlapping rows below which no p-value is given."""

SMALLEST, LARGEST = 1e-15, 0.99
"""Bounds of a p-value before combination: below, rounding; above, one offset near 1 would outweigh all others (Fang et al. 2023)."""


@dataclass(frozen=True)
class OffsetTest:
    """A mean against zero, on every h-th row.

    Attributes
    ----------
    mean : of all rows
    t : mean of the statistics of the h offsets
    p : one-sided p-value of 'the mean is not above zero', combined over the offsets; NaN under `MIN_ROWS`, 1 where nothing varies
    n : non-overlapping rows: rows // horizon
    """

    mean: float
    t: float
    p: float
    n: int


def by_offset(values: Array, horizon: int) -> Array:
    """Lay rows out so that each column holds every h-th of them, (ceil(n_obs / horizon), horizon); NaN where an offset has a row fewer."""
    padded = np.full(-(-len(values) // horizon) * horizon, np.nan)
    padded[: len(values)] = values
    return padded.reshape(-1, horizon)


def cauchy_combined(p: Array) -> float:
    """Combine dependent p-values (Liu and Xie 2020, equation 1, equal weights): valid in the tail whatever the dependence.

    It is no average of evidence: h strongly dependent p-values of .05 give .05 and not less, so what the other offsets add is only
    that none of them was picked.
    """
    inside = np.clip(p, SMALLEST, LARGEST)
    return float(cauchy.sf(np.mean(cauchy.isf(inside))))


def mean_over_offsets(values: Array, horizon: int) -> OffsetTest:
    """Test whether a mean is above zero, on rows that do not overlap.

    Of each offset the t-statistic of its mean with n - 1 degrees of freedom. That is Diebold and Mariano's with the small-sample
    factor of Harvey, Leybourne and Newbold (1997) at h = 1, sqrt((n + 1 - 2h + h(h - 1) / n) / n), on a variance with
    denominator n. An offset on which nothing varies has t = 0.

    Parameters
    ----------
    values : (n_obs,), in order of time
    horizon : sessions over which neighbouring rows overlap; 1 if they do not
    """
    n = len(values) // horizon
    mean = float(np.mean(values)) if len(values) else float("nan")
    if n < MIN_ROWS:
        return OffsetTest(mean, float("nan"), float("nan"), n)
    if np.ptp(values) == 0:
        return OffsetTest(mean, 0.0, 1.0, n)
    t, rows = t_of_columns(by_offset(np.asarray(values, dtype=np.float64), horizon))
    return OffsetTest(mean, float(t.mean()), cauchy_combined(student.sf(t, rows - 1)), n)


def t_of_columns(table: Array) -> tuple[Array, Array]:
    """t-statistic of each column's mean, and its rows; only the last row may be missing.

    Parameters
    ----------
    table : rows first, any columns behind
    """
    rows = len(table) - np.isnan(table[-1])
    mean = np.nansum(table, axis=0) / rows
    spread = np.sqrt(np.nansum((table - mean) ** 2, axis=0) / (rows - 1))
    still = spread <= 1e-14 * np.abs(mean)
    error = np.where(still, 1.0, spread) / np.sqrt(rows)
    return np.where(still, 0.0, mean / error), rows
