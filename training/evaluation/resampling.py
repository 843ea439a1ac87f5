"""Maxima of many means under their joint null: block resamples of whole rows, every column at once."""

import numpy as np

from models.inference import Array

REPS = 999
SHORTEST_BLOCK = 2
"""Mean block length in horizons: blocks must hold the overlap."""


def block_length(n: int, horizon: int) -> int:
    """Mean length of blocks: two horizons, or the cube root of the rows where that is longer."""
    return max(SHORTEST_BLOCK * horizon, round(n ** (1.0 / 3.0)))


def resampled_means(values: Array, block: int, seed: int, reps: int = REPS) -> Array:
    """Column means of stationary-bootstrap samples (Politis and Romano 1994) of rows, the same rows for each column.

    arch draws the rows; how often each was drawn times the values gives all means in one product.

    Parameters
    ----------
    values : (n_obs, n_columns)

    Returns
    -------
    (reps, n_columns)
    """
    from arch.bootstrap import StationaryBootstrap  # 3 CPU s

    n = len(values)
    drawn = StationaryBootstrap(block, np.arange(n), seed=seed).bootstrap(reps)
    counts = np.array([np.bincount(rows[0], minlength=n) for rows, _ in drawn], dtype=np.float64)
    return np.asarray(counts @ values / n)


def null_statistics(gains: Array, block: int, seed: int, reps: int = REPS) -> tuple[Array, Array]:
    """Studentised means and their joint distribution where no gain is above zero.

    Hansen's (2005) consistent recentring: a column is moved to mean zero unless it lies under -sqrt(2 ln ln n) standard errors,
    which no column at zero does; those stay where they are and hardly count. The standard error is that of the resamples.

    Parameters
    ----------
    gains : (n_obs, n_columns), above zero where the column's model is better; each varies

    Returns
    -------
    t : (n_columns,)
    null : (reps, n_columns)
    """
    drawn = resampled_means(gains, block, seed, reps)
    mean, error = gains.mean(axis=0), np.maximum(drawn.std(axis=0), np.finfo(np.float64).tiny)
    recentred = mean >= -error * np.sqrt(2.0 * np.log(np.log(len(gains))))
    return mean / error, (drawn - np.where(recentred, mean, 0.0)) / error


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
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p)
    return adjusted
