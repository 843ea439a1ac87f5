"""Recursions of a chain whose transition matrix differs from row to row."""

import math

import numpy as np

from models.engine.compile import compiled


@compiled
def smooth_moving(start, trans, dens, offsets, gamma, pairs):
    """Forward and backward recursions, each row scaled to one (Rabiner 1989, section V.A).

    Parameters
    ----------
    trans : (n_obs, K, K), row t leads from t - 1 to t
    dens : (K, n_obs) log-densities
    offsets : (n_sequences + 1,) where each sequence begins, and the end
    gamma : (K, n_obs), written with p(state_t | all rows of its sequence)
    pairs : (n_obs, K, K), written with p(state_t-1, state_t | all rows); zero for first rows

    Returns
    -------
    log-likelihood; minus infinity or NaN where a row is impossible in every state that can be reached
    """
    n_states, n_obs = dens.shape
    rel, scale, log_lik = np.empty((n_obs, n_states)), np.empty(n_obs), 0.0
    for s in range(len(offsets) - 1):
        for t in range(offsets[s], offsets[s + 1]):
            peak = dens[0, t]
            for k in range(1, n_states):
                peak = max(peak, dens[k, t])
            scale[t] = 0.0
            for j in range(n_states):
                value = start[j]
                if t > offsets[s]:
                    value = 0.0
                    for i in range(n_states):
                        value += gamma[i, t - 1] * trans[t, i, j]
                rel[t, j] = math.exp(dens[j, t] - peak)
                gamma[j, t] = value * rel[t, j]
                scale[t] += gamma[j, t]
            for j in range(n_states):
                gamma[j, t] /= scale[t]
            log_lik += math.log(scale[t]) + peak
        _look_back(trans, rel, scale, offsets[s], offsets[s + 1], gamma, pairs)
    return log_lik


@compiled
def _look_back(trans, rel, scale, lo, hi, gamma, pairs):
    """Turn filtered probabilities of rows `lo` to `hi` into smoothed ones, and write those of pairs."""
    n_states = len(gamma)
    ahead, here = np.ones(n_states), np.empty(n_states)
    for t in range(hi - 1, lo - 1, -1):
        for j in range(n_states):
            here[j] = ahead[j] * rel[t, j] / scale[t]
        for i in range(n_states):
            gamma[i, t] *= ahead[i]
            ahead[i] = 0.0
            for j in range(n_states):
                pairs[t, i, j] = 0.0
                if t > lo:
                    part = trans[t, i, j] * here[j]
                    pairs[t, i, j] = gamma[i, t - 1] * part
                    ahead[i] += part
