"""Log-densities of rows under Gaussian and Student-t states, and the sums over rows that their parameters are estimated from."""

import math

import numpy as np

from models.engine.compile import compiled
from models.engine.gaussian import LOG_2PI, complete, distance, quadratic_weights, sweep
from models.engine.quadratic import add_moments, add_to_triangle, flatten, total, weighted_sums
from models.engine.special import digamma


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
        n_seen = _count(seen[m])
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
def _count(on):
    total = 0
    for each in on:
        total += each
    return total


@compiled
def emission_sums(phi, totals, gaps, diagonal, means, scales, dof, gamma, far, weight, mass, moments, excess):
    """Expected sums over rows: of probabilities, of weighted values and products, and what the degrees of freedom are found from.

    Where all states are Gaussian and nothing is missing, the sums of the state with most rows are what the others leave of all rows.

    Parameters
    ----------
    phi, totals : as of `log_densities`
    gamma, far : (K, n_obs) of this E-step
    weight : (K, n_obs), scratch: gamma times the scale weight u = (nu + d) / (nu + distance) of a Student-t state
    mass : (K,) sums of gamma, written
    moments : (K, D + 1, D + 1) sums of weight times a_i a_j with a = [1, x], lower triangle written
    excess : (K,) written for Student-t states: sums of gamma (log u - u + digamma((nu + d) / 2) - log((nu + d) / 2))
    """
    n_states, most = len(gamma), 0
    states, flat = np.arange(n_states), np.zeros((n_states, len(phi)))
    for k in range(n_states):
        mass[k], excess[k] = total(gamma[k]), 0.0
        most = k if mass[k] > mass[most] else most
        for i in range(moments.shape[1]):
            for j in range(moments.shape[1]):
                moments[k, i, j] = 0.0
    if all_alike(dof, gaps):
        others = states[states != most]
        add_moments(phi, gamma, others, flat)
        for m in range(len(phi)):
            flat[most, m] = totals[m]
            for k in others:
                flat[most, m] -= flat[k, m]
    else:
        for k in range(n_states):
            excess[k] = _scale_weights(dof[k], means.shape[1], gamma[k], far[k], weight[k])
        _sums_of_gaps(phi, gaps, means, scales, dof, gamma, far, weight, moments, excess)
        add_moments(phi, weight, states, flat)
    for k in range(n_states):
        add_to_triangle(flat[k], diagonal, moments[k])


@compiled
def _scale_weights(dof, n_features, gamma, distances, weight):
    """Write gamma times the scale weights of one state, and give its `excess`."""
    if np.isinf(dof):
        for t in range(len(gamma)):
            weight[t] = gamma[t]
        return 0.0
    whole, excess = dof + n_features, 0.0
    shift = digamma(0.5 * whole) - math.log(0.5 * whole)
    for t in range(len(gamma)):
        u = whole / (dof + distances[t])
        weight[t] = gamma[t] * u
        excess += gamma[t] * (math.log(u) - u + shift)
    return excess


@compiled
def _sums_of_gaps(phi, gaps, means, scales, dof, gamma, far, weight, moments, excess):
    rows, pattern, seen = gaps
    n_rows = means.shape[1] + 1
    a = np.empty(n_rows)
    for m in range(len(seen)):
        n_seen = _count(seen[m])
        for k in range(len(means)):
            swept = scales[k].copy()
            sweep(swept, seen[m])
            total = 0.0
            for r in range(len(rows)):
                if pattern[r] != m:
                    continue
                t = rows[r]
                g = gamma[k, t]
                u = 1.0
                if not np.isinf(dof[k]):
                    u = (dof[k] + n_seen) / (dof[k] + far[k, t])
                    excess[k] += g * (_excess(dof[k], n_seen, far[k, t]) - _excess(dof[k], n_rows - 1, far[k, t]))
                complete(phi, t, means[k], swept, seen[m], a)
                total += g
                for i in range(n_rows):
                    for j in range(i + 1):
                        moments[k, i, j] += g * u * a[i] * a[j]
                weight[k, t] = 0.0  # the pass over complete rows leaves it out
            for i in range(n_rows - 1):
                for j in range(i + 1):
                    if not seen[m, i] and not seen[m, j]:
                        moments[k, i + 1, j + 1] += total * swept[i, j]


@compiled
def _excess(dof, n_seen, squared):
    half, u = 0.5 * (dof + n_seen), (dof + n_seen) / (dof + squared)
    return math.log(u) - u + digamma(half) - math.log(half)
