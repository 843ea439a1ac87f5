"""Log-densities of rows under Gaussian and Student-t states; what is missing is integrated out."""

import math

import numpy as np

from models.engine.compile import compiled
from models.engine.gaussian import LOG_2PI, distance, quadratic_weights, sweep
from models.engine.quadratic import flatten, weighted_sums


@compiled
def log_constant(log_det, dof, n_seen):
    """Log-density of a Gaussian (`dof` infinite) or Student-t at its centre, for `n_seen` columns."""
    if np.isinf(dof):
        return -0.5 * (n_seen * LOG_2PI + log_det)
    return math.lgamma(0.5 * (dof + n_seen)) - math.lgamma(0.5 * dof) - 0.5 * (n_seen * math.log(dof * math.pi) + log_det)


@compiled
def log_densities(phi, totals, gaps, diagonal, means, scales, dof, jitter, dens, far):
    """Write the log-density of every row under every state; what is missing is integrated out.

    Where all states are Gaussian and nothing is missing, those of the state that suits all rows best are taken off all: only differences
    between states tell one from another, and the sum of what was taken off needs no pass over the rows.

    Parameters
    ----------
    phi : (n_terms, n_obs) of `models.engine.quadratic.design`, of rows with 0 where missing
    totals : (n_terms,) sums of its rows
    gaps : rows (n_gaps,) with something missing, pattern (n_gaps,) of each, seen (n_patterns, D) columns of a pattern
    diagonal : whether no scale has anything off its diagonal
    means, scales, dof : (K, D), (K, D, D), (K,); infinite degrees of freedom are a Gaussian
    jitter : (D,) added to the diagonal of a scale that is not positive definite, for a second try
    dens : (K, n_obs), written
    far : (K, n_obs) squared Mahalanobis distances, written for Student-t states

    Returns
    -------
    sum over rows of what was taken off; NaN where a scale is not positive definite
    """
    n_states, n_features = means.shape
    weights, constants, states = np.empty((n_states, len(phi))), np.empty(n_states), np.arange(n_states)
    if not _all_weights(diagonal, means, scales, dof, jitter, weights, constants):
        return np.nan
    taken_off = 0.0
    if all_alike(dof, gaps):
        best = 0
        taken_off = -np.inf
        for k in range(n_states):
            over_all = 0.0
            for m in range(len(phi)):
                over_all += weights[k, m] * totals[m]
            if over_all > taken_off:
                best, taken_off = k, over_all
        states = states[states != best]
        for k in states:
            for m in range(len(phi)):
                weights[k, m] -= weights[best, m]
        _fill(dens[best], 0.0)
    weighted_sums(phi, weights, states, dens)
    for k in range(n_states):
        if not np.isinf(dof[k]):
            _to_student(constants[k], dof[k], n_features, dens[k], far[k])
    if not _log_densities_of_gaps(phi, gaps, means, scales, dof, dens, far):
        return np.nan
    return taken_off


@compiled
def all_alike(dof, gaps):
    """Whether every state is Gaussian and every row complete."""
    for nu in dof:
        if not np.isinf(nu):
            return False
    return len(gaps[0]) == 0


@compiled
def _fill(out, value):
    for t in range(len(out)):
        out[t] = value


@compiled
def _all_weights(diagonal, means, scales, dof, jitter, weights, constants):
    """Write each state's weights of the products, a Gaussian's constant among them."""
    n_states, n_features = means.shape
    swept, triangle = np.empty((n_features, n_features)), np.empty((n_features + 1, n_features + 1))
    everything = np.ones(n_features, dtype=np.bool_)
    for k in range(n_states):
        log_det = quadratic_weights(means[k], scales[k], swept, everything, triangle)
        if np.isnan(log_det):
            for i in range(n_features):
                scales[k, i, i] += jitter[i]
            log_det = quadratic_weights(means[k], scales[k], swept, everything, triangle)
        if np.isnan(log_det):
            return False
        constants[k] = log_constant(log_det, dof[k], n_features)
        if np.isinf(dof[k]):
            triangle[0, 0] += constants[k]
        flatten(triangle, diagonal, weights[k])
    return True


@compiled
def _to_student(constant, dof, n_features, out, distances):
    """Turn minus half of squared distances in `out` into log-densities of a Student-t."""
    power = 0.5 * (dof + n_features)
    for t in range(len(out)):
        distances[t] = max(-2.0 * out[t], 0.0)
        out[t] = constant - power * math.log1p(distances[t] / dof)


@compiled
def _log_densities_of_gaps(phi, gaps, means, scales, dof, dens, far):
    rows, pattern, seen = gaps
    for m in range(len(seen)):
        n_seen = count_seen(seen[m])
        for k in range(len(means)):
            swept = scales[k].copy()
            log_det = sweep(swept, seen[m])
            if np.isnan(log_det):
                return False
            constant = log_constant(log_det, dof[k], n_seen)
            for r in range(len(rows)):
                if pattern[r] == m:
                    t = rows[r]
                    squared = distance(phi, t, means[k], swept, seen[m])
                    if np.isinf(dof[k]):
                        dens[k, t] = constant - 0.5 * squared
                    else:
                        far[k, t] = squared
                        dens[k, t] = constant - 0.5 * (dof[k] + n_seen) * math.log1p(squared / dof[k])
    return True


@compiled
def count_seen(on):
    """Number of columns that are there."""
    total = 0
    for each in on:
        total += each
    return total
