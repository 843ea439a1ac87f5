"""Worlds in which coins heed the regime of small caps so many sessions later, for the recovery of the lag (METHODS 4, A9)."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from training.claims.projections import response

STAY = (0.99, 0.97)
MEAN, SD = np.array([0.0008, -0.0015]), np.array([0.009, 0.020])
"""Small caps in the two states: on, off."""

N_SESSIONS = 2500


def lag_worlds(seeds: Iterable[int], lag: int = 10, effect: float = 0.008) -> pd.DataFrame:
    """Trace the response of the coin to the filtered probability of 'on', at the true parameters.

    Returns
    -------
    DataFrame, a row a world: seed, lag (planted), found (session of the greatest slope), found_state (the same on the state itself)
    """
    rows = []
    for seed in seeds:
        small, on, coin = market(np.random.default_rng([9, seed]), N_SESSIONS, lag, effect)
        found = [response(coin, x).best for x in (filtered(small)[lag:], on)]
        rows.append({"seed": seed, "lag": lag, "found": found[0], "found_state": found[1]})
    return pd.DataFrame(rows)


def market(rng: np.random.Generator, n_sessions: int, lag: int, effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw market S: small caps, `lag` sessions more than asked for at the beginning; the state 'on' and the coin, (n_sessions,)."""
    n = n_sessions + lag
    state = _states(rng.random(n))
    small = MEAN[state] + SD[state] * rng.standard_normal(n)
    on = (state == 0).astype(float)
    coin = 0.001 + 0.035 * rng.standard_t(4, n) / np.sqrt(2)
    coin[lag:] += effect * (on[: n - lag] - 0.75)
    return small, on[lag:], coin[lag:]


def _states(draws: np.ndarray) -> np.ndarray:
    state = np.zeros(len(draws), dtype=int)
    for t in range(1, len(draws)):
        state[t] = state[t - 1] if draws[t] < STAY[state[t - 1]] else 1 - state[t - 1]
    return state


def filtered(returns: np.ndarray) -> np.ndarray:
    """P(on) given the returns so far (Hamilton 1989), at the true parameters."""
    likelihood = np.exp(-0.5 * ((returns[:, None] - MEAN) / SD) ** 2) / SD
    trans = np.array([[STAY[0], 1 - STAY[0]], [1 - STAY[1], STAY[1]]])
    out, probs = np.empty(len(returns)), np.array([0.75, 0.25])
    for t, each in enumerate(likelihood):
        probs = (probs @ trans) * each
        probs /= probs.sum()
        out[t] = probs[0]
    return out
