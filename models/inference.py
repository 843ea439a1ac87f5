"""Hidden-Markov inference in NumPy: what a server runs. The name of a function says what its answer has seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.emissions import log_density
from models.params import Array, HMMParams

__all__ = [
    "Array",
    "Filtered",
    "HMMParams",
    "average_move",
    "expected_dwell",
    "filter_step",
    "forward_filter",
    "log_density",
    "predict_average",
    "predict_moved",
    "predict_next",
]


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


def filter_densities(log_dens: Array, start: Array, trans: Array) -> Filtered:
    """Filter a sequence from its log-densities alone, whatever the emissions are.

    Parameters
    ----------
    log_dens : (n_obs, n_states) log p(x_t | state_t)
    start : (n_states,) p(state) for the first row before it is seen
    trans : (n_states, n_states), or (n_obs, n_states, n_states) where row t of it leads from t - 1 to t (the first is not used)
    """
    probs, log_next = np.empty_like(log_dens), np.empty(len(log_dens))
    belief = start
    for t in range(len(log_dens)):
        if t > 0:
            belief = probs[t - 1] @ (trans if trans.ndim == 2 else trans[t])
        probs[t], log_next[t] = filter_step(belief, log_dens[t])
    return Filtered(probs, log_next)


def forward_filter(X: Array, params: HMMParams, prior: Array | None = None) -> Filtered:
    """Filtered state probabilities of a sequence: row t has seen x_1..x_t and nothing later.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    prior : (n_states,) p(state) for the first row before it is seen; the model's `start` if None
    """
    return filter_densities(log_density(X, params), params.start if prior is None else prior, params.trans)


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
    return predict_moved(probs, average_move(trans, steps))


def average_move(trans: Array, steps: int) -> Array:
    """Mean of the powers 1..steps of a transition matrix."""
    power = np.eye(len(trans))
    total = np.zeros_like(trans)
    for _ in range(steps):
        power = power @ trans
        total += power
    return np.asarray(total / steps)


def predict_moved(probs: Array, move: Array) -> Array:
    """Rows (n_obs, n_states) moved by one matrix, or by (n_obs, n_states, n_states) one each; a row's bits do not depend on the others."""
    out = np.zeros_like(probs)
    for k in range(probs.shape[1]):  # a matrix product would round one row otherwise than many
        out += probs[:, [k]] * move[..., k, :]
    return out


def expected_dwell(trans: Array) -> Array:
    """Expected sessions in each state once entered, 1 / (1 - a_kk)."""
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / (1.0 - np.diag(trans)), dtype=np.float64)


def stationary(trans: Array) -> NDArray[np.float64]:
    """Long-run probabilities of the states, (n_states,): the left eigenvector of eigenvalue one, by least squares."""
    n_states = len(trans)
    equations = np.vstack([trans.T - np.eye(n_states), np.ones(n_states)])
    probs = np.linalg.lstsq(equations, np.append(np.zeros(n_states), 1.0), rcond=None)[0]
    return np.asarray(np.clip(probs, 0.0, None) / np.clip(probs, 0.0, None).sum())
