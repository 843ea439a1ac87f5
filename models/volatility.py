"""The one volatility model under every forecast: today's level fading to the long-run one, with heavy tails."""

from dataclasses import dataclass

import numpy as np

from models.distribution import tail_parts
from models.inference import Array

FADE_GRID = np.linspace(0.0, 1.0, 6)
TAIL_WEIGHT = 0.15
TAIL_GRID = (1.0, 1.5, 2.0, 2.5, 3.0)


@dataclass(frozen=True)
class HorizonScale:
    """Standard deviation of a forward return, from today's volatility.

    Attributes
    ----------
    share : weight of today's variance against the long-run one
    long_run : long-run variance of one session
    factor : multiplies the variance; 1 for independent returns
    tail_ratio : how much wider the wide part of the distribution is (`models.distribution.heavy_tailed`)
    """

    share: float
    long_run: float
    factor: float
    tail_ratio: float

    def sd(self, vol: Array, horizon: int) -> Array:
        """Standard deviation of the return over `horizon` sessions.

        Parameters
        ----------
        vol : (n_obs,) today's volatility of one session
        """
        variance = horizon * self.factor * (self.share * vol**2 + (1.0 - self.share) * self.long_run)
        return np.asarray(np.sqrt(variance))


def fit_horizon_scale(errors: Array, vol: Array, horizon: int) -> HorizonScale:
    """Choose share and tails by likelihood; the factor makes the mean squared standardised error one.

    Parameters
    ----------
    errors : (n_obs,) forward returns less their mean
    vol : (n_obs,) volatility of one session on the day of the forecast
    """
    long_run = float(np.mean(vol**2))
    best_score, best_share, best_factor = -np.inf, 0.0, 1.0
    for share in FADE_GRID:
        variance = horizon * (share * vol**2 + (1.0 - share) * long_run)
        factor = float(np.mean(errors**2 / variance))
        score = -0.5 * float(np.mean(np.log(factor * variance)))  # the rest of the normal likelihood is constant at this factor
        if score > best_score:
            best_score, best_share, best_factor = score, float(share), factor
    base = HorizonScale(best_share, long_run, best_factor, 1.0)
    z = errors / base.sd(vol, horizon)
    ratio = max(TAIL_GRID, key=lambda r: _mixture_score(z, r))
    return HorizonScale(best_share, long_run, best_factor, ratio)


def _mixture_score(z: Array, ratio: float) -> float:
    core, wide = tail_parts(TAIL_WEIGHT, ratio)
    density = (1.0 - TAIL_WEIGHT) / core * np.exp(-0.5 * (z / core) ** 2) + TAIL_WEIGHT / wide * np.exp(-0.5 * (z / wide) ** 2)
    return float(np.mean(np.log(np.maximum(density, 1e-300))))
