"""Coverage of calibrated intervals in worlds of changing volatility: python -m tests.recovery.coverage 200."""

import sys

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from models.conformal import GAMMA, WINDOW, delayed_aci

HORIZONS = (5, 21, 63, 126)
TESTED = 1500
TRANS = np.array([[0.99, 0.01], [0.03, 0.97]])
SIGMAS = np.array([0.009, 0.020])
DOF = 5.0
DECAY = 0.94


def simulate_returns(n: int, rng: np.random.Generator) -> np.ndarray:
    """Returns of market S with t5 innovations of unit variance: calm and turbulent days, by a Markov chain."""
    draws = rng.random(n)
    state = np.empty(n, dtype=np.int64)
    state[0] = draws[0] < 0.25  # the share of turbulent days
    for t in range(1, n):
        state[t] = draws[t] < TRANS[state[t - 1], 1]
    return SIGMAS[state] * rng.standard_t(DOF, size=n) / np.sqrt(DOF / (DOF - 2.0))


def scores_of(returns: np.ndarray, horizon: int) -> np.ndarray:
    """|sum of the next `horizon` returns| over the EWMA volatility of the day; NaN where the sum is not known."""
    variance, _ = lfilter([1.0 - DECAY], [1.0, -DECAY], returns**2, zi=[DECAY * np.mean(returns[:21] ** 2)])
    total = np.concatenate([[0.0], np.cumsum(returns)])
    ahead = np.full(len(returns), np.nan)
    ahead[: len(returns) - horizon] = total[1 + horizon :] - total[1:-horizon]
    return np.abs(ahead) / np.sqrt(horizon * variance)


def covered_and_unbounded(seed: int, horizon: int, level: float, gamma: float) -> tuple[float, float]:
    """Share of `TESTED` rows inside their interval, and share whose interval is unbounded, after a whole window of known scores."""
    begin = WINDOW + horizon
    returns = simulate_returns(begin + TESTED + horizon, np.random.default_rng(seed))
    scores = scores_of(returns, horizon)
    tested = slice(begin, begin + TESTED)
    width = delayed_aci(scores, horizon, level, gamma).half_width[tested]
    return float(np.mean(scores[tested] <= width)), float(np.mean(np.isinf(width)))


def coverage_table(n_worlds: int, bands: dict[int, float], level: float = 0.9, gamma: float = GAMMA) -> pd.DataFrame:
    """Coverage over worlds, a row a horizon: mean, sd, share of worlds within the band, and the mean share of unbounded intervals."""
    rows = []
    for horizon in HORIZONS:
        found = np.array([covered_and_unbounded(seed, horizon, level, gamma) for seed in range(n_worlds)])
        inside = np.abs(found[:, 0] - level) <= bands[horizon]
        rows.append(
            {"h": horizon, "mean": found[:, 0].mean(), "sd": found[:, 0].std(), "within": inside.mean(), "unbounded": found[:, 1].mean()}
        )
    return pd.DataFrame(rows).set_index("h").round(3)


if __name__ == "__main__":
    for step in (0.0, GAMMA, 0.02):
        print(f"gamma {step}\n{coverage_table(int(sys.argv[1]), {5: 0.02, 21: 0.02, 63: 0.04, 126: 0.06}, gamma=step)}")  # noqa: T201
