"""The sums over rows that the parameters of Gaussian and Student-t states are estimated from."""

import math

import numpy as np

from models.engine.compile import compiled
from models.engine.emissions import all_alike, count_seen
from models.engine.gaussian import complete, sweep
from models.engine.quadratic import add_moments, add_to_triangle, total
from models.engine.special import digamma


@compiled
def emission_sums(phi, totals, gaps, diagonal, means, scales, dof, gamma, far, weight, mass, moments, excess):
    """Expected sums over rows: of probabilities, of weighted values and products, and what the degrees of freedom are found from.

    Where all states are Gaussian and nothing is missing, the sums of the state with most rows are what the others leave of all rows.

    Parameters
    ----------
    phi, totals : as of `models.engine.emissions.log_densities`
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
        n_seen = count_seen(seen[m])
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
