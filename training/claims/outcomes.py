"""What an asset did after a session: over fixed horizons, on a circle of its own returns, and at its best and worst on the way."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.inference import Array
from training.targets import forward_return

Positions = NDArray[np.intp]

HORIZONS = (5, 21, 63, 126, 252)
EXCURSION = 252
"""Sessions in which the best and the worst close after an event are looked for."""


@dataclass(frozen=True)
class Outcomes:
    """Forward returns of one asset over the horizons.

    Attributes
    ----------
    sessions : from its first price to its last
    horizons : in sessions
    forward : (n, n_horizons) ln P(t+h) - ln P(t); NaN where it is not over
    circle : (n - 1, n_horizons) the same on a circle, on which the first return follows the last
    returns : (n - 1,) of one session each, by the session they begin on
    """

    sessions: pd.DatetimeIndex
    horizons: tuple[int, ...]
    forward: Array
    circle: Array
    returns: Array

    def positions(self, dates: pd.DatetimeIndex) -> Positions:
        """Positions of dates in `sessions`; dates without a price are left out."""
        at = self.sessions.get_indexer(dates)
        return at[at >= 0]


def outcomes_of(price: pd.Series, horizons: tuple[int, ...] = HORIZONS) -> Outcomes:
    """Compute the forward returns of an asset.

    Parameters
    ----------
    price : Series on sessions; a gap between its first and its last price is bridged by the price before it
    """
    span = price.loc[price.first_valid_index() : price.last_valid_index()].ffill()
    if price.first_valid_index() is None:
        nothing = np.empty((0, len(horizons)))
        return Outcomes(pd.DatetimeIndex([]), horizons, nothing, nothing, np.empty(0))
    forward = np.column_stack([forward_return(span, h).to_numpy() for h in horizons])
    returns = np.diff(np.log(span.to_numpy(dtype=np.float64)))
    return Outcomes(pd.DatetimeIndex(span.index), horizons, forward, circular_sums(returns, horizons), returns)


def circular_sums(returns: Array, horizons: tuple[int, ...]) -> Array:
    """Sum the next h returns from each position on a circle.

    Parameters
    ----------
    returns : (n,) of one session each; the first follows the last

    Returns
    -------
    (n, n_horizons); row t begins with `returns[t]`; NaN where h exceeds n
    """
    n = len(returns)
    total = np.concatenate([[0.0], np.cumsum(np.concatenate([returns, returns]))])
    start = np.arange(n)
    return np.column_stack([total[start + h] - total[start] if h <= n else np.full(n, np.nan) for h in horizons])


def excursions(price: pd.Series, within: int = EXCURSION) -> pd.DataFrame:
    """Best and worst close after each session, and when the best came.

    Parameters
    ----------
    price : Series on sessions
    within : sessions

    Returns
    -------
    DataFrame on the sessions: mfe, mae (log, over closes 1 to `within` sessions on, at least 0 and at most 0: doing nothing is a
    choice), to_mfe (sessions, 0 if it never rose); NaN where the window is not over
    """
    log_price = np.log(price.to_numpy(dtype=np.float64))
    out = np.full((len(price), 3), np.nan)
    if len(price) > within:
        moves = np.lib.stride_tricks.sliding_window_view(log_price, within + 1)
        moves = moves - moves[:, :1]
        whole = ~np.isnan(moves).any(axis=1)
        best = moves[whole].argmax(axis=1)
        rows = np.flatnonzero(whole)
        out[rows] = np.column_stack([moves[rows, best], moves[rows].min(axis=1), best])
    return pd.DataFrame(out, index=price.index, columns=["mfe", "mae", "to_mfe"])
