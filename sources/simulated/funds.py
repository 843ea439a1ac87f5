"""Two index funds of the sample market: creations follow past returns, and the issuer's file has its usual faults."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sources.known import known_at
from sources.simulated.regimes import BURN

UNIT = 50_000.0
"""Shares of one creation unit."""

LAG = 3
"""Sessions from a return to the flow that follows it."""


@dataclass(frozen=True)
class Fund:
    """One fund: `split_at` is the share of the span at which it splits two for one, 0 for never."""

    name: str
    price: float
    shares: float
    response: float
    noise: float
    split_at: float


FUNDS = (Fund("IWM", 75.0, 2.4e8, 0.6, 0.006, 0.45), Fund("VTWO", 60.0, 1.2e7, 0.5, 0.006, 0.0))

EPISODES = ((0.22, 0.15, 6), (0.71, -0.12, 4))
"""Large creations and redemptions that are reversed: where, how large, and after how many sessions."""

MISPRINTS = ((0.34, 10.0), (0.83, 0.1))
"""Share counts that are printed wrong on one day: where, and by what factor."""


def draw_funds(sessions: pd.DatetimeIndex, returns: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Make the fund frame.

    Parameters
    ----------
    sessions : DatetimeIndex, (n_sessions,)
    returns : ndarray, (BURN + n_sessions,), log return of the small-cap index with its past
    """
    # flows follow the mean return of about a month, some sessions late
    weights = 0.95 ** np.arange(120)
    trend = np.convolve(returns, weights / weights.sum())[: len(returns)]
    lagged = np.roll(trend, LAG)[BURN:]
    known = known_at("next_session_morning", sessions)
    frames = [_fund(fund, sessions, returns[BURN:], lagged, known, rng) for fund in FUNDS]
    return pd.concat(frames, ignore_index=True)


def _fund(
    fund: Fund, sessions: pd.DatetimeIndex, returns: np.ndarray, lagged: np.ndarray, known: pd.DatetimeIndex, rng: np.random.Generator
) -> pd.DataFrame:
    n = len(sessions)
    split = np.ones(n)
    if fund.split_at:
        split[int(fund.split_at * n)] = 2.0
    active = rng.random(n) < 0.7
    rate = np.where(active, fund.response * (lagged - returns.mean()) + fund.noise * rng.standard_normal(n), 0.0)
    shares = _shares(fund.shares, rate, split)
    nav = fund.price * np.exp(np.cumsum(returns)) / np.cumprod(split)
    if fund.name == FUNDS[0].name:
        for place, size, length in EPISODES:
            at = int(place * n)
            shares[at : at + length] = _whole_units(shares[at : at + length] * (1 + size))
        for place, factor in MISPRINTS:
            shares[int(place * n)] *= factor
    shares[rng.random(n) < 0.002] = np.nan
    return pd.DataFrame(
        {"fund": fund.name, "date": sessions, "nav": nav.round(6), "shares_outstanding": shares, "split": split, "known_at": known}
    )


def _shares(start: float, rate: np.ndarray, split: np.ndarray) -> np.ndarray:
    """Compound whole creation units; a fund never falls below a tenth of its first size."""
    shares = np.empty(len(rate))
    now = start
    floor = start / 10
    for t, (r, factor) in enumerate(zip(rate, split, strict=True)):
        now, floor = now * factor, floor * factor
        now = max(floor, now + UNIT * round(now * r / UNIT))
        shares[t] = now
    return shares


def _whole_units(shares: np.ndarray) -> np.ndarray:
    return np.asarray(np.round(shares / UNIT) * UNIT)
