"""Worlds of returns with and without something to predict, and what an expanding regression says of them out of sample."""

from dataclasses import dataclass

import numpy as np

RHO, FIRST, REFIT = 0.98, 1000, 63
"""Persistence of each predictor, first row out of sample, rows between refits."""


@dataclass(frozen=True)
class Forecasts:
    """Outcome, expanding mean and expanding regression, (n_worlds, out-of-sample rows) each."""

    y: np.ndarray
    mean: np.ndarray
    fitted: np.ndarray

    def __iter__(self):
        return iter(zip(self.y, self.mean, self.fitted, strict=True))


def persistent(shocks: np.ndarray) -> np.ndarray:
    """AR(1) of unit variance along axis 1."""
    x = np.empty_like(shocks)
    x[:, 0] = shocks[:, 0]
    for t in range(1, shocks.shape[1]):
        x[:, t] = RHO * x[:, t - 1] + np.sqrt(1 - RHO**2) * shocks[:, t]
    return x


def predicted_worlds(horizon: int, n_worlds: int, effect: float, k: int = 1, n_obs: int = 2500, seed: int = 0) -> Forecasts:
    """Sums of `horizon` returns, the first of k persistent predictors worth `effect` standard deviations a session."""
    rng = np.random.default_rng([horizon, k, seed])
    x = persistent(rng.standard_normal((n_worlds, n_obs, k)))
    return walked(x, effect * np.roll(x[:, :, 0], 1, axis=1) + rng.standard_normal((n_worlds, n_obs)), horizon)


def grids(n_worlds: int, effect: float, shared: float, n_obs: int = 2500) -> dict[tuple[int, int], Forecasts]:
    """Three assets that share so much of their shocks and one predictor, over 5 and 21 sessions."""
    rng = np.random.default_rng([int(1000 * effect), int(10 * shared)])
    x, common = persistent(rng.standard_normal((n_worlds, n_obs, 1))), rng.standard_normal((n_worlds, n_obs))
    cells = {}
    for asset in range(3):
        own = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal((n_worlds, n_obs))
        for horizon in (5, 21):
            cells[asset, horizon] = walked(x, effect * np.roll(x[:, :, 0], 1, axis=1) + own, horizon)
    return cells


def walked(x: np.ndarray, returns: np.ndarray, horizon: int) -> Forecasts:
    """Expanding mean and regression of the next `horizon` returns, refitted every 63 rows on labels known by then."""
    n_worlds, _, k = x.shape
    level = np.concatenate([np.zeros((n_worlds, 1)), np.cumsum(returns[:, 1:], axis=1)], axis=1)
    y = level[:, horizon:] - level[:, :-horizon]
    z = np.concatenate([np.ones((n_worlds, y.shape[1], 1)), x[:, : y.shape[1]]], axis=2)
    mean, fitted = np.empty_like(y), np.empty_like(y)
    square, product, done = np.zeros((n_worlds, k + 1, k + 1)), np.zeros((n_worlds, k + 1)), 0
    for row in range(FIRST, y.shape[1], REFIT):
        new, known = z[:, done : row - horizon + 1], y[:, done : row - horizon + 1]
        square, product = square + new.transpose(0, 2, 1) @ new, product + (new.transpose(0, 2, 1) @ known[:, :, None])[:, :, 0]
        done, block = row - horizon + 1, slice(row, row + REFIT)
        coefficients = np.linalg.solve(square, product[:, :, None])
        mean[:, block] = product[:, :1] / done
        fitted[:, block] = (z[:, block] @ coefficients)[:, :, 0]
    return Forecasts(y[:, FIRST:], mean[:, FIRST:], fitted[:, FIRST:])
