"""Smoothed probabilities of all sequences from their log-densities."""

import numpy as np

from models.engine.compile import compiled
from models.engine.exponential import exponentiate
from models.engine.log_recursions import smooth_in_logs
from models.engine.quadratic import BLOCK
from models.engine.recursions import forward_backward, posteriors


@compiled
def exponentials(dens, rel):
    """Write exp(dens - the row's largest) into `rel` (K, n_obs) and give the sum of the largest."""
    n_states, n_obs = dens.shape
    top, bits, total = np.empty(BLOCK), np.empty(BLOCK, np.int64), 0.0
    for lo in range(0, n_obs, BLOCK):
        n = min(BLOCK, n_obs - lo)
        for t in range(n):
            top[t] = dens[0, lo + t]
        for k in range(1, n_states):
            row = dens[k, lo : lo + n]
            for t in range(n):
                top[t] = max(top[t], row[t])
        for t in range(n):
            total += top[t]
        for k in range(n_states):
            row, out = dens[k, lo : lo + n], rel[k, lo : lo + n]
            for t in range(n):
                out[t] = row[t] - top[t]
            exponentiate(out, bits, n)
    return total


@compiled
def smooth(start, trans, dens, offsets, rel, forward, gamma, scale, began, counts):
    """Smoothed probabilities of every sequence.

    Parameters
    ----------
    dens : (K, n_obs) log-densities
    offsets : (n_sequences + 1,) where each begins, and the end
    rel, forward : (K, n_obs), scratch; scale (n_obs,) too
    gamma : (K, n_obs), written with p(state_t | all rows of its sequence)
    began, counts : (K,), (K, K) expected first states and transitions, written

    Returns
    -------
    log-likelihood; minus infinity or NaN where there is none
    """
    n_states = len(start)
    kept = np.zeros((n_states, n_states))
    for i in range(n_states):
        began[i] = 0.0
        for j in range(n_states):
            counts[i, j] = 0.0
    log_lik = exponentials(dens, rel)
    for s in range(len(offsets) - 1):
        lo, hi = offsets[s], offsets[s + 1]
        part = forward_backward(start, trans, rel, lo, hi, forward, gamma, scale)
        if -np.inf < part < np.inf and posteriors(trans, rel, lo, hi, forward, gamma, scale, counts):
            log_lik += part
        else:
            for i in range(n_states):
                for j in range(n_states):
                    counts[i, j] = kept[i, j]
            for t in range(lo, hi):
                top = dens[0, t]
                for k in range(1, n_states):
                    top = max(top, dens[k, t])
                for k in range(n_states):  # beside a far row's own size the others would lose their digits
                    rel[k, t] = dens[k, t] - top
            log_lik += smooth_in_logs(start, trans, rel, lo, hi, forward, gamma, counts)
        for i in range(n_states):
            began[i] += gamma[i, lo]
            for j in range(n_states):
                kept[i, j] = counts[i, j]
    return log_lik
