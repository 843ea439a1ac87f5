"""Volatility, credit, rates, the dollar and the supply of money (METHODS 1.5)."""

import numpy as np
import pandas as pd

from features.asof import asof
from features.family import Family, prefixed
from features.levels import macro_level
from features.market import Market

FAMILY = "liquidity"

MAX_AGE = {
    "VIX": 5, "HY_OAS": 5, "REAL_YIELD_10Y": 5, "USD": 10, "WALCL": 8, "WTREGEN": 8, "RRP": 5, "STABLECOINS": 5,
}  # fmt: skip
"""Sessions each series may be carried: daily ones a week, the weekly balance sheet eight, the dollar (published weekly) ten."""

OPTIONAL = {"VIX3M": 5}
"""Series that a market may do without: they do not count against coverage."""

HALVINGS = pd.DatetimeIndex(["2012-11-28", "2016-07-09", "2020-05-11", "2024-04-20"], tz="UTC")
"""Days of the Bitcoin halvings. The next is due in 2028 and belongs here the day after."""

DAYS_A_MONTH = 365.25 / 12


def liquidity(market: Market) -> Family:
    """Level and change of series around risk appetite.

    Parameters
    ----------
    market : Market with the macro series of `MAX_AGE` and `OPTIONAL` where there are

    Returns
    -------
    Family; `vix` and `hy_oas` in points, `vix_term` the three-month over the one-month index less 1, changes over 21 sessions in the
        series' own unit or in logs, `net_liquidity_chg_63` the log change of Fed assets less Treasury account less reverse repo.
        Coverage: share of the series with a value; the age is that of the newest.
    """
    found = {name: macro_level(market, name, max_age) for name, max_age in MAX_AGE.items()}
    level = {name: value for name, (value, _) in found.items()}
    vix3m = macro_level(market, "VIX3M", OPTIONAL["VIX3M"])[0]
    net = net_liquidity(level["WALCL"], level["WTREGEN"], level["RRP"])
    values = pd.DataFrame(
        {
            "vix": level["VIX"],
            "vix_term": vix3m / level["VIX"] - 1,
            "vix_chg_21": _log(level["VIX"]).diff(21),
            "hy_oas": level["HY_OAS"],
            "hy_oas_chg_21": level["HY_OAS"].diff(21),
            "real_yield_chg_21": level["REAL_YIELD_10Y"].diff(21),
            "usd_chg_21": _log(level["USD"]).diff(21),
            "net_liquidity_chg_63": _log(net).diff(63),
            "stablecoins_chg_21": _log(level["STABLECOINS"]).diff(21),
            "months_since_halving": months_since_halving(market.sessions),
        }
    )
    present = pd.concat([value.notna() for value in level.values()], axis=1)
    ages = pd.concat([age for _, age in found.values()], axis=1)
    quality = pd.DataFrame({"coverage": present.mean(axis=1), "age_sessions": ages.min(axis=1)})
    return Family(prefixed(values, FAMILY), prefixed(quality, FAMILY))


def net_liquidity(assets: pd.Series, treasury: pd.Series, reverse_repo: pd.Series) -> pd.Series:
    """Fed assets less Treasury account less reverse repo, in USD million.

    Parameters
    ----------
    assets, treasury : USD million (WALCL, WTREGEN)
    reverse_repo : USD billion (RRPONTSYD)
    """
    return assets - treasury - 1000.0 * reverse_repo


def months_since_halving(sessions: pd.DatetimeIndex) -> pd.Series:
    """Months of 30.44 days from the last Bitcoin halving to `asof`; NaN before the first."""
    now = asof(sessions)
    last = HALVINGS.searchsorted(now - pd.Timedelta(days=1), side="right") - 1
    days = (now - HALVINGS[np.maximum(last, 0)]) / pd.Timedelta(days=1)
    return pd.Series(np.where(last >= 0, days / DAYS_A_MONTH, np.nan), index=sessions)


def _log(values: pd.Series) -> pd.Series:
    logs: pd.Series = np.log(values.where(values > 0))
    return logs
