"""Small models and worlds with known truth, shared by the tests of models."""

import itertools

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import norm

from models.inference import HMMParams
from sources.simulated.regimes import TRANSITIONS, draw_regimes

Array = NDArray[np.float64]


def random_params(rng: np.random.Generator, n_states: int, n_features: int) -> HMMParams:
    """Any model: nothing in it is special."""
    start, trans = rng.dirichlet(np.ones(n_states)), rng.dirichlet(np.ones(n_states), size=n_states)
    return HMMParams(start, trans, rng.normal(size=(n_states, n_features)), rng.uniform(0.3, 3.0, size=(n_states, n_features)))


def with_gaps(X: Array, rng: np.random.Generator, share: float = 0.3) -> Array:
    return np.where(rng.random(X.shape) < share, np.nan, X)


def enumerate_paths(X: Array, params: HMMParams) -> tuple[Array, float]:
    """Filtered probabilities of the last row and the log-likelihood, by adding up every path of states."""
    n_obs, n_states = len(X), params.n_states
    sd, seen = np.sqrt(params.variances), ~np.isnan(X)
    dens = [[norm.logpdf(x[s], params.means[k][s], sd[k][s]).sum() for k in range(n_states)] for x, s in zip(X, seen, strict=True)]
    ends: list[list[float]] = [[] for _ in range(n_states)]
    with np.errstate(divide="ignore"):
        log_start, log_trans = np.log(params.start), np.log(params.trans)
    for path in itertools.product(range(n_states), repeat=n_obs):
        log_joint = log_start[path[0]] + sum(log_trans[a, b] for a, b in itertools.pairwise(path))
        ends[path[-1]].append(log_joint + sum(dens[t][k] for t, k in enumerate(path)))
    by_end = logsumexp(np.array(ends), axis=1)
    log_lik = float(logsumexp(by_end))
    return np.exp(by_end - log_lik), log_lik


def two_state_returns(
    n_obs: int, seed: int, sigmas: tuple[float, ...] = (0.009, 0.020), means: tuple[float, ...] | None = None
) -> tuple[NDArray[np.int64], Array, HMMParams]:
    """States, returns (n_obs, 1) and true parameters of market S (METHODS 6)."""
    made = draw_regimes(n_obs, 2, np.random.default_rng(seed), sigmas=sigmas, means=means)
    truth = HMMParams(np.array([0.75, 0.25]), np.array(TRANSITIONS[2]), made.means[:, None], made.sigmas[:, None] ** 2)
    return made.states[-n_obs:], made.returns[-n_obs:, None], truth


def balanced_accuracy(states: NDArray[np.int64], probs: Array) -> float:
    called = probs.argmax(axis=1)
    return float(np.mean([(called[states == k] == k).mean() for k in np.unique(states)]))


def frame_of(X: Array, columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(X, columns=list(columns), index=pd.bdate_range("2001-01-01", periods=len(X), name="session"))
