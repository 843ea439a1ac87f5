"""What the compiled kernels are checked against: sums over every path of states, EM in plain NumPy, log-densities of SciPy."""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, logsumexp
from scipy.stats import multivariate_normal, multivariate_t

from models.params import HMMParams

Array = NDArray[np.float64]


def dirichlet(rng: np.random.Generator, n_states: int, zeros: bool) -> Array:
    """Probabilities, a third of them structural zeros where `zeros`."""
    probs = rng.dirichlet(np.ones(n_states))
    if zeros and n_states > 1:
        probs[rng.random(n_states) < 1 / 3] = 0.0
        probs[rng.integers(n_states)] += 1e-3
    return probs / probs.sum()


def drawn_params(
    rng: np.random.Generator, n_states: int, n_features: int, covariance_type: str = "full", heavy: bool = False, zeros: bool = False
) -> HMMParams:
    """Any model of a covariance type."""
    start, trans = dirichlet(rng, n_states, zeros), np.array([dirichlet(rng, n_states, zeros) for _ in range(n_states)])
    roots = rng.normal(size=(n_states, n_features, n_features)) + 2.0 * np.eye(n_features)
    scales = roots @ roots.transpose(0, 2, 1) / n_features
    if covariance_type == "tied":
        scales[:] = scales[0]
    if covariance_type in ("diag", "spherical"):
        scales = scales * np.eye(n_features)
    if covariance_type == "spherical":
        scales = scales[:, :1, :1] * np.eye(n_features)
    dof = rng.uniform(3.0, 30.0, n_states) if heavy else np.full(n_states, np.inf)
    return HMMParams(start, trans, 1.5 * rng.normal(size=(n_states, n_features)), scales, dof)


def scipy_densities(X: Array, params: HMMParams) -> Array:
    """Log-densities (n_obs, n_states) by SciPy's own laws, a missing column left out of the law."""
    out = np.zeros((len(X), params.n_states))
    for t, x in enumerate(X):
        seen = ~np.isnan(x)
        for k in range(params.n_states if seen.any() else 0):
            mean, scale = params.means[k, seen], params.scales[k][np.ix_(seen, seen)]
            heavy = np.isfinite(params.dof[k])
            law = multivariate_t(mean, scale, df=params.dof[k]) if heavy else multivariate_normal(mean, scale)
            out[t, k] = law.logpdf(x[seen])
    return out


class Paths(NamedTuple):
    """Sums over every path: filtered and smoothed (n_obs, n_states), expected transitions (n_states, n_states), log-likelihood."""

    filtered: Array
    smoothed: Array
    counts: Array
    log_lik: float


def sum_over_paths(dens: Array, start: Array, trans: Array) -> Paths:
    """Add up all n_states ** n_obs paths, with no recursion; each prefix has sums of its own for the filter."""
    n_obs, n_states = dens.shape
    with np.errstate(divide="ignore"):
        log_start, log_trans = np.log(start), np.log(trans)
    filtered = np.empty((n_obs, n_states))
    for end in range(1, n_obs + 1):
        paths = np.array(list(itertools.product(range(n_states), repeat=end)))
        joint = log_start[paths[:, 0]] + dens[np.arange(end), paths].sum(axis=1)
        for t in range(1, end):
            joint = joint + log_trans[paths[:, t - 1], paths[:, t]]
        total = logsumexp(joint)
        weights = np.exp(joint - total)
        filtered[end - 1] = np.bincount(paths[:, -1], weights, minlength=n_states)
    smoothed = np.array([np.bincount(paths[:, t], weights, minlength=n_states) for t in range(n_obs)])
    counts = np.zeros((n_states, n_states))
    for t in range(1, n_obs):
        np.add.at(counts, (paths[:, t - 1], paths[:, t]), weights)
    return Paths(filtered, smoothed, counts, float(total))


def plain_posterior(dens: Array, start: Array, trans: Array) -> Paths:
    """The textbook recursions in logarithms, one row after another (Rabiner 1989): what `sum_over_paths` gives, for longer sequences."""
    n_obs, n_states = dens.shape
    top = dens.max(axis=1)
    dens = dens - top[:, None]  # numbers of the size of a far row's density would have no digits left for the others
    with np.errstate(divide="ignore"):
        log_start, log_trans = np.log(start), np.log(trans)
    forward, backward = np.empty((n_obs, n_states)), np.zeros((n_obs, n_states))
    forward[0] = log_start + dens[0]
    for t in range(1, n_obs):
        forward[t] = logsumexp(forward[t - 1][:, None] + log_trans, axis=0) + dens[t]
    for t in range(n_obs - 2, -1, -1):
        backward[t] = logsumexp(log_trans + dens[t + 1] + backward[t + 1], axis=1)
    total = logsumexp(forward[-1])
    counts = np.zeros((n_states, n_states))
    for t in range(1, n_obs):
        counts += np.exp(forward[t - 1][:, None] + log_trans + dens[t] + backward[t] - total)
    filtered = np.exp(forward - logsumexp(forward, axis=1, keepdims=True))
    return Paths(filtered, np.exp(forward + backward - total), counts, float(total + top.sum()))


class Sums(NamedTuple):
    """Sums of an E-step: first states and transitions; of each state those of gamma, of weighted [1, x][1, x]' and of the excess."""

    began: Array
    counts: Array
    mass: Array
    moments: Array
    excess: Array
    log_lik: float


def plain_sums(X: Array, params: HMMParams, lengths: list[int]) -> Sums:
    """One E-step row by row: a missing value's conditional expectation, and its conditional covariance (Ghahramani and Jordan 1994)."""
    n_states, n_features = params.n_states, X.shape[1]
    began, counts = np.zeros(n_states), np.zeros((n_states, n_states))
    mass, excess = np.zeros(n_states), np.zeros(n_states)
    moments, log_lik, gammas = np.zeros((n_states, n_features + 1, n_features + 1)), 0.0, []
    for part in np.split(X, np.cumsum(lengths)[:-1]):
        paths = plain_posterior(scipy_densities(part, params), params.start, params.trans)
        began, counts, log_lik = began + paths.smoothed[0], counts + paths.counts, log_lik + paths.log_lik
        gammas.append(paths.smoothed)
    for x, gamma in zip(X, np.concatenate(gammas), strict=True):
        seen = ~np.isnan(x)
        for k in range(n_states):
            scale, mean, dof = params.scales[k], params.means[k], params.dof[k]
            inside = np.linalg.inv(scale[np.ix_(seen, seen)]) if seen.any() else np.empty((0, 0))
            gap = x[seen] - mean[seen]
            regression = scale[np.ix_(~seen, seen)] @ inside
            filled, extra = x.copy(), np.zeros((n_features + 1, n_features + 1))
            filled[~seen] = mean[~seen] + regression @ gap
            extra[1:, 1:][np.ix_(~seen, ~seen)] = scale[np.ix_(~seen, ~seen)] - regression @ scale[np.ix_(seen, ~seen)]
            u, half = 1.0, 0.5 * (dof + seen.sum())
            if np.isfinite(dof):
                u = (dof + seen.sum()) / (dof + gap @ inside @ gap)
                excess[k] += gamma[k] * (np.log(u) - u + digamma(half) - np.log(half))
            one = np.concatenate([[1.0], filled])
            mass[k] += gamma[k]
            moments[k] += gamma[k] * (u * np.outer(one, one) + extra)
    return Sums(began, counts, mass, moments, excess, log_lik)
