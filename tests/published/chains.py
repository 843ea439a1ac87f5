"""Published Markov-switching models put before our filter: emissions with lags and regressors, and the state space they need."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.engine.filtering import filter_rows
from models.engine.posterior import smooth_densities
from models.engine.transitions import smooth_moving
from models.inference import filter_densities, stationary

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """A chain and its log-densities: `trans` is one matrix, or one a row that leads into that row."""

    dens: Array
    start: Array
    trans: Array

    @property
    def log_lik(self) -> float:
        return filter_densities(self.dens, self.start, self.trans).log_lik

    @property
    def compiled_log_lik(self) -> float:
        """The same by the compiled filter: for fits, which ask thousands of times."""
        log_next = np.empty(len(self.dens))
        filter_rows(self.dens, self.start, self.trans, np.array([len(self.dens)]), np.empty_like(self.dens), log_next)
        return float(log_next.sum())

    def filtered(self, n_regimes: int) -> Array:
        return by_newest(filter_densities(self.dens, self.start, self.trans).probs, n_regimes)

    def smoothed(self, n_regimes: int) -> Array:
        if self.trans.ndim == 2:
            return by_newest(smooth_densities(self.dens, self.start, self.trans), n_regimes)
        n_obs, n_states = self.dens.shape
        gamma, pairs = np.empty((n_states, n_obs)), np.empty((n_obs, n_states, n_states))
        smooth_moving(self.start, self.trans, np.ascontiguousarray(self.dens.T), np.array([0, n_obs]), gamma, pairs)
        return by_newest(gamma.T, n_regimes)


def two_states(p00: float, p10: float) -> Array:
    """Transition matrix from the two numbers that are published: stay in 0, and 1 to 0."""
    return np.array([[p00, 1.0 - p00], [p10, 1.0 - p10]])


def histories(n_regimes: int, order: int) -> NDArray[np.int64]:
    """All (state_t, state_t-1, .. state_t-order), the newest first and slowest to change."""
    return np.array(list(itertools.product(range(n_regimes), repeat=order + 1)))


def by_newest(probs: Array, n_regimes: int) -> Array:
    """Probabilities of histories added up by their newest state."""
    return probs.reshape(len(probs), n_regimes, -1).sum(axis=2)


def lagged_matrix(trans: Array, order: int) -> Array:
    """Transition matrix of histories: the newest moves by `trans`, the others shift."""
    all_of = histories(len(trans), order)
    shifts = (all_of[None, :, 1:] == all_of[:, None, :-1]).all(axis=2)
    return np.where(shifts, trans[all_of[:, None, 0], all_of[None, :, 0]], 0.0)


def lagged_start(law: Array, matrices: list[Array]) -> Array:
    """Law of the first history: the oldest state has law `law`, and `matrices` lead from each to the next."""
    all_of = histories(len(law), len(matrices))[:, ::-1]
    out = law[all_of[:, 0]]
    for step, trans in enumerate(matrices):
        out = out * trans[all_of[:, step], all_of[:, step + 1]]
    return out


def normal(gaps: Array, variances: Array) -> Array:
    """Log-density of a normal law at its mean plus `gaps`."""
    return -0.5 * (np.log(2.0 * np.pi * variances) + gaps**2 / variances)


def autoregression(y: Array, means: Array, phi: Array, variances: Array, trans: Array) -> Chain:
    """Hamilton's model: y_t - mu(s_t) = sum_j phi_j(s_t) (y_t-j - mu(s_t-j)) + e_t.

    Parameters
    ----------
    phi : (n_regimes, order)
    trans : (K, K), or (n_obs, K, K) where row t leads into t; the first state is that before the first row, from the steady state
    """
    order, all_of = phi.shape[1], histories(len(means), phi.shape[1])
    now = all_of[:, 0]
    lags = np.column_stack([y[order - j : len(y) - j] for j in range(order + 1)])
    gaps = lags[:, None, :] - means[all_of][None]
    residual = gaps[:, :, 0] - np.einsum("thj,hj->th", gaps[:, :, 1:], phi[now])
    dens = normal(residual, variances[now])
    if trans.ndim == 2:
        return Chain(dens, lagged_start(stationary(trans), [trans] * order), lagged_matrix(trans, order))
    law = stationary(trans[0]) @ trans[0]  # one move before the first row, as statsmodels has it
    moving = np.stack([lagged_matrix(each, order) for each in trans[order:]])
    return Chain(dens, lagged_start(law, list(trans[1 : order + 1])), moving)


def regression(y: Array, design: Array, coefs: Array, variances: Array, trans: Array) -> Chain:
    """y_t = design_t coefs(s_t) + e_t with coefs (n_regimes, n_columns)."""
    dens = normal(y[:, None] - design @ coefs.T, variances)
    return Chain(dens, stationary(trans), trans)
