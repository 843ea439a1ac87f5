"""p-values of the model confidence set (Hansen, Lunde, Nason 2011), range statistic, every model at once."""

import numpy as np

from models.inference import Array


def confidence_set_p(losses: Array, counts: Array) -> Array:
    """p-value of each model: the smallest size at which it would leave the set.

    T_R: the largest t of a difference of two mean losses, against its maximum over the same pairs in resamples; the model that
    loses most clearly leaves, its p-value the largest so far. `arch.bootstrap.MCS` does the same with a cube of resamples by pairs
    of models (its p is # / reps, this one (1 + #) / (1 + reps)). The order of leaving needs no resample: it comes first here, and
    each model is then compared with those that outlast it, so that 200 models take half a second and little memory.

    Parameters
    ----------
    losses : (n_obs, n_models), at least two that differ from each other
    counts : as `training.evaluation.resampling.drawn_counts`

    Returns
    -------
    (n_models,), 1 for the last one left
    """
    mean = losses.mean(axis=0)
    drawn, reps = counts @ losses / len(losses) - mean, len(counts)
    product = drawn.T @ drawn / reps
    variance = np.diag(product)[:, None] + np.diag(product) - 2.0 * product
    np.fill_diagonal(variance, 1.0)
    error = np.sqrt(np.maximum(variance, np.finfo(np.float64).tiny))
    t = (mean[:, None] - mean) / error
    order, largest = _leaving(t)
    spread = np.zeros(reps)
    p = np.ones(len(mean))
    for step in range(len(order) - 2, -1, -1):
        leaves, stay = order[step], order[step + 1 :]
        apart = np.abs(drawn[:, [leaves]] - drawn[:, stay]) / error[leaves, stay]
        spread = np.maximum(spread, apart.max(axis=1))
        p[leaves] = (1 + np.sum(spread > largest[step])) / (1 + reps)
    p[order] = np.maximum.accumulate(p[order])
    return p


def _leaving(t: Array) -> tuple[list[int], list[float]]:
    """Models in the order in which they leave, and the statistic at which each does."""
    left = list(range(len(t)))
    order, largest = [], []
    while len(left) > 1:
        worst = t[np.ix_(left, left)].max(axis=1)
        order.append(left.pop(int(worst.argmax())))
        largest.append(float(worst.max()))
    return order + left, largest
