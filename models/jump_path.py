"""The cheapest path of states over a whole sample, compiled: for fitting and research, never for what is served."""

import numpy as np
from numba import njit

from models.inference import Array
from models.jump import Labels


@njit(cache=True)
def cheapest_path(losses: Array, moves: Array) -> tuple[Labels, float]:
    """Path s_1..s_T of least sum_t losses[t, s_t] + sum_{t>1} moves[s_{t-1}, s_t] (dynamic programme), and its cost.

    Forward value function, then back from the cheapest end; of equal predecessors the first. O(T n_grid^2): a predecessor is looked for
    again on the way back, which is cheaper than to keep all of them.

    Parameters
    ----------
    losses : (n_obs, n_grid)
    moves : (n_grid, n_grid) cost of moving from a point (row) to another (column)

    Returns
    -------
    path : (n_obs,) points
    cost : of the path
    """
    n_obs, n_grid = losses.shape
    values = np.empty((n_obs, n_grid))
    values[0] = losses[0]
    reach = np.empty(n_grid)
    for t in range(1, n_obs):
        reach[:] = np.inf
        for i in range(n_grid):
            before = values[t - 1, i]
            for j in range(n_grid):
                cost = before + moves[i, j]
                reach[j] = cost if cost < reach[j] else reach[j]
        for j in range(n_grid):
            values[t, j] = losses[t, j] + reach[j]
    path = np.empty(n_obs, dtype=np.int64)
    path[-1] = values[-1].argmin()
    for t in range(n_obs - 1, 0, -1):
        best, at = np.inf, 0
        for i in range(n_grid):
            cost = values[t - 1, i] + moves[i, path[t]]
            if cost < best:
                best, at = cost, i
        path[t - 1] = at
    return path, values[-1, path[-1]]


def cheapest_paths(losses: Array, moves: Array, lengths: Labels) -> tuple[Labels, float]:
    """`cheapest_path` of each contiguous sequence, joined: a sequence begins anywhere at no cost.

    Parameters
    ----------
    lengths : rows of each sequence, in order
    """
    path, cost, first = np.empty(len(losses), dtype=np.int64), 0.0, 0
    for length in lengths:
        path[first : first + length], part = cheapest_path(losses[first : first + length], moves)
        cost += part
        first += length
    return path, cost
