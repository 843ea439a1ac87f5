"""Altcoin indices from coin closes, as price returns of the coins in the files, survivors all (METHODS 0.2)."""

from typing import Literal

import numpy as np
import pandas as pd

MAJORS = ("BTC", "ETH")
STABLE = (
    "USDT", "USDC", "BUSD", "DAI", "TUSD", "USDP", "PAX", "GUSD", "FRAX", "LUSD",
    "HUSD", "SUSD", "USDD", "FDUSD", "USDE", "PYUSD", "UST", "USTC", "USDS", "USD1",
    "RLUSD", "USDG", "USD0", "USDX", "USDJ", "USDN", "CRVUSD", "GHO", "MIM", "FEI",
    "ALUSD", "CUSD", "SUSDE", "SUSDS", "SDAI", "BUIDL", "EURC", "EURT", "EURS",
)  # fmt: skip
WRAPPED = (
    "WBTC", "WETH", "STETH", "WSTETH", "CBETH", "RETH", "BTCB", "CBBTC", "TBTC", "RENBTC", "HBTC", "LBTC", "SOLVBTC",
    "WEETH", "EETH", "WBETH", "RSETH", "METH", "EZETH", "WBNB", "WSOL", "MSOL", "JITOSOL", "STSOL", "PAXG", "XAUT",
)  # fmt: skip
"""Claims on Bitcoin or Ether are no altcoins, nor are those on gold; claims on an altcoin would count it twice."""

PEG = 0.03
"""A close this near to one dollar, or nearer, on each of the last `PEG_DAYS` closes is a peg."""

PEG_DAYS = 90
MIN_COINS = 3
MAX_GAP = 3
"""Days over which a coin's return may reach back."""

ABSURD = np.log(4)
"""A daily log return beyond this is clipped, up and down alike, so that a bad print and its correction cancel."""

ONE_DAY = pd.Timedelta(days=1)


def altcoin_index(coins: pd.DataFrame, weighting: Literal["equal", "cap"] = "equal") -> pd.Series:
    """Chain daily returns of the altcoins into a level.

    Parameters
    ----------
    coins : `Market.coins`: asset, date (UTC day by its start), close, market_cap, known_at
    weighting : 'equal' averages simple returns, rebalanced daily; 'cap' weights them by the caps of the last day of the month before.
        The two are different indices and are never spliced.

    Returns
    -------
    Series on UTC days, 1 on the day before the first return, NaN on days without one: fewer than 3 coins, or caps that have ended

    Raises
    ------
    ValueError
        If `weighting` is another word.

    Notes
    -----
    A day uses the records that became known with its first: one that comes later would rewrite the day.
    A list of coins drawn up today holds the survivors, and rebalancing into them daily makes the level grow beyond what anyone earned:
    use its moves, not its height.
    """
    if weighting not in ("equal", "cap"):
        raise ValueError(f"weighting is {weighting!r}; rule: 'equal' or 'cap'")
    table = altcoin_table(coins)
    if table.empty:
        return pd.Series(np.nan, index=pd.DatetimeIndex([], dtype="datetime64[us]"), name="level")
    moves = coin_returns(table)
    weights = _month_start_caps(table) if weighting == "cap" else None
    returns = _weighted(moves, weights)
    level: pd.Series = np.exp(np.log1p(returns.fillna(0.0)).cumsum()).where(returns.notna())
    first = int(returns.notna().argmax())
    if first > 0 and returns.notna().any():
        level.iloc[first - 1] = 1.0
    return level.rename("level")


def published_cap(macro: pd.DataFrame, without: Literal["nothing", "USDT", "stablecoins"] = "stablecoins") -> pd.DataFrame:
    """Give TOTAL3, the value of all coins but Bitcoin and Ether as a vendor publishes it, with or without the stablecoins in it.

    Parameters
    ----------
    macro : `Market.macro`: series TOTAL3 (USD); USDT_D (percent of TOTAL) and TOTAL, or STABLECOINS (supply in USD)
    without : 'nothing' is TOTAL3 as published; 'USDT' less USDT_D / 100 x TOTAL; 'stablecoins' less STABLECOINS

    Returns
    -------
    DataFrame on UTC days: `level` in USD, `known_at` of the last part to be known; days on which a part is missing, or nothing above 0 is
        left, are no rows

    Raises
    ------
    ValueError
        If `without` is another word.

    Notes
    -----
    A third index beside those of `altcoin_index`, never spliced with them: its moves hold coins issued and listed besides prices.
    """
    parts = {"nothing": (), "USDT": ("USDT_D", "TOTAL"), "stablecoins": ("STABLECOINS",)}
    if without not in parts:
        raise ValueError(f"without is {without!r}; rule: 'nothing', 'USDT' or 'stablecoins'")
    names = ["TOTAL3", *parts[without]]
    table = macro[macro["series"].isin(names)]
    wide = (table.pivot(index="date", columns="series", values=each) for each in ("value", "known_at"))
    value, known = (each.reindex(columns=names).dropna() for each in wide)
    level = value["TOTAL3"].astype("float64")
    if without == "USDT":
        level = level - value["USDT_D"] / 100 * value["TOTAL"]
    elif without == "stablecoins":
        level = level - value["STABLECOINS"]
    frame = pd.DataFrame({"level": level, "known_at": known.max(axis=1).astype("datetime64[us, UTC]")})
    return frame[frame["level"] > 0]


def daily_correlation(level: pd.Series, other: pd.Series) -> tuple[float, int]:
    """Correlate the log returns of two levels from one UTC day to the next, on the days on which both have one.

    Returns
    -------
    correlation (NaN under 3 days), number of days
    """
    moves = []
    for each in (level.dropna(), other.dropna()):
        move = np.log(each).diff()
        moves.append(move[(each.index.to_series().diff() == ONE_DAY).to_numpy()])
    both = pd.concat(moves, axis=1, join="inner").to_numpy(dtype=np.float64)
    return (float(np.corrcoef(both.T)[0, 1]) if len(both) > 2 else float("nan")), len(both)


def unlisted_pegs(coins: pd.DataFrame) -> list[str]:
    """Name the assets that behave like stablecoins and are not among them: each would be an altcoin that does not move.

    Parameters
    ----------
    coins : `Market.coins`

    Returns
    -------
    list of str, sorted: assets whose last 90 closes lie within 3% of one dollar; a name to add to `STABLE`, which nothing does by itself,
        since it would alter what the index was on earlier days
    """
    table = coins[~coins["asset"].isin({*MAJORS, *STABLE, *WRAPPED})].sort_values("date")
    last = table.groupby("asset").tail(PEG_DAYS)
    near = ((last["close"] - 1).abs() <= PEG).groupby(last["asset"]).agg(["all", "size"])
    return sorted(near.index[near["all"] & (near["size"] == PEG_DAYS)])


def altcoin_table(coins: pd.DataFrame) -> pd.DataFrame:
    """Keep the records of altcoins that were known with the first of their day."""
    excluded = {*MAJORS, *STABLE, *WRAPPED}
    table = coins[~coins["asset"].isin(excluded)]
    first_known = table.groupby("date")["known_at"].transform("min")
    return table[table["known_at"] == first_known]


def altcoin_known_at(coins: pd.DataFrame) -> pd.Series:
    """Instant from which the index of a day could be used, by day."""
    return altcoin_table(coins).groupby("date")["known_at"].min()


def coin_returns(table: pd.DataFrame) -> pd.DataFrame:
    """Give simple daily returns, days x coins; over gaps of up to `MAX_GAP` days the return falls on the day that prints again."""
    close = _wide(table, "close")
    before = close.ffill(limit=MAX_GAP).shift(1)
    moves: pd.DataFrame = np.expm1(np.log(close / before).clip(-ABSURD, ABSURD))
    return moves


def _wide(table: pd.DataFrame, column: str) -> pd.DataFrame:
    days = pd.date_range(table["date"].min(), table["date"].max(), freq="D", unit="us")
    return table.pivot(index="date", columns="asset", values=column).reindex(days).sort_index(axis=1)


def _month_start_caps(table: pd.DataFrame) -> pd.DataFrame:
    """Caps of the last day of the month before, on every day of a month; NaN where that day has none."""
    caps = _wide(table, "market_cap")
    days = pd.DatetimeIndex(caps.index)
    eve = days.to_period("M").to_timestamp().as_unit("us") - ONE_DAY
    return caps.reindex(eve).set_axis(days)


def _weighted(moves: pd.DataFrame, weights: pd.DataFrame | None) -> pd.Series:
    # coin by coin: one that lists later adds exact zeros to earlier days
    total, weight, n = (np.zeros(len(moves)) for _ in range(3))
    for asset in moves.columns:
        move = moves[asset].to_numpy()
        own = np.ones(len(moves)) if weights is None else weights[asset].to_numpy()
        usable = ~np.isnan(move) & (own > 0)
        total += np.where(usable, own * move, 0.0)
        weight += np.where(usable, own, 0.0)
        n += usable
    return pd.Series(np.divide(total, weight, out=np.full(len(moves), np.nan), where=n >= MIN_COINS), index=moves.index)
