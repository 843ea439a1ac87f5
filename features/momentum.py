"""Trend of small caps, alone and against large caps, and the breakout automaton (METHODS 1.1)."""

import numpy as np
import pandas as pd

from features.breakout import STATES, breakout_path
from features.errors import DataError
from features.family import Family, prefixed
from features.levels import index_closes, price_level
from features.market import Market
from features.scaling import MIN_PERIODS, rolling_z

FAMILY = "momentum"
INDEX = "R2000"
PAIRS = ("IWM", "SPY", "IWN", "IWO")
WINDOWS = (21, 63, 126, 252)

LONGEST_WINDOW = 63 + MIN_PERIODS
"""Closes of the index that the longest feature needs: the standardised 63-session return."""


def require_index(market: Market) -> None:
    """Stop where the index is absent or shorter than the longest window.

    Raises
    ------
    DataError
    """
    rows = market.prices[market.prices["series"] == INDEX]["close"].notna().sum()
    if rows == 0:
        present = ", ".join(sorted(market.prices["series"].unique())) or "none"
        raise DataError(
            f"market '{market.name}': price series '{INDEX}' is missing; rule: features need it; present are {present}. "
            f"Map it in the market file"
        )
    if rows < LONGEST_WINDOW:
        raise DataError(
            f"market '{market.name}': price series '{INDEX}' has {rows} closes; rule: at least {LONGEST_WINDOW}, the longest window "
            f"(a 63-session return standardised over {MIN_PERIODS} sessions). Give the series an earlier start"
        )


def momentum(market: Market) -> Family:
    """Momentum of the Russell 2000 price index, on total-return funds where two are compared.

    Parameters
    ----------
    market : Market with the price series R2000; IWM, SPY, IWN and IWO where there are

    Returns
    -------
    Family; the age is that of the index, the coverage the share of the five series that have a price

    Raises
    ------
    DataError
        If the index is missing or too short.

    References
    ----------
    Jegadeesh and Titman (1993); George and Hwang (2004); Moskowitz, Ooi and Pedersen (2012).
    """
    require_index(market)
    level, age = price_level(market, INDEX, "close")
    funds = {name: np.log(price_level(market, name, "adj_close")[0]) for name in PAIRS}
    values = pd.concat([trend(level, age), record_highs(level, age), relative_strength(funds), _breakout(market)], axis=1)
    present = pd.concat([level.notna(), *(fund.notna() for fund in funds.values())], axis=1)
    quality = pd.DataFrame({"coverage": present.mean(axis=1), "age_sessions": age})
    return Family(prefixed(values, FAMILY), prefixed(quality, FAMILY))


def trend(level: pd.Series, age: pd.Series) -> pd.DataFrame:
    """Take returns over several windows, alone and in units of volatility.

    Parameters
    ----------
    level, age : price on the sessions and its age

    Returns
    -------
    DataFrame; log returns, `log_vol_21` the log of the standard deviation of 21 daily ones
    """
    log_price = np.log(level)
    daily = log_price.diff().where(age == 0)
    spread = {n: daily.rolling(n, min_periods=int(0.8 * n)).std() for n in (21, 63)}
    spread = {n: sd.where(sd > 0) for n, sd in spread.items()}
    out = {"ret_1": daily, "log_vol_21": np.log(spread[21])}
    for n in WINDOWS:
        out[f"mom_{n}"] = log_price.diff(n)
        out[f"vmom_{n}"] = out[f"mom_{n}"] / (spread[63] * np.sqrt(n))
    out["mom_12_1"] = log_price.shift(21) - log_price.shift(252)
    out["tsm"] = np.sign(out["mom_252"])
    average = level.rolling(200).mean()
    out["above_sma200"] = (level > average).astype("float64").where(average.notna())
    return pd.DataFrame(out)


def record_highs(level: pd.Series, age: pd.Series) -> pd.DataFrame:
    """Distance from, and time since, record highs counted from the start of the series.

    Parameters
    ----------
    level : price-return level: adjusting for dividends would move the dates of record highs
    age : its age; a carried price makes no new high

    Returns
    -------
    DataFrame with `ath` (0 or 1), `age` (sessions since the record high before this session), `dd` (log, <= 0), `hi52`
    """
    earlier = level.cummax().shift(1).ffill()
    fresh = (age == 0) & ((level > earlier) | earlier.isna())
    position = pd.Series(np.arange(len(level), dtype=np.float64), index=level.index)
    last = position.where(fresh).ffill()
    return pd.DataFrame(
        {
            "dd": np.log(level / level.cummax()),
            "hi52": level / level.rolling(252).max(),
            "age": position - last.shift(1),
            "ath": fresh.astype("float64").where(level.notna() & earlier.notna()),
        }
    )


def relative_strength(funds: dict[str, pd.Series]) -> pd.DataFrame:
    """Small against large (IWM/SPY), and value against growth (IWN/IWO), from log total-return levels."""
    small, value = funds["IWM"] - funds["SPY"], funds["IWN"] - funds["IWO"]
    out = {f"rs_{n}": small.diff(n) for n in WINDOWS}
    out["rsz"] = rolling_z(small - small.rolling(200).mean(), window=504)
    out["rs_63_z"] = rolling_z(out["rs_63"])
    out |= {f"vg_{n}": value.diff(n) for n in WINDOWS}
    return pd.DataFrame(out)


def _breakout(market: Market) -> pd.DataFrame:
    path = breakout_path(index_closes(market, INDEX))
    known = path.state >= 0
    out = {f"breakout_{name}": np.where(known, path.state == number, np.nan) for number, name in enumerate(STATES)}
    out |= {"breakout_age": path.sessions_in_state, "breakout_distance": path.distance}
    return pd.DataFrame(out, index=market.sessions)
