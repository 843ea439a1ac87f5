"""Smoothed probabilities of given parameters."""

import numpy as np
from numpy.typing import NDArray

from models.engine.filtering import log_densities
from models.engine.smoothing import smooth
from models.params import Array, HMMParams


def smooth_history(X: Array, params: HMMParams, lengths: NDArray[np.int64] | None = None) -> Array:
    """p(state_t | all rows of its sequence), (n_obs, n_states).

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    lengths : rows of each sequence in `X`; one sequence if None
    """
    return smooth_densities(log_densities(X, params), params.start, params.trans, lengths)


def smooth_densities(dens: Array, start: Array, trans: Array, lengths: NDArray[np.int64] | None = None) -> Array:
    """p(state_t | all rows) from log-densities (n_obs, n_states), whatever the emissions are."""
    n_obs, n_states = dens.shape
    runs = np.array([n_obs]) if lengths is None else lengths
    offsets = np.concatenate([[0], np.cumsum(runs)]).astype(np.int64)
    scratch, forward, gamma = np.empty((n_states, n_obs)), np.empty((n_states, n_obs)), np.empty((n_states, n_obs))
    began, counts = np.empty(n_states), np.empty((n_states, n_states))
    smooth(start, trans, np.ascontiguousarray(dens.T), offsets, scratch, forward, gamma, np.empty(n_obs), began, counts)
    return np.ascontiguousarray(gamma.T)
