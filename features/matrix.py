"""All families side by side: the feature matrix, and its quality."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from features.breadth import breadth
from features.coins import crypto
from features.family import Family
from features.flows import flows
from features.liquidity import liquidity
from features.market import Market
from features.momentum import momentum, require_index
from features.profitability import profitability

FAMILIES: Mapping[str, Callable[[Market], Family]] = {
    "momentum": momentum,
    "breadth": breadth,
    "flows": flows,
    "profitability": profitability,
    "liquidity": liquidity,
    "crypto": crypto,
}
"""Families in the order of their columns."""

MAY_NEVER_FIRE = (
    "momentum__breakout_broken",
    "momentum__breakout_confirmed",
    "momentum__breakout_retest",
    "momentum__breakout_failed",
    "momentum__breakout_retest_held",
    "momentum__breakout_ran_away",
    "flows__record_high_with_outflows",
    "flows__reconstitution",
    "flows__heartbeat",
)
"""One-hots that a market need not have fired yet; any other constant column is a fault."""


@dataclass(frozen=True)
class Features:
    """Values and quality of one pass, both on the sessions of the market (index `session`)."""

    values: pd.DataFrame
    quality: pd.DataFrame


def features_with_quality(market: Market) -> Features:
    """Compute every family once.

    Parameters
    ----------
    market : Market with the price series R2000; everything else may be absent and gives NaN columns

    Returns
    -------
    Features

    Raises
    ------
    DataError
        If R2000 is missing or shorter than the longest window, or membership is a single list dated back.
    """
    require_index(market)
    families = [compute(market) for compute in FAMILIES.values()]
    return Features(pd.concat([each.values for each in families], axis=1), pd.concat([each.quality for each in families], axis=1))


def feature_matrix(market: Market) -> pd.DataFrame:
    """One row a session, made of what was known at its `asof`: values only.

    Parameters
    ----------
    market : as `features_with_quality`

    Returns
    -------
    DataFrame of float64, index `session`, columns `family__name` in a fixed order whatever the market holds
    """
    return features_with_quality(market).values


def feature_quality(market: Market) -> pd.DataFrame:
    """Coverage, age and n of each family on the sessions; breadth for each universe.

    Parameters
    ----------
    market : as `features_with_quality`

    Returns
    -------
    DataFrame of float64, columns `family__coverage`, `family__age_sessions`, `family__n`, for breadth `breadth__panel_coverage` and so on
    """
    return features_with_quality(market).quality


def constant_columns(values: pd.DataFrame) -> list[str]:
    """Name the columns that have values and never vary: one-hots that never fired, and faults.

    Parameters
    ----------
    values : a feature matrix

    Returns
    -------
    list of names in order of columns; those outside `MAY_NEVER_FIRE` are faults. Columns without any value are not listed.
    """
    distinct = values.nunique()
    return [str(name) for name in values.columns[(distinct == 1).to_numpy()]]
