"""Simulated worlds whose truth is known (METHODS 6): two states, heavy tails, and none at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from models.inference import HMMParams
from sources.simulated.regimes import SIGMAS, TRANSITIONS, draw_regimes, unit_t

Array = NDArray[np.float64]

MILD, ALIKE = (0.011, 0.016), (0.013, 0.013)
MEAN_ONLY = (0.001, -0.001)
DRIFT, NOISE_SD = 0.0003, 0.012
HEAVY_TRANS = np.array([[0.99, 0.01], [0.02, 0.98]])
HEAVY_MEANS, HEAVY_SDS, HEAVY_DOF = (0.14, -0.22), (0.85, 1.3), 4.0


@dataclass(frozen=True)
class World:
    """One drawn history.

    Attributes
    ----------
    X : (n_obs, n_features)
    states : (n_obs,), 0 is 'on'; all 0 in a world of one state
    truth : the parameters it was drawn from; None where it is no hidden Markov model
    """

    X: Array
    states: NDArray[np.int64]
    truth: HMMParams | None


def switching(
    seed: int, n_obs: int, *, sigmas: tuple[float, ...] = SIGMAS[2], means: tuple[float, ...] | None = None, dof: float = np.inf
) -> World:
    """Market S: daily returns of two regimes; `sigmas` are standard deviations, with Student-t innovations too."""
    made = draw_regimes(n_obs, 2, np.random.default_rng(seed), sigmas=sigmas, means=means, dof=dof if np.isfinite(dof) else None)
    shrink = (dof - 2.0) / dof if np.isfinite(dof) else 1.0
    law = np.array([made.share_on, 1.0 - made.share_on])
    truth = HMMParams(law, np.array(TRANSITIONS[2]), made.means[:, None], shrink * made.sigmas[:, None] ** 2, np.full(2, dof))
    return World(made.returns[-n_obs:, None], made.states[-n_obs:], truth)


def heavy(seed: int, n_obs: int, n_features: int = 6) -> World:
    """World H: x_t = mu_s 1 + sigma_s e_t, e_t multivariate t with 4 degrees of freedom and one chi-square a day."""
    rng = np.random.default_rng(seed)
    mix = np.eye(n_features) + 0.3 * rng.standard_normal((n_features, n_features))
    leave, uniforms = 1.0 - HEAVY_TRANS.diagonal(), rng.random(n_obs)
    states = np.zeros(n_obs, dtype=np.int64)
    states[0] = uniforms[0] > 2.0 / 3.0
    for t in range(1, n_obs):
        states[t] = states[t - 1] ^ (uniforms[t] < leave[states[t - 1]])
    chi = rng.chisquare(HEAVY_DOF, n_obs) / HEAVY_DOF
    shocks = rng.standard_normal((n_obs, n_features)) @ mix.T / np.sqrt(2.0 * chi)[:, None]
    means, sds = np.array(HEAVY_MEANS), np.array(HEAVY_SDS)
    scales = sds[:, None, None] ** 2 * (mix @ mix.T) / 2.0
    truth = HMMParams(np.array([2.0, 1.0]) / 3.0, HEAVY_TRANS, np.repeat(means[:, None], n_features, axis=1), scales, np.full(2, HEAVY_DOF))
    return World(means[states, None] + sds[states, None] * shocks, states, truth)


def noise(seed: int, n_obs: int, dof: float = np.inf) -> World:
    """One state: i.i.d. returns, normal or Student-t."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal(n_obs) if np.isinf(dof) else unit_t(rng, dof, n_obs)
    return World((DRIFT + NOISE_SD * shocks)[:, None], np.zeros(n_obs, dtype=np.int64), None)


def garch(seed: int, n_obs: int, dof: float = np.inf, alpha: float = 0.08, beta: float = 0.90, ar: float = 0.0) -> World:
    """One state whose volatility moves: GARCH(1,1) from its own variance, with an AR(1) in the returns where `ar` is not 0."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal(n_obs) if np.isinf(dof) else unit_t(rng, dof, n_obs)
    out, variance = np.empty(n_obs), NOISE_SD**2
    for t in range(n_obs):
        out[t] = np.sqrt(variance) * shocks[t]
        variance = (1.0 - alpha - beta) * NOISE_SD**2 + beta * variance + alpha * out[t] ** 2
    return World((DRIFT + lfilter([1.0], [1.0, -ar], out))[:, None], np.zeros(n_obs, dtype=np.int64), None)


STATED: Mapping[str, Callable[[int, int], World]] = {
    "clear": switching,
    "t5": lambda seed, n_obs: switching(seed, n_obs, dof=5.0),
    "mild": lambda seed, n_obs: switching(seed, n_obs, sigmas=MILD),
    "mean only": lambda seed, n_obs: switching(seed, n_obs, sigmas=ALIKE, means=MEAN_ONLY),
    "H": heavy,
}
"""Worlds of two states."""

STATELESS: Mapping[str, Callable[[int, int], World]] = {
    "noise": noise,
    "i.i.d. t4": lambda seed, n_obs: noise(seed, n_obs, dof=4.0),
    "GARCH": garch,
    "GARCH t5": lambda seed, n_obs: garch(seed, n_obs, dof=5.0),
    "AR-GARCH": lambda seed, n_obs: garch(seed, n_obs, ar=0.1),
}
"""Worlds in which no state may be named."""
