"""Forward and backward recursions of one sequence, scaled so that nothing underflows."""

import math

import numpy as np
from numba.cpython.unsafe.tuple import tuple_setitem

from models.engine.compile import compiled
from models.engine.quadratic import BLOCK

LOG_EVERY = 16
"""Scales that are multiplied before one logarithm is taken."""

LARGEST_SCALE = 1e18
"""aug row that all reachable states call this much less likely than the best state is left to the logarithms."""

TWO, THREE, FOUR = (0.0,) * 2, (0.0,) * 3, (0.0,) * 4

LEAST_COMMON = 1e-200
"""Forward times backward below this has lost digits: the logarithms do it again."""


@compiled
def forward_backward(start, trans, rel, lo, hi, forward, backward, scale):
    """Run both recursions over rows `lo` to `hi`: `_forward_backward` with the number of states known to the compiler up to 4.

    Parameters
    ----------
    start, trans : (K,), (K, K)
    rel : (K, n_obs) densities, the largest of a row 1
    forward, backward : (K, n_obs), written: proportional to p(state_t, x_lo..x_t) and to p(x_t+1..x_hi | state_t)
    scale : (n_obs,) factor of each forward row, written

    Returns
    -------
    log-likelihood of the sequence given `rel`; NaN where a row was all but impossible, and for more than 4 states
    """
    if len(start) == 1:
        return _forward_backward(start, trans, rel, lo, hi, forward, backward, scale, (0.0,), (0.0,))
    if len(start) == 2:
        return _forward_backward(start, trans, rel, lo, hi, forward, backward, scale, TWO, TWO + TWO)
    if len(start) == 3:
        return _forward_backward(start, trans, rel, lo, hi, forward, backward, scale, THREE, THREE + THREE + THREE)
    if len(start) == 4:
        return _forward_backward(start, trans, rel, lo, hi, forward, backward, scale, FOUR, FOUR + FOUR + FOUR + FOUR)
    return np.nan


@compiled
def _forward_backward(start, trans, rel, lo, hi, forward, backward, scale, states, cells):
    """Both recursions in one loop: the two wait on different numbers, so they overlap.

    Every second row is scaled, by the sum of the row two before, which is ready by then: no division holds the recursion up. `states` and
    `cells` are tuples of K and K * K zeros, whose types keep the loops over states in registers.
    """
    n_states = len(states)
    a, h, new, flat = states, states, states, cells
    for i in range(n_states):
        for j in range(n_states):
            flat = tuple_setitem(flat, i * n_states + j, trans[i, j])
    total = 0.0
    for k in range(n_states):
        value = start[k] * rel[k, lo]
        total += value
        forward[k, lo] = value
        backward[k, hi - 1] = 1.0
        a, h = tuple_setitem(a, k, value), tuple_setitem(h, k, rel[k, hi - 1])
    scale[lo] = 1.0
    ahead, behind = 1.0 / total, 1.0
    for step in range(1, hi - lo):
        t, u, even = np.uint64(lo + step), np.uint64(hi - 1 - step), step % 2 == 0  # unsigned: no look whether one counts from the end
        factor = ahead if even else 1.0
        scale[t] = factor
        total = 0.0
        for j in range(n_states):
            value = 0.0
            for i in range(n_states):
                value += flat[i * n_states + j] * a[i]
            value *= rel[j, t] * factor
            forward[j, t] = value
            new = tuple_setitem(new, j, value)
            total += value
        a = new
        if even:
            ahead = 1.0 / total
        factor = behind if even else 1.0
        total = 0.0
        for i in range(n_states):
            value = 0.0
            for j in range(n_states):
                value += flat[i * n_states + j] * h[j]
            backward[i, u] = value * factor
            value *= rel[i, u] * factor
            new = tuple_setitem(new, i, value)
            total += value
        h = new
        if even:
            behind = 1.0 / total
    total = 0.0
    for k in range(n_states):
        total += a[k]
    if not total > 1.0 / LARGEST_SCALE:
        return np.nan
    return math.log(total) - sum_of_logs(scale[lo:hi])


@compiled
def sum_of_logs(scale):
    """Sum of the logarithms of positive numbers; NaN where one is no number or above `LARGEST_SCALE`."""
    total, product = 0.0, 1.0
    for t in range(len(scale)):
        if not scale[t] < LARGEST_SCALE:
            return np.nan
        product *= scale[t]
        if t % LOG_EVERY == LOG_EVERY - 1:
            total += math.log(product)
            product = 1.0
    return total + math.log(product)


@compiled
def posteriors(trans, rel, lo, hi, forward, backward, scale, counts):
    """Turn the recursions of rows `lo` to `hi` into smoothed probabilities, and count transitions.

    Parameters
    ----------
    rel : (K, n_obs) as of `forward_backward`; overwritten
    backward : (K, n_obs); overwritten with p(state_t | all rows)
    counts : (K, K) expected transitions, added to

    Returns
    -------
    False where the two recursions left no number in common
    """
    n_states, least = len(trans), np.inf
    inverse = np.empty(BLOCK)
    for begin in range(lo, hi, BLOCK):
        n = min(BLOCK, hi - begin)
        for t in range(n):
            inverse[t] = 0.0
        for k in range(n_states):
            f, b = forward[k, begin : begin + n], backward[k, begin : begin + n]
            for t in range(n):
                inverse[t] += f[t] * b[t]
        for t in range(n):
            least = min(least, inverse[t])
            inverse[t] = 1.0 / inverse[t]
        factor = scale[begin : begin + n]
        for k in range(n_states):
            f, b, dens = forward[k, begin : begin + n], backward[k, begin : begin + n], rel[k, begin : begin + n]
            for t in range(n):
                smoothed = b[t] * inverse[t]
                dens[t] *= smoothed * factor[t]
                b[t] = smoothed * f[t]
    for i in range(n_states):
        for j in range(n_states):
            before, here, total = forward[i, lo : hi - 1], rel[j, lo + 1 : hi], 0.0
            for t in range(hi - lo - 1):
                total += before[t] * here[t]
            counts[i, j] += trans[i, j] * total
    return least > LEAST_COMMON
