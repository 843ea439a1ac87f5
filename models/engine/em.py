"""EM from one start, in one compiled call."""

import numpy as np

from models.engine.compile import compiled
from models.engine.emission_sums import emission_sums
from models.engine.emissions import log_densities
from models.engine.maximise import DIAG, log_prior, maximise_means, maximise_scales, normalise, update_dof
from models.engine.quadratic import design, total
from models.engine.smoothing import smooth

RAN_OUT, CONVERGED, SINGULAR, IMPOSSIBLE = 0, 1, 2, 3
"""How EM ended: out of iterations, gain below `tol`, a scale not positive definite, or rows that the model calls impossible."""


@compiled
def run_em(aug, gaps, offsets, params, priors, kind, update, shared_dof, maximum_posterior, n_iter, tol, jitter, history):
    """Climb the likelihood, or the posterior, from `params`, which are overwritten.

    Parameters
    ----------
    aug : (D + 1, n_obs) rows as [1, x], 0 where missing (`models.engine.quadratic.augmented`)
    gaps : as of `models.engine.emissions.log_densities`
    offsets : (n_sequences + 1,) where each sequence begins, and the end
    params : start (K,), trans (K, K), means (K, D), scales (K, D, D), dof (K,) (infinite: Gaussian)
    priors : Dirichlet counts of start and transitions, mean (K, D) and its rows, scatter (K, D, D) and its rows, shape and rate of dof
    kind : covariance type, of `models.engine.maximise`
    update : start, trans, means, scales, dof: which of them are estimated
    shared_dof : whether all states have the same degrees of freedom
    maximum_posterior : whether the priors belong to what must rise
    tol : stop when an iteration gains less
    jitter : (D,) as of `models.engine.emissions.log_densities`
    history : (n_iter, 2) log-likelihood and objective of each iteration, written

    Returns
    -------
    n_done, status
    """
    start, trans, means, scales, dof = params
    start_counts, trans_counts, prior_mean, prior_weight, scatter, rows, shape, rate = priors
    n_states, n_obs, diagonal = len(start), aug.shape[1], kind <= DIAG
    dens, rel, forward = np.empty((n_states, n_obs)), np.empty((n_states, n_obs)), np.empty((n_states, n_obs))
    gamma, scale, heavy = np.empty((n_states, n_obs)), np.empty(n_obs), False
    for k in range(n_states):
        heavy = heavy or not np.isinf(dof[k])
    far = np.zeros((n_states, n_obs if heavy else 0))
    began, counts, mass, excess = np.empty(n_states), np.empty((n_states, n_states)), np.empty(n_states), np.empty(n_states)
    moments = np.empty((n_states, len(aug), len(aug)))
    phi = design(aug, diagonal)
    totals = np.array([total(row) for row in phi])
    for iteration in range(n_iter):
        taken_off = log_densities(phi, totals, gaps, diagonal, means, scales, dof, jitter, dens, far)
        if np.isnan(taken_off):
            return iteration, SINGULAR
        log_lik = taken_off + smooth(start, trans, dens, offsets, rel, forward, gamma, scale, began, counts)
        if not -np.inf < log_lik < np.inf:  # of a sum that may be reordered, isfinite says nothing
            return iteration, IMPOSSIBLE
        history[iteration, 0] = log_lik
        history[iteration, 1] = log_lik
        if maximum_posterior:
            history[iteration, 1] += log_prior(start, trans, means, scales, dof, shared_dof, priors, kind)
        emission_sums(phi, totals, gaps, diagonal, means, scales, dof, gamma, far, forward, mass, moments, excess)
        if update[0]:
            normalise(start_counts, began, start)
        if update[1]:
            for i in range(n_states):
                normalise(trans_counts[i], counts[i], trans[i])
        if update[2]:
            maximise_means(moments, prior_mean, prior_weight, means)
        if update[3]:
            maximise_scales(mass, moments, means, prior_mean, prior_weight, scatter, rows, kind, scales)
        if update[4]:
            update_dof(mass, excess, shape, rate, shared_dof, dof)
        if iteration > 0 and history[iteration, 1] - history[iteration - 1, 1] < tol:
            return iteration + 1, CONVERGED
    return n_iter, RAN_OUT
