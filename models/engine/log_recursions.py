"""Forward and backward recursions of one sequence in logarithms: slow, and sure where a row is all but impossible."""

import math

import numpy as np

from models.engine.compile import compiled


@compiled
def log_sum(values):
    """Logarithm of the sum of exponentials; minus infinity where all are."""
    top, total = -np.inf, 0.0
    for value in values:
        top = max(top, value)
    if top == -np.inf:
        return top
    for value in values:
        total += math.exp(value - top)
    return top + math.log(total)


@compiled
def smooth_in_logs(start, trans, dens, lo, hi, forward, smoothed, counts):
    """Do the work of `models.engine.recursions.forward_backward` and `posteriors` with logarithms, for rows that are all but impossible.

    Parameters
    ----------
    dens : (K, n_obs) log-densities
    forward : (K, n_obs), overwritten with logarithms
    smoothed : (K, n_obs), written
    counts : (K, K), added to

    Returns
    -------
    log-likelihood; minus infinity where a row is impossible, and then nothing else is of use
    """
    n_states = len(trans)
    log_trans, terms = np.empty((n_states, n_states)), np.empty(n_states)
    for i in range(n_states):
        forward[i, lo] = (math.log(start[i]) if start[i] > 0.0 else -np.inf) + dens[i, lo]
        for j in range(n_states):
            log_trans[i, j] = math.log(trans[i, j]) if trans[i, j] > 0.0 else -np.inf
    for t in range(lo + 1, hi):
        for j in range(n_states):
            for i in range(n_states):
                terms[i] = forward[i, t - 1] + log_trans[i, j]
            forward[j, t] = log_sum(terms) + dens[j, t]
    for k in range(n_states):
        terms[k] = forward[k, hi - 1]
    total = log_sum(terms)
    if not total > -np.inf:
        return -np.inf
    ahead, here = np.zeros(n_states), np.empty(n_states)
    for t in range(hi - 1, lo - 1, -1):
        for k in range(n_states):
            smoothed[k, t] = math.exp(forward[k, t] + ahead[k] - total)
        if t == lo:
            break
        for i in range(n_states):
            for j in range(n_states):
                terms[j] = log_trans[i, j] + dens[j, t] + ahead[j]
                counts[i, j] += math.exp(forward[i, t - 1] + terms[j] - total)
            here[i] = log_sum(terms)
        for i in range(n_states):
            ahead[i] = here[i]
    return total
