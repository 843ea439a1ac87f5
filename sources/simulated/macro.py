"""Liquidity and risk series of the sample market, with the publication lags of the real ones."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sources.known import known_at

PUBLISHED: Mapping[str, str] = {
    "VIX": "quarter_past_close",
    "VIX3M": "quarter_past_close",
    "HY_OAS": "next_business_day",
    "REAL_YIELD_10Y": "next_business_day",
    "USD": "next_monday",
    "WALCL": "next_thursday",
    "WTREGEN": "next_thursday",
    "RRP": "end_of_utc_day",
    "STABLECOINS": "end_of_utc_day",
    "M2": "four_weeks_after_month",
}
"""Publication rule of each series (`sources.known`)."""


def draw_macro(sessions: pd.DatetimeIndex, returns: np.ndarray, sigma: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Make the macro frame.

    Parameters
    ----------
    sessions : DatetimeIndex, (n_sessions,)
    returns : ndarray, (n_sessions,), log return of the small-cap index
    sigma : ndarray, (n_sessions,), its standard deviation in the state of the session
    """
    n = len(sessions)
    fear = _ema(np.abs(returns) * np.sqrt(np.pi / 2), 0.06, sigma[0])
    stress = _ema(sigma, 0.03, sigma[0]) / sigma.mean() - 1
    days = pd.date_range(sessions[0], sessions[-1], freq="D").as_unit("us")
    coins = days[int(0.4 * len(days)) :]
    weeks = days[days.day_of_week == 2]
    months = days[days.day == 1]
    vix = 100 * np.sqrt(252) * 0.85 * fear * np.exp(0.06 * rng.standard_normal(n))
    series = {
        "VIX": (sessions, vix),
        # half as far from its usual height: expected volatility reverts
        "VIX3M": (sessions, np.sqrt(vix * 100 * np.sqrt(252) * 0.95 * sigma.mean())),
        "HY_OAS": (sessions, 4.0 * np.exp(0.9 * stress + _mean_reverting(n, 0.005, 0.008, rng))),
        "REAL_YIELD_10Y": (sessions, 0.5 + _mean_reverting(n, 0.002, 0.04, rng)),
        "USD": (sessions, 105.0 * np.exp(_mean_reverting(n, 0.001, 0.003, rng))),
        "WALCL": (weeks, 4.0e6 * np.exp(_walk(len(weeks), 0.001, 0.004, rng))),
        "WTREGEN": (weeks, 3.0e5 * np.exp(_mean_reverting(len(weeks), 0.05, 0.12, rng))),
        "RRP": (sessions, 200.0 * np.exp(_mean_reverting(n, 0.004, 0.06, rng))),
        "STABLECOINS": (coins, 1.0e8 * np.exp(_walk(len(coins), 0.0025, 0.006, rng))),
        "M2": (months, 9.5e3 * np.exp(_walk(len(months), 0.005, 0.003, rng))),
    }
    frames = [
        pd.DataFrame({"series": name, "date": dates, "value": values, "known_at": known_at(PUBLISHED[name], dates)})
        for name, (dates, values) in series.items()
    ]
    return pd.concat(frames, ignore_index=True)


def _ema(values: np.ndarray, alpha: float, start: float) -> np.ndarray:
    padded = pd.Series(np.append(start, values)).ewm(alpha=alpha, adjust=False).mean()
    return padded.to_numpy()[1:]


def _walk(n: int, drift: float, vol: float, rng: np.random.Generator) -> np.ndarray:
    return np.cumsum(drift + vol * rng.standard_normal(n))


def _mean_reverting(n: int, speed: float, vol: float, rng: np.random.Generator) -> np.ndarray:
    shocks = vol * rng.standard_normal(n)
    out, now = np.empty(n), 0.0
    for t in range(n):
        now = (1 - speed) * now + shocks[t]
        out[t] = now
    return out
