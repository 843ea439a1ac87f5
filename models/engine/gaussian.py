"""Gaussian terms as weights of `models.engine.quadratic`, and rows in which something is missing."""

import math

import numpy as np

from models.engine.compile import compiled

LOG_2PI = math.log(2.0 * math.pi)


@compiled
def sweep(matrix, on):
    """Sweep a covariance on the columns `on`, in place (Goodnight 1979).

    Leaves, with o the swept columns and u the others: minus the inverse of the covariance of o in [o, o], the regression of u on o in
    [u, o], and the covariance of u given o in [u, u].

    Parameters
    ----------
    matrix : (D, D) symmetric
    on : (D,) bool

    Returns
    -------
    log-determinant of the covariance of the swept columns; NaN where it is not positive definite
    """
    n, log_det = len(matrix), 0.0
    for p in range(n):
        if not on[p]:
            continue
        pivot = matrix[p, p]
        if not pivot > 0.0:
            return np.nan
        log_det += math.log(pivot)
        for i in range(n):
            factor = matrix[i, p] / pivot
            for j in range(n):
                if i != p and j != p:
                    matrix[i, j] -= factor * matrix[p, j]
        for i in range(n):
            matrix[i, p] /= pivot
            matrix[p, i] = matrix[i, p]
        matrix[p, p] = -1.0 / pivot
    return log_det


@compiled
def quadratic_weights(mean, scale, swept, everything, weights):
    """Write the weights of -(x - mean)' scale^-1 (x - mean) / 2.

    Parameters
    ----------
    mean, scale : (D,), (D, D)
    swept : (D, D), written with `scale` swept on all columns
    everything : (D,) bool, all true
    weights : (D + 1, D + 1), lower triangle written

    Returns
    -------
    log-determinant of `scale`; NaN where it is not positive definite
    """
    n = len(mean)
    for i in range(n):
        for j in range(n):
            swept[i, j] = scale[i, j]
    log_det = sweep(swept, everything)
    weights[0, 0] = 0.0
    for i in range(n):
        linear = 0.0
        for j in range(n):
            linear -= swept[i, j] * mean[j]
            if j < i:
                weights[1 + i, 1 + j] = swept[i, j]
        weights[1 + i, 1 + i] = 0.5 * swept[i, i]
        weights[1 + i, 0] = linear
        weights[0, 0] -= 0.5 * linear * mean[i]
    return log_det


@compiled
def distance(aug, t, mean, swept, on):
    """Squared Mahalanobis distance of the columns `on` of row t; `swept` as `sweep` leaves it."""
    total = 0.0
    for i in range(len(mean)):
        for j in range(len(mean)):
            if on[i] and on[j]:
                total -= (aug[1 + i, t] - mean[i]) * swept[i, j] * (aug[1 + j, t] - mean[j])
    return total


@compiled
def complete(aug, t, mean, swept, on, out):
    """Write row t as [1, x], what is missing replaced by its expectation given the columns `on`."""
    out[0] = 1.0
    for i in range(len(mean)):
        out[1 + i] = aug[1 + i, t]
        if not on[i]:
            out[1 + i] = mean[i]
            for j in range(len(mean)):
                if on[j]:
                    out[1 + i] += swept[i, j] * (aug[1 + j, t] - mean[j])
