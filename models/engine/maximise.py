"""The M-step: parameters from expected sums and priors, in hmmlearn's meaning of its priors."""

import math

import numpy as np

from models.engine.compile import compiled, compiled_inside
from models.engine.gaussian import sweep
from models.engine.special import digamma

SPHERICAL, DIAG, TIED, FULL = 0, 1, 2, 3

LEAST_DOF, MOST_DOF = 3.0, 200.0
"""Range of the degrees of freedom: below 3 a variance is hardly there, above 200 nothing tells a Student-t from a Gaussian."""

LEAST_ROWS = 1e-5
"""Rows that a state's variances are divided by at least, as hmmlearn does."""

LEAST_PROB = 1e-100
"""A probability below this is none: EM makes one that nothing speaks for ever smaller, down to denormal numbers, which are slow."""


@compiled
def normalise(prior, counts, probs):
    """Set probabilities to the mode of a Dirichlet posterior; what was impossible stays so.

    Parameters
    ----------
    prior, counts, probs : (K,); `probs` is overwritten, with zeros where nothing was counted
    """
    total = 0.0
    for k in range(len(probs)):
        probs[k] = max(prior[k] - 1.0 + counts[k], 0.0) if probs[k] > 0.0 else 0.0
        total += probs[k]
    if total > 0.0:
        for k in range(len(probs)):
            probs[k] = probs[k] / total if probs[k] > LEAST_PROB * total else 0.0


@compiled
def maximise_means(moments, prior_mean, prior_weight, means):
    """Set means (K, D) from weighted sums; `prior_weight` rows at `prior_mean` (K, D) are added."""
    for k in range(len(means)):
        if not prior_weight + moments[k, 0, 0] > 0.0:
            continue  # a state that holds nothing stays where it was
        for i in range(means.shape[1]):
            means[k, i] = (prior_weight * prior_mean[k, i] + moments[k, 1 + i, 0]) / (prior_weight + moments[k, 0, 0])


@compiled_inside
def maximise_scales(mass, moments, means, prior_mean, prior_weight, scatter, rows, kind, scales):
    """Set scales (K, D, D) from weighted sums about the new means.

    Parameters
    ----------
    scatter : (K, D, D) sums of squares of the prior
    rows : rows that the prior counts for
    kind : SPHERICAL, DIAG, TIED or FULL
    """
    n_states, n_features = means.shape
    for k in range(n_states):
        divisor = rows + mass[k] if kind == FULL else max(rows + mass[k], LEAST_ROWS)
        for i in range(n_features):
            for j in range(i + 1):
                value = 0.0
                if i == j or kind >= TIED:
                    value = moments[k, 1 + i, 1 + j] - moments[k, 1 + i, 0] * means[k, j] - means[k, i] * moments[k, 1 + j, 0]
                    value += means[k, i] * means[k, j] * moments[k, 0, 0]
                    value += prior_weight * (means[k, i] - prior_mean[k, i]) * (means[k, j] - prior_mean[k, j])
                    if kind != TIED:
                        value = (value + scatter[k, i, j]) / divisor
                scales[k, i, j] = value
                scales[k, j, i] = value
        if kind == SPHERICAL:
            mean = 0.0
            for i in range(n_features):
                mean += scales[k, i, i] / n_features
            for i in range(n_features):
                scales[k, i, i] = mean
    if kind == TIED:
        _pool(mass, scatter[0], rows, scales)


@compiled
def _pool(mass, scatter, rows, scales):
    n_states, n_features = scales.shape[:2]
    divisor = rows
    for k in range(n_states):
        divisor += mass[k]
    for i in range(n_features):
        for j in range(n_features):
            value = scatter[i, j]
            for k in range(n_states):
                value += scales[k, i, j]
            for k in range(n_states):
                scales[k, i, j] = value / divisor


@compiled
def slope_of_dof(dof, mass, excess, shape, rate):
    """Derivative of the expected log-posterior in the degrees of freedom (Liu and Rubin 1995, eq. 30; Gamma prior)."""
    half = 0.5 * dof
    return 0.5 * (mass * (1.0 + math.log(half) - digamma(half)) + excess) + (shape - 1.0) / dof - rate


@compiled
def maximise_dof(mass, excess, shape, rate):
    """Degrees of freedom of one state: root of `slope_of_dof` by bisection, within [LEAST_DOF, MOST_DOF]."""
    low, high = LEAST_DOF, MOST_DOF
    if slope_of_dof(low, mass, excess, shape, rate) <= 0.0:
        return low
    if slope_of_dof(high, mass, excess, shape, rate) >= 0.0:
        return high
    while high - low > 1e-10 * high:
        middle = 0.5 * (low + high)
        if slope_of_dof(middle, mass, excess, shape, rate) > 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@compiled
def update_dof(mass, excess, shape, rate, shared, dof):
    """Set the degrees of freedom (K,) of all states, one for all where they are shared."""
    all_mass, all_excess = 0.0, 0.0
    for k in range(len(dof)):
        all_mass += mass[k]
        all_excess += excess[k]
    for k in range(len(dof)):
        dof[k] = maximise_dof(all_mass, all_excess, shape, rate) if shared else maximise_dof(mass[k], excess[k], shape, rate)


@compiled
def log_prior(start, trans, means, scales, dof, shared_dof, priors, kind):
    """Log prior density of all parameters without its constants, as the M-step maximises it; NaN where a scale is singular."""
    start_counts, trans_counts, prior_mean, prior_weight, scatter, rows, shape, rate = priors
    n_states, n_features = means.shape
    total, swept, everything = 0.0, np.empty((n_features, n_features)), np.ones(n_features, dtype=np.bool_)
    for i in range(n_states):
        if start_counts[i] > 1.0 and start[i] > 0.0:
            total += (start_counts[i] - 1.0) * math.log(start[i])
        for j in range(n_states):
            if trans_counts[i, j] > 1.0 and trans[i, j] > 0.0:
                total += (trans_counts[i, j] - 1.0) * math.log(trans[i, j])
    for k in range(n_states):
        for i in range(n_features):
            for j in range(n_features):
                swept[i, j] = scales[k, i, j]
        log_det = sweep(swept, everything)
        own = kind != TIED or k == 0
        if own:
            total -= 0.5 * rows * log_det
        for i in range(n_features):
            for j in range(n_features):
                gaps = (means[k, i] - prior_mean[k, i]) * (means[k, j] - prior_mean[k, j])
                total += 0.5 * swept[i, j] * (prior_weight * gaps + (scatter[k, i, j] if own else 0.0))
        if not np.isinf(dof[k]) and (k == 0 or not shared_dof):
            total += (shape - 1.0) * math.log(dof[k]) - rate * dof[k]
    return total
