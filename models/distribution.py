"""Forecasts as distributions: finite mixtures of normals, one a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

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

    def recentred(self, mean: Array) -> "NormalMixture":
        """The same shapes about other means: what is left between two forecasts when their spread is made equal.

        Parameters
        ----------
        mean : (n_obs,)
        """
        return NormalMixture(self.weights, self.means + (mean - self.mean())[:, None], self.sds)


@dataclass(frozen=True)
class HeavyTailed(NormalMixture):
    """Scale mixtures of two normals of one mean: each quantile is mean + sd * the unit law's, which is found once.

    Attributes
    ----------
    location, scale : (n_obs,) mean and standard deviation
    tail_weight : share of days in the wide part
    tail_ratio : (n_obs,) how much wider that part is
    """

    location: Array
    scale: Array
    tail_weight: float
    tail_ratio: Array

    def __getitem__(self, rows: slice | NDArray[np.bool_] | NDArray[np.int64]) -> "HeavyTailed":
        """Pick some of the rows."""
        return heavy_tailed(self.location[rows], self.scale[rows], self.tail_weight, self.tail_ratio[rows])

    def mean(self) -> Array:
        """Expectation of each row."""
        return self.location

    def sd(self) -> Array:
        """Standard deviation of each row."""
        return self.scale

    def quantile(self, level: float) -> Array:
        """Value below which a share `level` of each row's distribution lies, (n_obs,)."""
        unit = np.empty(len(self))
        for ratio in np.unique(self.tail_ratio):
            unit[self.tail_ratio == ratio] = _unit_quantile(level, self.tail_weight, float(ratio))
        return self.location + self.scale * unit


@cache
def _unit_quantile(level: float, tail_weight: float, tail_ratio: float) -> float:
    weights = np.array([[1.0 - tail_weight, tail_weight]])
    return float(NormalMixture(weights, np.zeros((1, 2)), tail_parts(tail_weight, tail_ratio)[None, :]).quantile(level)[0])


def heavy_tailed(mean: Array, sd: Array, tail_weight: float, tail_ratio: float | Array) -> HeavyTailed:
    """Unit-variance scale mixture moved to `mean` and `sd`: a share `tail_weight` of days is `tail_ratio` times as wide.

    Parameters
    ----------
    mean, sd : (n_obs,)
    tail_ratio : of all rows, or (n_obs,); 1 gives the normal distribution
    """
    n = len(mean)
    ratio = np.broadcast_to(np.asarray(tail_ratio, dtype=np.float64), n)
    weights = np.broadcast_to(np.array([1.0 - tail_weight, tail_weight]), (n, 2))
    means = np.broadcast_to(mean[:, None], (n, 2))
    return HeavyTailed(weights, means, sd[:, None] * tail_parts(tail_weight, ratio), mean, sd, tail_weight, ratio)


def tail_parts(tail_weight: float, tail_ratio: float | Array) -> Array:
    """Standard deviations of the two parts of a unit-variance scale mixture, (2,), or (n_obs, 2) where the ratio is of each row."""
    core = 1.0 / np.sqrt(1.0 - tail_weight + tail_weight * np.asarray(tail_ratio) ** 2)
    return np.stack([core, core * tail_ratio], axis=-1)


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


def end_to_end(blocks: Sequence[NormalMixture]) -> NormalMixture:
    """Forecasts of several blocks of rows as one.

    Parameters
    ----------
    blocks : of equally many parts; none give a forecast without rows
    """
    if not blocks:
        return NormalMixture(*(np.empty((0, 1)) for _ in range(3)))
    heavy = [each for each in blocks if isinstance(each, HeavyTailed)]
    if len(heavy) == len(blocks):
        location, scale, ratio = (np.concatenate([getattr(each, name) for each in heavy]) for name in ("location", "scale", "tail_ratio"))
        return heavy_tailed(location, scale, heavy[0].tail_weight, ratio)
    return NormalMixture(*(np.concatenate([getattr(each, name) for each in blocks]) for name in ("weights", "means", "sds")))
