"""What a forecast would have earned: positions by mean and variance, after costs, at once or a session late."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from models.inference import Array

BASIS_POINT = 1e-4
SESSIONS_A_YEAR = 252

RISK_AVERSION = 3.0
"""How much variance is feared."""

COSTS_BP, DELAYS = (10.0, 25.0), (0, 1)
"""Basis points of what is traded, a cheap and a dear venue; and sessions by which an entry is late."""


@dataclass(frozen=True)
class SharpeTest:
    """A Sharpe ratio against zero.

    Attributes
    ----------
    sharpe, error : of one session, and its standard error; times sqrt(252) for a year
    t, p : their ratio, and the one-sided p-value of 'not above zero' (normal)
    n : sessions
    """

    sharpe: float
    error: float
    t: float
    p: float
    n: int


def strategy_returns(
    mean: Array, sd: Array, returns: Array, horizon: int, delay: int, cost_bp: float, risk_aversion: float
) -> pd.DataFrame:
    """Hold the share of wealth that a mean-variance investor without leverage or shorts would hold, the rest in cash at no interest.

    w_t = clip(m_t / (risk_aversion v_t), 0, 1), m_t and v_t the mean and the variance of one session: those of the horizon over h.
    It earns from the session after t, or `delay` sessions later. Without a forecast nothing is held. Costs are charged on the change
    of the weight as decided; its drift with the price is neither traded nor charged.

    Parameters
    ----------
    mean, sd : (n_obs,) of the log return over the horizon, as forecast at row t
    returns : (n_obs,) one-session log returns; that of row t ends at row t
    horizon : sessions
    delay : sessions between the first possible entry and the entry
    cost_bp : basis points of what is traded
    risk_aversion : above 0

    Returns
    -------
    DataFrame with weight (held over the session that ends at the row), gross, cost, net: simple returns of the session
    """
    if min(horizon, 1 + delay) < 1 or cost_bp < 0 or risk_aversion <= 0:
        raise ValueError(
            f"horizon must be at least 1, delay and cost_bp at least 0, risk_aversion above 0, got {horizon}, {delay}, {cost_bp}, "
            f"{risk_aversion}; METHODS 3.7 has values that make sense"
        )
    wanted = positions(mean / horizon, sd**2 / horizon, risk_aversion)
    lag = 1 + delay
    weight = np.concatenate([np.zeros(lag), np.nan_to_num(wanted, nan=0.0)])[: len(returns)]
    gross = weight * np.expm1(returns)
    cost = trading_costs(weight, cost_bp)
    return pd.DataFrame({"weight": weight, "gross": gross, "cost": cost, "net": gross - cost})


def positions(mean: Array, variance: Array, risk_aversion: float) -> Array:
    """Share of wealth of a mean-variance investor without leverage or shorts: mean over risk_aversion times variance, in [0, 1]."""
    return np.clip(mean / (risk_aversion * variance), 0.0, 1.0)


def trading_costs(weight: Array, cost_bp: float) -> Array:
    """What each row's change of the weights (n_obs, ...) costs; nothing is held before the first."""
    return np.asarray(BASIS_POINT * cost_bp * np.abs(np.diff(weight, axis=0, prepend=0.0)))


def sharpe_test(returns: Array) -> SharpeTest:
    """Sharpe ratio of one period with a standard error that allows for fat tails and autocorrelation.

    Lo (2002, equations 16 to 18): the delta method on mean and variance, their long-run covariance by Newey and West (1987) with
    floor(4 (n / 100)^(2/9)) lags.

    Parameters
    ----------
    returns : (n_obs,) simple returns

    Returns
    -------
    SharpeTest, all NaN where nothing varies or fewer than 30 rows exist
    """
    n = len(returns)
    if n < 30 or np.ptp(returns) == 0:
        return SharpeTest(np.nan, np.nan, np.nan, np.nan, n)
    centred = returns - returns.mean()
    variance = float(np.mean(centred**2))
    moments = np.column_stack([centred, centred**2 - variance])
    ratio = float(returns.mean()) / np.sqrt(variance)
    slope = np.array([1.0 / np.sqrt(variance), -0.5 * ratio / variance])
    influence = moments @ slope
    lags = int(4.0 * (n / 100.0) ** (2.0 / 9.0))
    long_run = float(influence @ influence) / n
    for lag in range(1, lags + 1):
        long_run += 2.0 * (1.0 - lag / (lags + 1.0)) * float(influence[lag:] @ influence[:-lag]) / n
    error = float(np.sqrt(long_run / n))
    return SharpeTest(ratio, error, ratio / error, float(norm.sf(ratio / error)), n)
