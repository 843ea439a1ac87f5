"""Features of a return series that jump models are fitted on: exponentially weighted downside deviation and Sortino ratio."""

import numpy as np
import pandas as pd

from models.inference import Array

DOWNSIDE_HALF_LIFE = 10.0
SORTINO_HALF_LIVES = (20.0, 60.0)
"""Rows after which a return counts half (Shu, Yu and Mulvey 2024)."""


def downside_deviation(returns: Array, half_life: float = DOWNSIDE_HALF_LIFE) -> Array:
    """Root of the exponentially weighted mean of min(return, 0)^2, (n_obs,): row t has seen the returns up to t.

    The weights of what has been seen add up to one. A missing return is left out while its age still counts; before the first return the
    value is missing.

    Parameters
    ----------
    returns : (n_obs,) in time order, NaN where missing
    half_life : rows after which a return counts half
    """
    return np.asarray(np.sqrt(_ewm_mean(np.minimum(returns, 0.0) ** 2, half_life)))


def sortino_ratio(returns: Array, half_life: float) -> Array:
    """Exponentially weighted mean return over downside deviation of the same half-life, (n_obs,).

    Missing, not infinite, until the first negative return.
    """
    downside = downside_deviation(returns, half_life)
    return np.asarray(np.divide(_ewm_mean(returns, half_life), downside, out=np.full(len(returns), np.nan), where=downside > 0.0))


def jump_features(returns: Array) -> Array:
    """Downside deviation and two Sortino ratios, (n_obs, 3), on their own scales: to be standardised on the training window."""
    return np.column_stack([downside_deviation(returns), *(sortino_ratio(returns, half_life) for half_life in SORTINO_HALF_LIVES)])


def _ewm_mean(values: Array, half_life: float) -> Array:
    return pd.Series(values).ewm(halflife=half_life).mean().to_numpy(dtype=np.float64)
