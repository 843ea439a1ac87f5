"""Log-densities of rows under Gaussian and Student-t states, and the sums over rows that their parameters are estimated from."""

import math

import numpy as np

from models.engine.compile import compiled
from models.engine.gaussian import LOG_2PI, complete, distance, quadratic_weights, sweep
from models.engine.quadratic import BLOCK, add_moments, quadratic_forms
from models.engine.special import digamma


@compiled
def log_constant(log_det, dof, n_seen):
    """Log-density of a Gaussian (`dof` infinite) or Student-t at its centre, for `n_seen` columns."""
    if np.isinf(dof):
        return -0.5 * (n_seen * LOG_2PI + log_det)
    return math.lgamma(0.5 * (dof + n_seen)) - math.lgamma(0.5 * dof) - 0.5 * (n_seen * math.log(dof * math.pi) + log_det)


@compiled
def log_densities(aug, gaps, diagonal, means, scales, dof, jitter, dens, far):
    """Write the log-density of every row under every state; what is missing is integrated out.

    Parameters
    ----------
    aug : (D + 1, n_obs) rows as [1, x], 0 where missing
    gaps : rows (n_gaps,) with something missing, pattern (n_gaps,) of each, seen (n_patterns, D) columns of a pattern
    diagonal : whether no scale has anything off its diagonal
    means, scales, dof : (K, D), (K, D, D), (K,); infinite degrees of freedom are a Gaussian
    jitter : (D,) added to the diagonal of a scale that is not positive definite, for a second try
    dens : (K, n_obs), written
    far : (K, n_obs) squared Mahalanobis distances, written for Student-t states

    Returns
    -------
    False where a scale is not positive definite
    """
    n_features, n_obs = len(aug) - 1, aug.shape[1]
    inner = np.empty(BLOCK)
    swept, weights = np.empty((n_features, n_features)), np.empty((n_features + 1, n_features + 1))
    everything = np.ones(n_features, dtype=np.bool_)
    for k in range(len(means)):
        log_det = quadratic_weights(means[k], scales[k], swept, everything, weights)
        if np.isnan(log_det):
            for i in range(n_features):
                scales[k, i, i] += jitter[i]
            log_det = quadratic_weights(means[k], scales[k], swept, everything, weights)
        if np.isnan(log_det):
            return False
        constant = log_constant(log_det, dof[k], n_features)
        if np.isinf(dof[k]):
            weights[0, 0] += constant
        out = dens[k]
        for lo in range(0, n_obs, BLOCK):
            n = min(BLOCK, n_obs - lo)
            quadratic_forms(aug, weights, diagonal, lo, out[lo : lo + n], inner[:n])
        if not np.isinf(dof[k]):
            distances, power = far[k], 0.5 * (dof[k] + n_features)
            for t in range(n_obs):
                distances[t] = max(-2.0 * out[t], 0.0)
                out[t] = constant - power * math.log1p(distances[t] / dof[k])
    return _log_densities_of_gaps(aug, gaps, means, scales, dof, dens, far)


@compiled
def _log_densities_of_gaps(aug, gaps, means, scales, dof, dens, far):
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
                    squared = distance(aug, t, means[k], swept, seen[m])
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
def emission_sums(aug, gaps, diagonal, means, scales, dof, gamma, far, weight, mass, moments, excess):
    """Expected sums over rows: of probabilities, of weighted values and products, and what the degrees of freedom are found from.

    Parameters
    ----------
    gamma, far : (K, n_obs) of this E-step
    weight : (K, n_obs), scratch: gamma times the scale weight u = (nu + d) / (nu + distance) of a Student-t state
    mass : (K,) sums of gamma, written
    moments : (K, D + 1, D + 1) sums of weight times a_i a_j with a = [1, x], lower triangle written
    excess : (K,) written for Student-t states: sums of gamma (log u - u + digamma((nu + d) / 2) - log((nu + d) / 2))
    """
    n_states, n_obs = gamma.shape
    n_features = len(aug) - 1
    for k in range(n_states):
        mass[k], excess[k] = 0.0, 0.0
        for i in range(n_features + 1):
            for j in range(n_features + 1):
                moments[k, i, j] = 0.0
        row, out = gamma[k], weight[k]
        for t in range(n_obs):
            mass[k] += row[t]
            out[t] = row[t]
        if not np.isinf(dof[k]):
            whole, distances = dof[k] + n_features, far[k]
            shift = digamma(0.5 * whole) - math.log(0.5 * whole)
            for t in range(n_obs):
                u = whole / (dof[k] + distances[t])
                out[t] *= u
                excess[k] += row[t] * (math.log(u) - u + shift)
    _sums_of_gaps(aug, gaps, diagonal, means, scales, dof, gamma, far, weight, moments, excess)
    for lo in range(0, n_obs, BLOCK):
        for k in range(n_states):
            add_moments(weight[k, lo : min(lo + BLOCK, n_obs)], aug, diagonal, lo, moments[k])


@compiled
def _sums_of_gaps(aug, gaps, diagonal, means, scales, dof, gamma, far, weight, moments, excess):
    rows, pattern, seen = gaps
    n_rows = len(aug)
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
                complete(aug, t, means[k], swept, seen[m], a)
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
