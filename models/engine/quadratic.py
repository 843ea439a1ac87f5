"""Quadratic forms of rows: log-densities from weights, and the moments that EM needs.

A row x is written as a = [1, x]. A Gaussian's exponent is the sum of weights[i, j] a_i a_j over i >= j, and the sums that the M-step needs
are those of g a_i a_j. The products a_i a_j are made once, as the rows of a design: both are then passes over it, four products and two
states at a time, so that what is loaded is used often.
"""

import numpy as np

from models.engine.compile import compiled

BLOCK = 512
"""Rows at a time, so that what is written stays in the first-level cache from one product to the next."""

WIDTH = 4
"""Products in a pass; a design is filled up with zeros to a multiple of it."""


def augmented(X: np.ndarray) -> np.ndarray:
    """Lay rows (n_obs, D) out as [1, x], (D + 1, n_obs), 0 where missing."""
    out = np.empty((X.shape[1] + 1, len(X)))
    out[0], out[1:] = 1.0, X.T
    out[np.isnan(out)] = 0.0
    return out


@compiled
def design(aug, diagonal):
    """Products of the columns of `aug` (D + 1, n_obs): first 1 and x themselves, then x_i x_j for i >= j, for i = j alone if `diagonal`."""
    last, n_obs = len(aug) - 1, aug.shape[1]
    n_terms = len(aug) + (last if diagonal else last * (last + 1) // 2)
    out = np.zeros(((n_terms + WIDTH - 1) // WIDTH * WIDTH, n_obs))
    for i in range(last + 1):
        _multiply(aug[i], aug[0], out[i])
    at = last + 1
    for i in range(1, last + 1):
        for j in range(i if diagonal else 1, i + 1):
            _multiply(aug[i], aug[j], out[at])
            at += 1
    return out


@compiled
def _multiply(x, y, out):
    for t in range(len(out)):
        out[t] = x[t] * y[t]


@compiled
def flatten(triangle, diagonal, flat):
    """Write a lower triangle (D + 1, D + 1) in the order of `design`."""
    last = len(triangle) - 1
    for i in range(last + 1):
        flat[i] = triangle[i, 0]
    at = last + 1
    for i in range(1, last + 1):
        for j in range(i if diagonal else 1, i + 1):
            flat[at] = triangle[i, j]
            at += 1
    for m in range(at, len(flat)):
        flat[m] = 0.0


@compiled
def add_to_triangle(flat, diagonal, triangle):
    """Add what is in the order of `design` to a lower triangle (D + 1, D + 1)."""
    last = len(triangle) - 1
    for i in range(last + 1):
        triangle[i, 0] += flat[i]
    at = last + 1
    for i in range(1, last + 1):
        for j in range(i if diagonal else 1, i + 1):
            triangle[i, j] += flat[at]
            at += 1


@compiled
def weighted_sums(phi, weights, states, out):
    """Write sums over the products, weights[k] times phi, into `out` (K, n_obs) for some of the states.

    Parameters
    ----------
    phi : (n_terms, n_obs) as `design` makes it
    weights : (K, n_terms)
    states : (n,) which of them
    """
    n_obs = phi.shape[1]
    for lo in range(0, n_obs, BLOCK):
        hi = min(lo + BLOCK, n_obs)
        for s in range(0, len(states), 2):
            k, other = states[s], states[min(s + 1, len(states) - 1)]
            first, second = out[k, lo:hi], out[other, lo:hi]
            for t in range(hi - lo):
                first[t] = 0.0
                second[t] = 0.0
            for m in range(0, len(phi), WIDTH):
                a, b, c, d = phi[m, lo:hi], phi[m + 1, lo:hi], phi[m + 2, lo:hi], phi[m + 3, lo:hi]
                if k == other:
                    _combine(a, b, c, d, weights[k], m, first)
                else:
                    _combine_two(a, b, c, d, weights[k], weights[other], m, first, second)


@compiled
def _combine(a, b, c, d, weights, m, out):
    wa, wb, wc, wd = weights[m], weights[m + 1], weights[m + 2], weights[m + 3]
    for t in range(len(out)):
        out[t] += (wa * a[t] + wb * b[t]) + (wc * c[t] + wd * d[t])


@compiled
def _combine_two(a, b, c, d, weights, others, m, first, second):
    wa, wb, wc, wd = weights[m], weights[m + 1], weights[m + 2], weights[m + 3]
    va, vb, vc, vd = others[m], others[m + 1], others[m + 2], others[m + 3]
    for t in range(len(first)):
        first[t] += (wa * a[t] + wb * b[t]) + (wc * c[t] + wd * d[t])
        second[t] += (va * a[t] + vb * b[t]) + (vc * c[t] + vd * d[t])


@compiled
def add_moments(phi, g, states, moments):
    """Add the sums over rows of g[k] times each product to `moments` (K, n_terms), for some of the states; others as of `weighted_sums`."""
    n_obs = phi.shape[1]
    for lo in range(0, n_obs, BLOCK):
        hi = min(lo + BLOCK, n_obs)
        for s in range(0, len(states), 2):
            k, other = states[s], states[min(s + 1, len(states) - 1)]
            for m in range(0, len(phi), WIDTH):
                a, b, c, d = phi[m, lo:hi], phi[m + 1, lo:hi], phi[m + 2, lo:hi], phi[m + 3, lo:hi]
                if k == other:
                    _project(a, b, c, d, g[k, lo:hi], m, moments[k])
                else:
                    _project_two(a, b, c, d, g[k, lo:hi], g[other, lo:hi], m, moments[k], moments[other])


@compiled
def _project(a, b, c, d, g, m, out):
    p, q, r, s = 0.0, 0.0, 0.0, 0.0
    for t in range(len(g)):
        p += g[t] * a[t]
        q += g[t] * b[t]
        r += g[t] * c[t]
        s += g[t] * d[t]
    out[m] += p
    out[m + 1] += q
    out[m + 2] += r
    out[m + 3] += s


@compiled
def _project_two(a, b, c, d, g, h, m, first, second):
    p, q, r, s = 0.0, 0.0, 0.0, 0.0
    u, v, w, z = 0.0, 0.0, 0.0, 0.0
    for t in range(len(g)):
        p += g[t] * a[t]
        q += g[t] * b[t]
        r += g[t] * c[t]
        s += g[t] * d[t]
        u += h[t] * a[t]
        v += h[t] * b[t]
        w += h[t] * c[t]
        z += h[t] * d[t]
    first[m] += p
    first[m + 1] += q
    first[m + 2] += r
    first[m + 3] += s
    second[m] += u
    second[m + 1] += v
    second[m + 2] += w
    second[m + 3] += z


@compiled
def total(values):
    """Sum of values (n,)."""
    result = 0.0
    for t in range(len(values)):
        result += values[t]
    return result
