"""The covariates of a chain: what is accepted, and the units in which a logit reads them."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from models.errors import FitError
from models.params import Array


def checked_covariates(covariates: ArrayLike, n_obs: int) -> Array:
    """Check the covariates of `n_obs` rows.

    Raises
    ------
    ValueError
        For what is not two-dimensional, not numeric or infinite, and for another number of rows.
    """
    z = np.asarray(check_array(covariates, dtype=np.float64, ensure_all_finite="allow-nan", input_name="covariates"))
    if len(z) != n_obs:
        raise ValueError(f"TVTPHMM: {len(z)} rows of covariates for {n_obs} of X; rule: a row each (the last drives the move after them)")
    return z


def units_of(z: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each covariate (n_obs, n_covariates).

    Raises
    ------
    FitError
        For one that is constant or never there.
    """
    seen = ~np.isnan(z)
    varies = np.array([seen[:, p].any() and np.ptp(z[seen[:, p], p]) > 0.0 for p in range(z.shape[1])])
    if not varies.all():
        raise FitError(f"TVTPHMM: covariate {int((~varies).argmax())} is constant or never there; rule: one that varies. Leave it out")
    return np.nanmean(z, axis=0), np.nanstd(z, axis=0)
