"""Where a continuous jump model may be, and what moving costs."""

import itertools
import math

import numpy as np

from models.inference import Array


def simplex_grid(n_states: int, step: float) -> Array:
    """All vectors of the simplex whose entries are multiples of `step` (which divides 1), e_1 first, e_K last: (n_grid, n_states)."""
    parts = round(1.0 / step)
    chosen = list(itertools.combinations(range(parts + n_states - 1), n_states - 1))  # stars and bars
    bars = np.array(chosen, dtype=np.int64).reshape(len(chosen), n_states - 1)
    edges = np.hstack([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), parts + n_states - 1)])
    return np.asarray((np.diff(edges, axis=1) - 1)[::-1] / parts, dtype=np.float64)


def simplex_size(n_states: int, step: float) -> int:
    """Number of vectors of `simplex_grid`."""
    return math.comb(round(1.0 / step) + n_states - 1, n_states - 1)


def move_costs(vectors: Array, penalty: float, mode_loss: bool) -> Array:
    """Cost of moving between mixtures of states: penalty / 4 * ||v_i - v_j||_1^2, which is `penalty` between two unit vectors.

    With `mode_loss` the row of v_i gets log sum_j exp(-cost_ij) besides, less that of the first vector, so that exp(-cost) has rows of
    one sum and is a transition matrix up to a factor. Without it the middle of the simplex, with more neighbours, is favoured.
    """
    apart = np.zeros((len(vectors), len(vectors)))
    for column in vectors.T:
        apart += np.abs(column[:, None] - column[None, :])
    costs = penalty * (apart / 2.0) ** 2
    if mode_loss:
        offset = np.log(np.exp(-costs).sum(axis=1))  # the diagonal is 0: no row underflows
        costs += (offset - offset[0])[:, None]
    return costs
