"""What the newest session of a market says besides the model: breakout, counter-evidence, ages. Of the market given, never stored ones."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.breakout import STATES
from features.breakout_list import SERIES, list_events
from features.market import Market

FAMILIES = ("momentum", "breadth", "flows", "profitability", "liquidity")
RANKED = ("breadth__panel_pct_above_200", "liquidity__vix")
"""Features that say nothing without the place in their own history."""

NEWS = 0.5
"""A family has news while so many of its columns have values: calendar facts (months since halving) never go missing."""

SAME = 1e-9
"""Relative and absolute difference up to which two values of a feature are the same."""


def gather_today(market: Market, values: pd.DataFrame, quality: pd.DataFrame) -> dict[str, Any]:
    """Collect the facts of the newest session, as plain values for JSON.

    Parameters
    ----------
    values, quality : as of `features.features_with_quality(market)`
    """
    facts: dict[str, Any] = clean(
        {
            "session": values.index[-1],
            "breakout": _breakout(market, values),
            "ranks": {name: _rank(values[name].dropna()) for name in RANKED},
            "features": {c: v for c, v in values.iloc[-1].items() if str(c).split("__")[0] in FAMILIES},
            "quality": quality.iloc[-1].to_dict(),
            "last_seen": {family: _last_seen(values.filter(regex=f"^{family}__")) for family in FAMILIES},
            "neg_share_record": _record(values["profitability__neg_share"].dropna()),
            "funds": sorted(market.funds["fund"].unique().tolist()),
        }
    )
    return facts


def revised_columns(trained: Mapping[str, Any], values: pd.DataFrame) -> list[str]:
    """Name the features that read otherwise now, on the last session of training, than they did then.

    Parameters
    ----------
    trained : as of `gather_today`, on the last session of training
    values : feature matrix of the market given; one that ends earlier cannot be compared, and nothing is named
    """
    session = pd.Timestamp(trained["session"])
    if session not in values.index:
        return []
    then = pd.Series(trained["features"], dtype=np.float64)
    now = values.loc[session].reindex(then.index)
    return then.index[~np.isclose(then, now, rtol=SAME, atol=SAME, equal_nan=True)].tolist()


def clean(value: Any) -> Any:
    """Turn NaN and infinities into null, numpy scalars into Python's, dates into text."""
    if isinstance(value, dict):
        return {str(k): clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean(v) for v in value]
    if isinstance(value, date):  # a Timestamp is one
        return f"{value:%Y-%m-%d}"
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _breakout(market: Market, values: pd.DataFrame) -> dict[str, Any]:
    row = values.iloc[-1]
    events = list_events(market)
    last = events.drop_duplicates("series", keep="last").set_index("series")
    return {
        "state": next((s for s in STATES if row.get(f"momentum__breakout_{s}") == 1.0), None),
        "drawdown": row.get("momentum__dd"),
        "record_age": row.get("momentum__age"),
        "last_by_series": {name: last.loc[name, ["date", "event", "margin"]].to_dict() for name in SERIES if name in last.index},
    }


def _last_seen(family: pd.DataFrame) -> pd.Timestamp | None:
    seen = family.notna().mean(axis=1) >= NEWS
    return family.index[seen][-1] if seen.any() else None


def _rank(values: pd.Series) -> float | None:
    """Share of its own history that the newest value exceeds."""
    return float((values < values.iloc[-1]).mean()) if len(values) else None


def _record(share: pd.Series) -> dict[str, Any] | None:
    """Where the newest value stands in its own history."""
    if not len(share):
        return None
    higher = share[share > share.iloc[-1]]
    since = share.index[0] if not len(higher) else higher.index[-1]
    return {"value": share.iloc[-1], "date": share.index[-1], "highest_since": since, "whole_record": not len(higher)}
