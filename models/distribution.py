"""Forecasts as distributions: finite mixtures of normals, one a row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from models.inference import Array

BISECTIONS = 60
"""Halvings of the bracket: 2^-60 of its width, below the last digit of a double."""


@dataclass(frozen=True)
class NormalMixture:
    """Mixtures of normals, a row each.

    Attributes
    ----------
    weights, means, sds : (n_obs, n_parts); weights sum to one along a row
    """

    weights: Array
    means: Array
    sds: Array

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.weights)

    def __getitem__(self, rows: slice | NDArray[np.bool_] | NDArray[np.int64]) -> "NormalMixture":
        """Pick some of the rows."""
        return NormalMixture(self.weights[rows], self.means[rows], self.sds[rows])

    def mean(self) -> Array:
        """Expectation of each row."""
        return np.asarray((self.weights * self.means).sum(axis=1))

    def sd(self) -> Array:
        """Standard deviation of each row."""
        apart = self.means - self.mean()[:, None]  # squares of the means would cancel where they are large
        return np.asarray(np.sqrt((self.weights * (self.sds**2 + apart**2)).sum(axis=1)))

    def cdf(self, y: ArrayLike) -> Array:
        """P(Y <= y), (n_obs,)."""
        z = (np.asarray(y, dtype=np.float64).reshape(-1, 1) - self.means) / self.sds
        return np.asarray((self.weights * ndtr(z)).sum(axis=1))

    def quantile(self, level: float) -> Array:
        """Value below which a share `level` of each row's distribution lies, (n_obs,), by bisection."""
        if not 0.0 < level < 1.0:
            raise ValueError(f"quantile: level is {level}; rule: strictly between 0 and 1")
        low = (self.means - 40.0 * self.sds).min(axis=1)
        high = (self.means + 40.0 * self.sds).max(axis=1)
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            below = self.cdf(middle) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray(0.5 * (low + high))


def heavy_tailed(mean: Array, sd: Array, tail_weight: float, tail_ratio: float) -> NormalMixture:
    """Unit-variance scale mixture moved to `mean` and `sd`: a share `tail_weight` of days is `tail_ratio` times as wide.

    Parameters
    ----------
    mean, sd : (n_obs,)
    tail_ratio : 1 gives the normal distribution
    """
    parts = tail_parts(tail_weight, tail_ratio)
    n = len(mean)
    return NormalMixture(np.tile([1.0 - tail_weight, tail_weight], (n, 1)), np.tile(mean[:, None], (1, 2)), sd[:, None] * parts[None, :])


def tail_parts(tail_weight: float, tail_ratio: float) -> Array:
    """Standard deviations of the two parts of a unit-variance scale mixture."""
    core = 1.0 / np.sqrt(1.0 - tail_weight + tail_weight * tail_ratio**2)
    return np.array([core, core * tail_ratio])


def mix(parts: list[NormalMixture], weights: Array) -> NormalMixture:
    """Row-wise mixture of several forecasts.

    Parameters
    ----------
    parts : one forecast a component, of equal length
    weights : (n_obs, n_components), rows sum to one
    """
    return NormalMixture(
        np.concatenate([part.weights * weights[:, [k]] for k, part in enumerate(parts)], axis=1),
        np.concatenate([part.means for part in parts], axis=1),
        np.concatenate([part.sds for part in parts], axis=1),
    )
