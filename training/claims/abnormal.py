"""What followed an event beyond what was to be expected: of the mean so far, of days as nervous, of a coin that moves with Bitcoin."""

import numpy as np
import pandas as pd

from models.inference import Array
from training.targets import forward_return

FEWEST = 252
"""Known outcomes under which there is no mean to expect."""

VOL_SESSIONS, BETA_SESSIONS = 63, 126
NEAR = 0.1
"""Distance in rank of volatility within which a session is as nervous: the nearest fifth."""


def expected_mean(forward: Array, horizon: int) -> Array:
    """Mean outcome known at each session: of the sessions at least `horizon` before it.

    Parameters
    ----------
    forward : (n,) forward returns, NaN where unknown

    Returns
    -------
    (n,) NaN where fewer than 252 are known
    """
    known = pd.Series(forward).expanding(FEWEST).mean().shift(horizon)
    return known.to_numpy(dtype=np.float64)


def matched_mean(forward: Array, volatility: Array, at: int, horizon: int) -> float:
    """Mean outcome of sessions as volatile as that of the event, in hindsight, those whose window meets the event's left out.

    Parameters
    ----------
    forward, volatility : (n,)
    at : position of the event

    Returns
    -------
    float; NaN where the event's volatility is not known
    """
    rank = pd.Series(volatility).rank(pct=True).to_numpy(dtype=np.float64)
    apart = np.abs(np.arange(len(forward)) - at) > horizon
    alike = apart & (np.abs(rank - rank[at]) <= NEAR) & ~np.isnan(forward)
    return float(forward[alike].mean()) if alike.any() and not np.isnan(rank[at]) else float("nan")


def rolling_volatility(price: pd.Series) -> pd.Series:
    """Standard deviation of the last 63 one-session log returns."""
    moves: pd.Series = np.log(price).diff()
    return moves.rolling(VOL_SESSIONS).std()


def rolling_beta(price: pd.Series, reference: pd.Series) -> pd.Series:
    """Slope of the last 126 one-session log returns on those of the reference."""
    own, other = np.log(price).diff(), np.log(reference).diff()
    both = own.notna() & other.notna()
    own, other = own.where(both), other.where(both)
    beta: pd.Series = own.rolling(BETA_SESSIONS).cov(other) / other.rolling(BETA_SESSIONS).var()
    return beta


def abnormal_returns(dates: pd.DatetimeIndex, prices: pd.DataFrame, asset: str, horizon: int, reference: str = "BTC") -> pd.DataFrame:
    """Forward returns after events less three expectations.

    Parameters
    ----------
    dates : of the events, sessions of `prices`
    reference : the asset whose volatility is matched and whose beta is taken

    Returns
    -------
    DataFrame by date: log_return, over_mean, over_matched, over_beta (NaN for the reference itself, and where unknown)
    """
    forward = forward_return(prices[asset], horizon)
    out = pd.DataFrame({"log_return": forward.reindex(dates)}, index=dates)
    out["over_mean"] = out["log_return"] - pd.Series(expected_mean(forward.to_numpy(), horizon), index=prices.index).reindex(dates)
    volatility = rolling_volatility(prices[reference]).to_numpy(dtype=np.float64)
    at = prices.index.get_indexer(dates).tolist()
    matched = [matched_mean(forward.to_numpy(), volatility, position, horizon) for position in at]
    out["over_matched"] = out["log_return"] - np.array(matched, dtype=np.float64)
    expected = rolling_beta(prices[asset], prices[reference]) * forward_return(prices[reference], horizon)
    out["over_beta"] = np.nan if asset == reference else out["log_return"] - expected.reindex(dates)
    return out
