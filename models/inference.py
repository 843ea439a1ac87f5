"""Hidden-Markov inference. The name of a function says what its answer has seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class HMMParams:
    """Parameters of an HMM with Gaussian emissions, independent across features within a state.

    Attributes
    ----------
    start : (n_states,) probabilities of the first state
    trans : (n_states, n_states) transition matrix, rows sum to one
    means, variances : (n_states, n_features)
    """

    start: Array
    trans: Array
    means: Array
    variances: Array

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.start)

    def reordered(self, order: NDArray[np.int64]) -> "HMMParams":
        """Same model with its states in another order."""
        return HMMParams(self.start[order], self.trans[np.ix_(order, order)], self.means[order], self.variances[order])


@dataclass(frozen=True)
class Filtered:
    """Outcome of `forward_filter`.

    Attributes
    ----------
    probs : (n_obs, n_states) p(state_t | x_1..x_t)
    log_next : (n_obs,) one-step log scores, log p(x_t | x_1..x_{t-1})
    """

    probs: Array
    log_next: Array

    @property
    def log_lik(self) -> float:
        """Log-likelihood of the whole sequence."""
        return float(self.log_next.sum())


def log_density(X: Array, params: HMMParams) -> Array:
    """Log-density of each row under each state; a NaN is marginalised out.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing

    Returns
    -------
    (n_obs, n_states); 0 in every state for a row with nothing in it, which leaves the forecast as it is
    """
    seen = ~np.isnan(X)
    filled = np.where(seen, X, 0.0)
    out = np.empty((len(X), params.n_states))
    for k in range(params.n_states):
        mean, variance = params.means[k], params.variances[k]
        terms = LOG_2PI + np.log(variance) + (filled - mean) ** 2 / variance
        out[:, k] = -0.5 * np.where(seen, terms, 0.0).sum(axis=1)
    return out


def filter_step(prior: Array, log_dens: Array) -> tuple[Array, float]:
    """Update state probabilities with one observation (Hamilton 1989, eq. 4.5 - 4.8).

    Parameters
    ----------
    prior : (n_states,) p(state_t | x_1..x_{t-1})
    log_dens : (n_states,) log p(x_t | state_t)

    Returns
    -------
    posterior : (n_states,) p(state_t | x_1..x_t)
    log_next : log p(x_t | x_1..x_{t-1})
    """
    possible = np.where(prior > 0.0, log_dens, -np.inf)  # a state that cannot be must not set the scale
    peak = possible.max()
    if peak == -np.inf:  # every possible state calls the observation impossible: keep what was believed
        return prior, float(peak)
    joint = prior * np.exp(possible - peak)
    total = joint.sum()
    return joint / total, float(np.log(total) + peak)


def forward_filter(X: Array, params: HMMParams, prior: Array | None = None) -> Filtered:
    """Filtered state probabilities of a sequence: row t has seen x_1..x_t and nothing later.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    prior : (n_states,) p(state) for the first row before it is seen; the model's `start` if None
    """
    dens = log_density(X, params)
    probs = np.empty_like(dens)
    log_next = np.empty(len(X))
    belief = params.start if prior is None else prior
    for t in range(len(X)):
        probs[t], log_next[t] = filter_step(belief, dens[t])
        belief = probs[t] @ params.trans
    return Filtered(probs, log_next)


def predict_next(probs: Array, trans: Array) -> Array:
    """p(state_{t+1} | x_1..x_t) from the filtered (..., n_states) probabilities of t."""
    return probs @ trans


def predict_average(probs: Array, trans: Array, steps: int) -> Array:
    """Average of p(state_{t+i} | x_1..x_t) over i = 1..steps: the regime that a forward return lives through.

    Parameters
    ----------
    probs : (n_obs, n_states) filtered probabilities
    steps : horizon in sessions, at least 1
    """
    power = np.eye(len(trans))
    total = np.zeros_like(trans)
    for _ in range(steps):
        power = power @ trans
        total += power
    average = total / steps
    out = np.zeros_like(probs)
    for k in range(len(trans)):
        out += probs[:, [k]] * average[k]  # a matrix product would round one row otherwise than many
    return out


def expected_dwell(trans: Array) -> Array:
    """Expected sessions in each state once entered, 1 / (1 - a_kk)."""
    with np.errstate(divide="ignore"):
        return 1.0 / (1.0 - np.diag(trans))
