"""Coins of the sample market: every calendar day, with a lagged response to the regime that the caller plants."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sources.known import known_at
from sources.simulated.regimes import unit_t


@dataclass(frozen=True)
class Coin:
    """How one coin is drawn: `begins` and `ends` are shares of the span, `supply` is 0 where no market cap is known."""

    name: str
    price: float
    begins: float
    ends: float
    vol: float
    common: float
    supply: float


COINS = (
    Coin("BTC", 140.0, 0.0, 1.0, 0.035, 1.0, 1.6e7),
    Coin("ETH", 1.0, 0.28, 1.0, 0.045, 0.75, 9e7),
    Coin("LTC", 4.0, 0.0, 1.0, 0.045, 0.70, 5e7),
    Coin("XRP", 0.01, 0.0, 1.0, 0.048, 0.55, 4e10),
    Coin("DOGE", 0.0005, 0.08, 1.0, 0.055, 0.50, 1e11),
    Coin("XLM", 0.003, 0.14, 0.85, 0.052, 0.55, 2e10),
    Coin("XMR", 1.0, 0.20, 1.0, 0.048, 0.60, 1.5e7),
    Coin("ETC", 1.5, 0.33, 1.0, 0.050, 0.60, 1e8),
    Coin("BNB", 1.0, 0.42, 1.0, 0.050, 0.60, 1.6e8),
    Coin("ADA", 0.03, 0.44, 1.0, 0.052, 0.60, 3e10),
    Coin("LINK", 0.3, 0.44, 1.0, 0.054, 0.55, 0.0),
    Coin("DOT", 3.0, 0.55, 1.0, 0.053, 0.60, 0.0),
    Coin("SOL", 1.0, 0.62, 1.0, 0.058, 0.55, 0.0),
    Coin("AVAX", 4.0, 0.65, 1.0, 0.058, 0.55, 0.0),
)
DRIFT = 0.001
DOF = 4.0
CAPS_END = 0.75
"""No market caps after this share of the span: the sources of caps end early, too."""

SILENT = ("XRP", 0.30, 0.35)
"""A coin without prices between two shares of the span."""

INSIDE = 0.012
"""Deviation of a day from its share of the session's return: weekends add days, not variance of sessions."""


def draw_coins(sessions: pd.DatetimeIndex, response: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Make the coin frame.

    The log return from one session's date to the next is `DRIFT + response + vol * t4` (unit variance) exactly; it is
    spread over the calendar days between them by a bridge.

    Parameters
    ----------
    sessions : DatetimeIndex, (n_sessions,)
    response : ndarray, (n_sessions,), what the regime adds to every coin's log return of the session
    """
    days = pd.date_range(sessions[0], sessions[-1], freq="D").as_unit("us")
    slot = np.asarray(sessions.searchsorted(days, side="left"))
    count = np.bincount(slot, minlength=len(sessions))
    known = known_at("end_of_utc_day", days)
    common = unit_t(rng, DOF, len(sessions))
    frames = []
    for coin in COINS:
        own = unit_t(rng, DOF, len(sessions))
        noise = coin.common * common + np.sqrt(1 - coin.common**2) * own
        within = INSIDE * rng.standard_normal(len(days))
        within -= (np.bincount(slot, within, len(sessions)) / count)[slot]
        daily = ((DRIFT + response + coin.vol * noise) / count)[slot] + within
        frames.append(_coin(coin, days, daily, known))
    return pd.concat(frames, ignore_index=True)


def _coin(coin: Coin, days: pd.DatetimeIndex, daily: np.ndarray, known: pd.DatetimeIndex) -> pd.DataFrame:
    place = np.arange(len(days)) / len(days)
    alive = (place >= coin.begins) & (place < coin.ends)
    if coin.name == SILENT[0]:
        alive &= (place < SILENT[1]) | (place >= SILENT[2])
    path = np.cumsum(daily)
    close = coin.price * np.exp(path - path[np.argmax(alive)])
    issued = coin.supply * (1.0 + 0.5 * place)
    cap = np.where((place < CAPS_END) & (coin.supply > 0), issued * close, np.nan)
    frame = pd.DataFrame({"asset": coin.name, "date": days, "close": close, "market_cap": cap, "known_at": known})
    return frame[alive]
