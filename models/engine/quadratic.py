"""Quadratic forms of rows: log-densities from weights, and the moments that EM needs.

A row x is written as a = [1, x]. A Gaussian's exponent is the sum of weights[i, j] a_i a_j over i >= j, and the sums that the M-step needs
are those of g a_i a_j: both are a lower triangle of (D + 1, D + 1), and no product of columns is ever stored.
"""

import numpy as np

from models.engine.compile import compiled

BLOCK = 256
"""Rows at a time, so that a block of all columns stays in the first-level cache between states."""


@compiled
def quadratic_forms(aug, weights, diagonal, lo, out, inner):
    """Write the quadratic form of rows from `lo` on into `out` (n_rows,).

    Parameters
    ----------
    aug : (D + 1, n_obs) rows as [1, x]
    weights : (D + 1, D + 1), lower triangle
    diagonal : whether only squares and linear terms have weights
    inner : (n_rows,) scratch
    """
    n, last = len(out), len(aug) - 1
    for t in range(n):
        out[t] = weights[0, 0]
    for i in range(1, last + 1):
        x, row = aug[i, lo : lo + n], weights[i]
        if diagonal:
            linear, square = row[0], row[i]
            for t in range(n):
                out[t] += x[t] * (linear + square * x[t])
            continue
        for t in range(n):
            inner[t] = 0.0
        for j in range(0, i + 1, 4):
            _combine_four(aug, row, j, i, lo, inner)
        for t in range(n):
            out[t] += x[t] * inner[t]


@compiled
def _combine_four(aug, row, j, i, lo, inner):
    """Add four terms in a pass: `inner` is loaded and stored once for them. Those beyond the diagonal weigh nothing."""
    n, last = len(inner), len(aug) - 1
    a, b = aug[j, lo : lo + n], aug[min(j + 1, last), lo : lo + n]
    c, d = aug[min(j + 2, last), lo : lo + n], aug[min(j + 3, last), lo : lo + n]
    wa = row[j]
    wb = row[j + 1] if j + 1 <= i else 0.0
    wc = row[j + 2] if j + 2 <= i else 0.0
    wd = row[j + 3] if j + 3 <= i else 0.0
    for t in range(n):
        inner[t] += (wa * a[t] + wb * b[t]) + (wc * c[t] + wd * d[t])


@compiled
def add_moments(g, aug, diagonal, lo, moments):
    """Add the sums of g a_i a_j over rows from `lo` on to `moments` (D + 1, D + 1), lower triangle.

    Parameters
    ----------
    g : (n_rows,) weights of the rows
    diagonal : whether only linear terms and squares are needed
    """
    n, last = len(g), len(aug) - 1
    ones = aug[0, lo : lo + n]
    for i in range(last + 1):
        x = aug[i, lo : lo + n]
        if diagonal:
            moments[i, 0] += _sum(g, x, ones)
            if i > 0:
                moments[i, i] += _sum(g, x, x)
            continue
        for j in range(0, i + 1, 4):
            b, c, d = min(j + 1, last), min(j + 2, last), min(j + 3, last)
            _add_four(g, x, aug[j, lo : lo + n], aug[b, lo : lo + n], aug[c, lo : lo + n], aug[d, lo : lo + n], moments[i], j, i + 1 - j)


@compiled
def _sum(g, x, y):
    total = 0.0
    for t in range(len(g)):
        total += g[t] * x[t] * y[t]
    return total


@compiled
def _add_four(g, x, a, b, c, d, row, j, wanted):
    """Four sums in a pass: the loads of g and x are shared. Of the last four `wanted` may be fewer."""
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    for t in range(len(g)):
        h = g[t] * x[t]
        first += h * a[t]
        second += h * b[t]
        third += h * c[t]
        fourth += h * d[t]
    row[j] += first
    if wanted > 1:
        row[j + 1] += second
    if wanted > 2:
        row[j + 2] += third
    if wanted > 3:
        row[j + 3] += fourth


def augmented(X: np.ndarray) -> np.ndarray:
    """Lay rows (n_obs, D) out as [1, x], (D + 1, n_obs), 0 where missing."""
    return np.ascontiguousarray(np.vstack([np.ones(len(X)), np.nan_to_num(X.T, nan=0.0)]))
