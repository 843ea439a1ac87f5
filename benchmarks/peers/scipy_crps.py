"""CRPS of mixtures of normals by numerical integration with scipy."""

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import ndtr

Array = NDArray[np.float64]

REACH = 12.0
"""Standard deviations beyond the outermost part at which nothing is left."""


def crps_by_quadrature(y: Array, weights: Array, means: Array, sds: Array) -> Array:
    """Integrate (F(z) - 1{z >= y})^2 over z, row by row.

    Parameters
    ----------
    y : (n_obs,)
    weights, means, sds : (n_obs, n_parts)
    """
    return np.array([_one(*row) for row in zip(y, weights, means, sds, strict=True)])


def _one(y: float, weights: Array, means: Array, sds: Array) -> float:
    def below(z: float) -> float:
        return float(weights @ ndtr((z - means) / sds))

    low = min(y, float((means - REACH * sds).min()))
    high = max(y, float((means + REACH * sds).max()))
    left, _ = quad(lambda z: below(z) ** 2, low, y)
    right, _ = quad(lambda z: (1.0 - below(z)) ** 2, y, high)
    return float(left + right)
