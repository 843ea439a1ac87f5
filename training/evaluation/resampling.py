"""Maxima of many means under their joint null: block resamples of whole rows, every column at once."""

from functools import lru_cache

import numpy as np

from models.inference import Array

REPS = 999
TINY = np.finfo(np.float64).tiny
SHORTEST_BLOCK = 2
"""Mean block length in horizons: blocks must hold the overlap."""


def block_length(n: int, horizon: int) -> int:
    """Mean length of blocks of overlapping rows: two horizons, or the cube root of the rows where that is longer."""
    return max(SHORTEST_BLOCK * horizon, int(np.cbrt(n)))


@lru_cache(maxsize=4)
def drawn_counts(n: int, block: int, seed: int, reps: int = REPS) -> Array:
    """How often each row is in each stationary-bootstrap sample (Politis and Romano 1994), (reps, n); arch draws.

    Times the values it gives the sums of all samples of all columns in one product. Blocks of length 1 are independent rows. Drawn once
    for tests on as many rows, and not to be written to.
    """
    from arch.bootstrap import StationaryBootstrap  # 3 CPU s

    drawn = StationaryBootstrap(block, np.arange(n), seed=seed).bootstrap(reps)
    counts = np.array([np.bincount(rows[0], minlength=n) for rows, _ in drawn], dtype=np.float64)
    counts.flags.writeable = False
    return counts


def overlapping_null(gains: Array, counts: Array) -> tuple[Array, Array]:
    """Studentised means and their joint distribution where no gain is above zero; the standard error is that of the resamples.

    Parameters
    ----------
    gains : (n_obs, n_columns), above zero where the column's model is better; each varies. A mean is over the rows that are there
    counts : as `drawn_counts`

    Returns
    -------
    t : (n_columns,)
    null : (reps, n_columns)
    """
    there = (~np.isnan(gains)).astype(np.float64)
    mean = np.nanmean(gains, axis=0)
    drawn = mean + counts @ np.nan_to_num(gains - mean) / np.maximum(counts @ there, 1.0)
    error = np.maximum(drawn.std(axis=0), TINY)
    return mean / error, (drawn - _centre(mean, error, there.sum(axis=0))) / error


def independent_null(gains: Array, counts: Array) -> tuple[Array, Array]:
    """The same of rows that do not overlap, each resample with its own standard error, so that its noise is in the null as well.

    t is that of `training.evaluation.offsets`: mean over s / sqrt(n).
    """
    n = len(gains)
    mean, error = gains.mean(axis=0), np.maximum(gains.std(axis=0, ddof=1) / np.sqrt(n), TINY)
    centred = gains - mean
    drawn = counts @ centred / n
    own = np.sqrt(np.maximum(counts @ centred**2 / n - drawn**2, TINY) / (n - 1))
    return mean / error, (drawn + mean - _centre(mean, error, n)) / own


def _centre(mean: Array, error: Array, n: Array | int) -> Array:
    """Hansen's (2005) consistent recentring: to zero, but for columns so far below that none at zero gets there; those hardly count."""
    return np.where(mean >= -error * np.sqrt(2.0 * np.log(np.log(n))), mean, 0.0)


def max_p(t: Array, null: Array) -> float:
    """p-value of the largest statistic: 'none is above zero'."""
    return float((1 + np.sum(null.max(axis=1) >= t.max())) / (1 + len(null)))


def step_down_p(t: Array, null: Array) -> Array:
    """Family-wise adjusted p-value of each statistic (Romano and Wolf 2005, as computed in their 2016 note, algorithm 4.2).

    The largest is compared with the maxima over all columns, the next with those over all but the first, and none gets a smaller p
    than one above it.
    """
    order = np.argsort(-t, kind="stable")
    maxima = np.maximum.accumulate(null[:, order][:, ::-1], axis=1)[:, ::-1]
    p = (1 + np.sum(maxima >= t[order], axis=0)) / (1 + len(null))
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p)
    return np.asarray(adjusted)
