"""Worlds for the event study: small caps that make records, coins that heed them or not, and what the tests say (METHODS 4, A16, A17)."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from features.breakout_transitions import breakout_events
from training.claims.outcomes import circular_sums
from training.claims.records import record_day_test
from training.claims.rules import CONFIRMED, COOL_DOWN, cooled, record_ages
from training.claims.shifts import draw_shifts, leave_one_out, shift_test
from training.claims.verdicts import judge

N_SESSIONS = 3024
"""Twelve years."""

HORIZONS = (21, 63, 126, 252)
COIN_MEAN, COIN_SD = 0.0020, 0.040
"""Of one session; Student's t with 4 degrees of freedom."""

SMALL_MEAN, SMALL_SD = 0.0002, 0.012
"""Of one session of small caps: about a hundred record days in twelve years."""

DAYS = pd.bdate_range("2000-01-03", periods=N_SESSIONS)


def coin_returns(rng: np.random.Generator, n: int = N_SESSIONS) -> np.ndarray:
    """Returns of a coin that heeds nothing."""
    return COIN_MEAN + COIN_SD * rng.standard_t(4, n) / np.sqrt(2)


def null_worlds(seeds: Iterable[int], draws: int = 499) -> pd.DataFrame:
    """Small caps are a random walk with drift, the coin another; events are confirmed breakouts by rule.

    Returns
    -------
    DataFrame, a row a world and horizon: seed, horizon, n (events), n_records, p (shift test; NaN without events), p_records (t-test on
        every record day as if days were independent)
    """
    rows = []
    for seed in seeds:
        rng = np.random.default_rng([16, seed])
        close = pd.Series(100 * np.exp(np.cumsum(SMALL_MEAN + SMALL_SD * rng.standard_normal(N_SESSIONS))), index=DAYS)
        breaks = breakout_events(close)
        confirmed = cooled(breaks[breaks["event"] == CONFIRMED], DAYS)
        at = DAYS.get_indexer(pd.DatetimeIndex(confirmed.loc[confirmed["counted"], "date"]))
        records = np.flatnonzero(record_ages(close).notna())
        circle = circular_sums(coin_returns(rng), HORIZONS)
        shifts = draw_shifts(N_SESSIONS, [N_SESSIONS], draws, rng)[N_SESSIONS]
        for k, horizon in enumerate(HORIZONS):
            last = N_SESSIONS - horizon
            said = shift_test(circle[:, k], at[at < last], shifts)
            naive = record_day_test(circle[:last, k], records[records < last])
            rows.append({"seed": seed, "horizon": horizon, "n": said.n, "n_records": naive.n, "p": said.p_above, "p_records": naive.p})
    return pd.DataFrame(rows)


def planted_worlds(seeds: Iterable[int], n: int, effect: float, horizon: int = 63, draws: int = 999) -> pd.DataFrame:
    """Worlds of `n` events at random dates a year or more apart, each followed by `effect` spread evenly over the horizon.

    Returns
    -------
    DataFrame, a row a world: seed, p (shift test), verdict (of a family of this one cell)
    """
    rows = []
    for seed in seeds:
        rng = np.random.default_rng([17, seed])
        last = N_SESSIONS - horizon - 1
        at = np.sort(rng.choice(last - (n - 1) * COOL_DOWN, n, replace=False)) + np.arange(n) * COOL_DOWN
        returns = coin_returns(rng)
        for position in at:
            returns[position : position + horizon] += effect / horizon
        circle = circular_sums(returns, (horizon,))[:, 0]
        shifts = draw_shifts(N_SESSIONS, [N_SESSIONS], draws, rng)[N_SESSIONS]
        whole = shift_test(circle, at, shifts)
        said = judge(whole, (whole.p_above, whole.p_below), leave_one_out(circle, at, shifts))
        rows.append({"seed": seed, "p": whole.p_above, "verdict": said})
    return pd.DataFrame(rows)
