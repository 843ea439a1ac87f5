"""The regimes of the sample market and the small-cap returns that they drive (METHODS 6, market S)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.errors import DataError

BURN = 512
"""Sessions simulated before the first one that is shown, so that lagged effects have a past."""

NAMES: Mapping[int, tuple[str, ...]] = {2: ("on", "off"), 3: ("on", "mixed", "off")}
TRANSITIONS: Mapping[int, tuple[tuple[float, ...], ...]] = {
    2: ((0.99, 0.01), (0.03, 0.97)),
    3: ((0.985, 0.013, 0.002), (0.012, 0.978, 0.010), (0.005, 0.030, 0.965)),
}
MEANS: Mapping[int, tuple[float, ...]] = {2: (0.0008, -0.0015), 3: (0.0009, 0.0002, -0.0025)}
SIGMAS: Mapping[int, tuple[float, ...]] = {2: (0.009, 0.020), 3: (0.008, 0.013, 0.025)}


@dataclass(frozen=True)
class Regimes:
    """States and small-cap returns, `BURN` sessions of past included.

    Attributes
    ----------
    states : ndarray of int, (BURN + n_sessions,), 0 is "on"
    returns : ndarray, (BURN + n_sessions,), log return of the small-cap index a session
    names : the states in words
    transitions : ndarray, (n_states, n_states), rows sum to one
    means, sigmas : ndarray, (n_states,), law of the return in each state
    share_on : stationary probability of state 0
    """

    states: np.ndarray
    returns: np.ndarray
    names: tuple[str, ...]
    transitions: np.ndarray
    means: np.ndarray
    sigmas: np.ndarray
    share_on: float


def draw_regimes(
    n_sessions: int,
    n_states: int,
    rng: np.random.Generator,
    *,
    means: tuple[float, ...] | None = None,
    sigmas: tuple[float, ...] | None = None,
    dof: float | None = None,
) -> Regimes:
    """Draw a Markov chain from its stationary law, and returns given the states.

    Parameters
    ----------
    means, sigmas : law of the return in each state, "on" first; None for `MEANS` and `SIGMAS`
    dof : degrees of freedom of the Student-t innovations (scaled to unit variance); None for normal ones

    Raises
    ------
    DataError
        For a number of states without a law, or laws of another length.
    """
    if n_states not in NAMES:
        raise DataError(f"simulate: n_states is {n_states}; rule: one of {', '.join(map(str, NAMES))}")
    if dof is not None and dof <= 2:
        raise DataError(f"simulate: dof is {dof}; rule: above 2, so that the variance exists, or None for normal returns")
    mean, sigma = np.array(means or MEANS[n_states]), np.array(sigmas or SIGMAS[n_states])
    if len(mean) != n_states or len(sigma) != n_states or (sigma <= 0).any():
        raise DataError(f"simulate: means {mean.tolist()} and sigmas {sigma.tolist()}; rule: {n_states} of each, every sigma above 0")
    trans = np.array(TRANSITIONS[n_states])
    law = stationary(trans)
    n = BURN + n_sessions
    states = _chain(trans, law, rng.random(n))
    shocks = rng.standard_normal(n) if dof is None else unit_t(rng, dof, n)
    return Regimes(states, mean[states] + sigma[states] * shocks, NAMES[n_states], trans, mean, sigma, float(law[0]))


def stationary(trans: np.ndarray) -> np.ndarray:
    """Solve pi = pi A with sum(pi) = 1 for a transition matrix A, (n_states, n_states)."""
    n = len(trans)
    lhs = np.vstack([trans.T - np.eye(n), np.ones(n)])
    return np.asarray(np.linalg.lstsq(lhs, np.append(np.zeros(n), 1.0), rcond=None)[0])


def unit_t(rng: np.random.Generator, dof: float, size: int | tuple[int, ...]) -> np.ndarray:
    """Draw Student-t numbers of unit variance."""
    return np.asarray(rng.standard_t(dof, size) * np.sqrt((dof - 2) / dof))


def _chain(trans: np.ndarray, law: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    steps = trans.cumsum(axis=1)
    states = np.empty(len(uniforms), dtype=np.int64)
    state = int(np.searchsorted(law.cumsum()[:-1], uniforms[0], side="right"))
    for t, u in enumerate(uniforms):
        if t:
            state = int(np.searchsorted(steps[state, :-1], u, side="right"))
        states[t] = state
    return states
