"""Prices of the target assets on sessions, and what the coins say of themselves."""

import numpy as np
import pandas as pd

from features.altcoins import altcoin_index, altcoin_known_at, altcoin_table, coin_returns
from features.asof import on_sessions
from features.family import Family, prefixed
from features.market import Market

FAMILY = "crypto"
ASSETS = ("BTC", "ETH", "ALT", "ALT_CAP")
FEATURE_ASSETS = ("BTC", "ETH", "ALT")
SPANS = (28, 63)
"""Calendar days of the coins' own momentum (METHODS 3.1, M1)."""

LAMBDA = 0.94
SEED_RETURNS = 21
VOL_DAYS = 63
MAX_AGE = 1
"""Sessions a coin's close may be carried: coins trade every day."""


def asset_prices(market: Market) -> pd.DataFrame:
    """Prices at `asof(t)`: the close of the UTC day that is the session's date.

    Parameters
    ----------
    market : Market

    Returns
    -------
    DataFrame on the sessions (index `session`), columns BTC, ETH, ALT (equal weight), ALT_CAP; NaN before the first and after the last bar,
        and where the bar of that very day is missing
    """
    out = {}
    for asset in ASSETS:
        bars = daily_bars(market, asset)
        day = bars.index.to_series().astype("int64").astype("float64")
        date, _ = on_sessions(day, bars["known_at"], market.sessions)
        value, _ = on_sessions(bars["close"], bars["known_at"], market.sessions)
        out[asset] = value.where(date == market.sessions.astype("int64"))
    return pd.DataFrame(out, index=market.sessions).rename_axis("session")


def daily_bars(market: Market, asset: str) -> pd.DataFrame:
    """Give the closes of one asset by UTC day, with `known_at`; days without a close are left out."""
    if asset in ("ALT", "ALT_CAP"):
        close = altcoin_index(market.coins, "equal" if asset == "ALT" else "cap")
        known = altcoin_known_at(market.coins)
    else:
        rows = market.coins[market.coins["asset"] == asset].set_index("date")
        close, known = rows["close"], rows["known_at"]
    close = close.dropna()
    return pd.DataFrame({"close": close, "known_at": known.reindex(close.index)})


def crypto(market: Market) -> Family:
    """Momentum of BTC, ETH and the equal-weight altcoin index over calendar days, and their volatility over sessions.

    Parameters
    ----------
    market : Market

    Returns
    -------
    Family; `*_mom_28` and `*_mom_63` are log returns in units of the volatility of the last 63 days, `*_vol` the standard deviation
        of a one-session log return (exponentially weighted, .94). Coverage: share of the three that have a price; n: coins in the index.
    """
    values, level, ages = {}, {}, []
    for asset in FEATURE_ASSETS:
        bars = daily_bars(market, asset)
        known = bars["known_at"]
        own = coin_momentum(bars["close"])
        for name in own:
            values[f"{asset.lower()}_{name}"] = on_sessions(own[name], known, market.sessions, MAX_AGE)[0]
        level[asset], age = on_sessions(bars["close"], known, market.sessions, MAX_AGE)
        values[f"{asset.lower()}_vol"] = ewma_volatility(np.log(level[asset]).diff().where(age == 0))
        ages.append(age)
    coverage = pd.concat([each.notna() for each in level.values()], axis=1).mean(axis=1)
    quality = {"coverage": coverage, "age_sessions": pd.concat(ages, axis=1).min(axis=1), "n": _coins_on_sessions(market)}
    return Family(prefixed(pd.DataFrame(values), FAMILY), prefixed(pd.DataFrame(quality), FAMILY))


def coin_momentum(close: pd.Series) -> pd.DataFrame:
    """Log returns over `SPANS` calendar days in units of volatility.

    Parameters
    ----------
    close : Series on UTC days, possibly with days missing

    Returns
    -------
    DataFrame on the days of `close`, columns `mom_28`, `mom_63`; NaN where the day at the other end is missing
    """
    if close.empty:
        return pd.DataFrame(index=close.index, columns=[f"mom_{n}" for n in SPANS], dtype=np.float64)
    days = pd.date_range(close.index[0], close.index[-1], freq="D", unit="us")
    log_price = np.log(close).reindex(days)
    spread = log_price.diff().rolling(VOL_DAYS, min_periods=int(0.8 * VOL_DAYS)).std()
    spread = spread.where(spread > 0)
    return pd.DataFrame({f"mom_{n}": log_price.diff(n) / (spread * np.sqrt(n)) for n in SPANS}).reindex(close.index)


def ewma_volatility(returns: pd.Series) -> pd.Series:
    """Exponentially weighted standard deviation of returns about zero, seeded by the first 21 of them.

    Parameters
    ----------
    returns : Series; NaN is skipped

    Returns
    -------
    Series: sqrt(v_t), v_t = .94 v_{t-1} + .06 r_t^2 from the mean square of the first 21 returns; NaN before them and where r_t is NaN
    """
    out = np.full(len(returns), np.nan)
    seed: list[float] = []
    variance = np.nan
    for t, r in enumerate(returns.to_numpy(dtype=np.float64).tolist()):
        if np.isnan(r):
            continue
        if len(seed) < SEED_RETURNS:
            seed.append(r * r)
            variance = sum(seed) / SEED_RETURNS if len(seed) == SEED_RETURNS else np.nan
        else:
            variance = LAMBDA * variance + (1 - LAMBDA) * r * r
        out[t] = np.sqrt(variance)
    return pd.Series(out, index=returns.index)


def _coins_on_sessions(market: Market) -> pd.Series:
    table = altcoin_table(market.coins)
    if table.empty:
        return pd.Series(0.0, index=market.sessions)
    known = altcoin_known_at(market.coins)
    n = coin_returns(table).notna().sum(axis=1).astype("float64").reindex(known.index)
    return on_sessions(n, known, market.sessions, MAX_AGE)[0].fillna(0.0)
