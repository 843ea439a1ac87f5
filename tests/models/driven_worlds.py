"""Worlds whose transitions a covariate drives, and what must come out, by enumeration."""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from models.params import HMMParams
from models.transitions import transition_matrices
from models.tvtp import TVTPParams
from tests.models.worlds import Array

COEFS = np.array([[[0.0, 0.0], [-4.6, 1.5]], [[-3.5, -1.0], [0.0, 0.0]]])
"""Market S at an average covariate (leaves 'on' in 1%, 'off' in 3% of days); a standard deviation more makes the odds 4.5 and .37 times."""


def covariate(n_obs: int, rng: np.random.Generator, persistence: float = 0.95) -> Array:
    """A persistent series of unit variance, (n_obs, 1)."""
    shocks = rng.normal(size=n_obs) * np.sqrt(1.0 - persistence**2)
    z = np.empty(n_obs)
    z[0] = rng.normal()
    for t in range(1, n_obs):
        z[t] = persistence * z[t - 1] + shocks[t]
    return z[:, None]


def driven_returns(n_obs: int, seed: int, coefs: Array = COEFS, dof: float = np.inf) -> tuple[NDArray[np.int64], Array, Array, TVTPParams]:
    """States, returns (n_obs, 1), covariate (n_obs, 1) and true parameters; scaled to unit variance where `dof` is finite."""
    rng = np.random.default_rng(seed)
    z = covariate(n_obs, rng)
    leading, uniforms = transition_matrices(coefs, z), rng.random(n_obs)
    states = np.zeros(n_obs, dtype=np.int64)
    for t in range(1, n_obs):
        states[t] = uniforms[t] > leading[t - 1, states[t - 1], 0]
    means, sigmas = np.array([0.0008, -0.0015]), np.array([0.009, 0.020])
    shocks = rng.normal(size=n_obs) if np.isinf(dof) else rng.standard_t(dof, n_obs)
    scales = sigmas**2 * (1.0 if np.isinf(dof) else (dof - 2.0) / dof)
    X = (means[states] + np.sqrt(scales)[states] * shocks)[:, None]
    average = transition_matrices(coefs, np.zeros((1, 1)))[0]
    truth = HMMParams(np.array([0.75, 0.25]), average, means[:, None], scales[:, None], np.full(2, dof))
    return states, X, z, TVTPParams(truth, coefs, np.zeros(1), np.ones(1))


def random_driven(rng: np.random.Generator, n_states: int, n_features: int, n_covariates: int) -> TVTPParams:
    """Any model: nothing in it is special."""
    coefs = rng.normal(size=(n_states, n_states, 1 + n_covariates))
    coefs[np.arange(n_states), np.arange(n_states)] = 0.0
    start, means = rng.dirichlet(np.ones(n_states)), rng.normal(size=(n_states, n_features))
    average = transition_matrices(coefs, np.zeros((1, n_covariates)))[0]
    hmm = HMMParams(start, average, means, rng.uniform(0.3, 3.0, size=(n_states, n_features)))
    return TVTPParams(hmm, coefs, rng.normal(size=n_covariates), rng.uniform(0.5, 2.0, size=n_covariates))


def enumerate_driven(X: Array, covariates: Array, params: TVTPParams) -> tuple[Array, float]:
    """p(state before, state after, row | all rows), (n_obs - 1, K, K), and the log-likelihood, adding up all paths."""
    n_obs, n_states, hmm = len(X), params.hmm.n_states, params.hmm
    z = (covariates - params.center) / params.scale
    pairs, total = np.zeros((n_obs - 1, n_states, n_states)), 0.0
    for path in itertools.product(range(n_states), repeat=n_obs):
        weight = hmm.start[path[0]]
        for t, k in enumerate(path):
            weight *= np.exp(norm.logpdf(X[t], hmm.means[k], np.sqrt(hmm.variances[k])).sum())
        for t, (i, j) in enumerate(itertools.pairwise(path)):
            odds = [np.exp(params.coefs[i, to, 0] + params.coefs[i, to, 1:] @ z[t]) for to in range(n_states)]
            weight *= odds[j] / sum(odds)
        total += weight
        for t, (i, j) in enumerate(itertools.pairwise(path)):
            pairs[t, i, j] += weight
    return pairs / total, float(np.log(total))
