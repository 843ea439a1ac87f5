"""Scores of probabilistic forecasts, one value a row; smaller is better."""

import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import cast

import numpy as np
from numpy.typing import NDArray

from models.distribution import NormalMixture
from models.inference import Array

WORST_LOG_SCORE = -np.log(1e-10)
"""Floor of the density, 1e-10 by unit of the outcome."""


def crps(y: Array, forecast: NormalMixture) -> Array:
    """Continuous ranked probability score of each row, in the unit of `y` (Grimit et al. 2006, closed form)."""
    return cast(Array, np.asarray(_scoringrules().crps_mixnorm(y, forecast.means, forecast.sds, forecast.weights)))


def log_score(y: Array, forecast: NormalMixture) -> Array:
    """Negative log density at the outcome, (n_obs,), no more than `WORST_LOG_SCORE`: one miss must not outweigh all other rows."""
    with np.errstate(divide="ignore"):  # a density of zero
        score = _scoringrules().logs_mixnorm(y, forecast.means, forecast.sds, forecast.weights)
    return np.asarray(np.minimum(score, WORST_LOG_SCORE))


def pinball(y: Array, quantile: Array, level: float) -> Array:
    """Loss of a quantile, (n_obs,), in the unit of `y` (Koenker, Bassett 1978): `level` (y - q) above it, (1 - `level`) (q - y) below."""
    return np.asarray(np.where(np.isnan(y), np.nan, _scoringrules().quantile_score(y, quantile, np.float64(level))))


def brier(event: NDArray[np.bool_], prob: Array) -> Array:
    """Squared error of a probability, (n_obs,)."""
    return np.asarray((prob - event) ** 2, dtype=np.float64)


def covered(pit: Array, level: float) -> NDArray[np.bool_]:
    """Whether the outcome fell in the central interval of probability `level`, from its PIT value F(y)."""
    tail = 0.5 * (1.0 - level)
    return np.asarray((pit >= tail) & (pit <= 1.0 - tail))


def r2_oos(y: Array, forecast: Array, baseline: Array) -> float:
    """1 - SSE(forecast) / SSE(baseline): share of the baseline's squared error that the forecast takes away."""
    return float(1.0 - np.sum((y - forecast) ** 2) / np.sum((y - baseline) ** 2))


@cache
def _scoringrules() -> ModuleType:
    """Import the library as where numba is missing: with it, the import compiles functions not called here, 6 CPU s in every process."""
    numba = sys.modules.get("numba")
    sys.modules["numba"] = None  # type: ignore[assignment]  # which makes its import fail
    try:
        return import_module("scoringrules")
    finally:
        if numba is None:
            del sys.modules["numba"]
        else:
            sys.modules["numba"] = numba
