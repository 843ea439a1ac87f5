"""Log-densities of observations under Gaussian and Student-t states; what is missing is integrated out."""

import math

import numpy as np
from numpy.typing import NDArray

from models.errors import ScoringError
from models.params import Array, HMMParams

LOG_2PI = math.log(2.0 * math.pi)

SECOND_TRY = 1e-7
"""Variance that hmmlearn adds to a covariance that is not positive definite."""


def whitening(params: HMMParams, seen: NDArray[np.bool_]) -> tuple[Array, Array]:
    """What a density needs of the parameters, for observations of the columns `seen`.

    Parameters
    ----------
    seen : (n_features,)

    Returns
    -------
    whiten : (n_states, n_seen, n_seen) lower triangular; whiten (x - mean) has the unit matrix as its scale
    constant : (n_states,) log-density at the mean
    """
    part, n_seen = params.marginal(seen), int(seen.sum())
    whiten = np.asarray(np.linalg.inv(_roots(part.scales)) if n_seen else np.empty((params.n_states, 0, 0)), dtype=np.float64)
    log_det = -2.0 * np.log(np.diagonal(whiten, axis1=1, axis2=2)).sum(axis=1)
    gauss = -0.5 * (n_seen * LOG_2PI + log_det)
    student = [
        math.lgamma(0.5 * (nu + n_seen)) - math.lgamma(0.5 * nu) - 0.5 * (n_seen * math.log(nu * math.pi) + each) if np.isfinite(nu) else g
        for nu, each, g in zip(params.dof, log_det, gauss, strict=True)
    ]
    return whiten, np.array(student)


def _roots(scales: Array) -> Array:
    """Cholesky factors; a scale that is not positive definite gets hmmlearn's second try."""
    try:
        return np.asarray(np.linalg.cholesky(scales), dtype=np.float64)
    except np.linalg.LinAlgError:
        pass
    try:
        return np.asarray(np.linalg.cholesky(scales + SECOND_TRY * np.eye(scales.shape[1])), dtype=np.float64)
    except np.linalg.LinAlgError as trouble:
        least = np.linalg.eigvalsh(np.where(np.isfinite(scales), scales, 0.0))[:, 0]
        raise ScoringError(
            f"emissions: the covariance of state {int(least.argmin())} is not positive definite (least eigenvalue {least.min():.2g}); "
            "rule: above 0. Fit with prior='data', fewer states or fewer columns"
        ) from trouble


def patterns(X: Array) -> list[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """Group rows by which columns are there: pairs of columns (n_features,) bool and positions of rows."""
    seen = ~np.isnan(X)
    if seen.all():
        return [(np.ones(X.shape[1], dtype=np.bool_), np.arange(len(X)))]
    packed = np.packbits(seen, axis=1)  # one word a row: sorting words is many times as fast as sorting rows
    words = packed.view(f"V{packed.shape[1]}").ravel()
    _, first, which = np.unique(words, return_index=True, return_inverse=True)
    return [(seen[row], np.flatnonzero(which == m)) for m, row in enumerate(first)]


def squared_distances(X: Array, mean: Array, whiten: Array) -> Array:
    """Squared Mahalanobis distances of rows (n_obs, n_features); a row's bits do not depend on the others, as a matrix product's may."""
    gap = X - mean
    total = np.zeros(len(X))
    for i in range(X.shape[1]):
        z = np.zeros(len(X))
        for j in range(i + 1):
            if whiten[i, j] != 0.0:
                z = z + whiten[i, j] * gap[:, j]
        total = total + z * z
    return total


def log_density(X: Array, params: HMMParams) -> Array:
    """Log-density of each row under each state; a NaN is marginalised out.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing

    Returns
    -------
    (n_obs, n_states); 0 in every state for a row with nothing in it, which leaves the forecast as it is
    """
    out = np.zeros((len(X), params.n_states))
    for seen, rows in patterns(X):
        if not seen.any():
            continue
        whiten, constant = whitening(params, seen)
        part = X[np.ix_(rows, seen)]
        for k in range(params.n_states):
            out[rows, k] = constant[k] + kernel(squared_distances(part, params.means[k, seen], whiten[k]), params.dof[k], int(seen.sum()))
    return out


def kernel(squared: Array, dof: float, n_seen: int) -> Array:
    """Log-density relative to that at the mean, from squared distances."""
    if np.isinf(dof):
        return -0.5 * squared
    return -0.5 * (dof + n_seen) * np.log1p(squared / dof)
