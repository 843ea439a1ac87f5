"""Who was in the index on a session, as known on it (METHODS 1.2)."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.asof import first_usable
from features.errors import DataError
from features.market import Market

BACKDATED = pd.Timedelta(days=31)
"""A list may be published this long after the day it speaks of and still count as a list of that day."""


def member_spans(market: Market) -> pd.DataFrame:
    """Turn membership intervals into rows of the session grid.

    Parameters
    ----------
    market : Market

    Returns
    -------
    DataFrame with security, first, stop: member on sessions first <= t < stop, from when both the start and the record are past

    Raises
    ------
    DataError
        If all records are one list dated back: today's constituents applied to the past are survivorship bias.
    """
    members = market.members
    starts, known = members["start"].unique(), members["known_at"].min()
    if len(starts) == 1 and known - members["start"].dt.tz_localize("UTC").iloc[0] > BACKDATED:
        raise DataError(
            f"market '{market.name}': members hold a single list, of {starts[0]:%Y-%m-%d}, first known {known:%Y-%m-%d}; "
            f"rule: membership is point in time. Give dated snapshots, or leave members out and use the breadth of the panel"
        )
    sessions = market.sessions
    first = np.maximum(first_usable(members["known_at"], sessions), sessions.searchsorted(pd.DatetimeIndex(members["start"])))
    end = pd.DatetimeIndex(members["end"].fillna(pd.Timestamp.max.floor("D")))
    spans = pd.DataFrame({"security": members["security"], "first": first, "stop": sessions.searchsorted(end)})
    return spans[spans["first"] < spans["stop"]].reset_index(drop=True)


def member_mask(spans: pd.DataFrame, securities: pd.Index, n_sessions: int) -> NDArray[np.bool_]:
    """Spread spans over a grid of shape (n_sessions, n_securities); spans of other securities are left out."""
    mask = np.zeros((n_sessions, len(securities)), dtype=bool)
    column = securities.get_indexer(pd.Index(spans["security"]))
    for first, stop, each in zip(spans["first"], spans["stop"], column, strict=True):
        if each >= 0:
            mask[first:stop, each] = True
    return mask


def member_count(spans: pd.DataFrame, n_sessions: int) -> NDArray[np.int64]:
    """Count members a session, priced or not; a security in two overlapping spans counts once."""
    step = np.zeros(n_sessions + 1, dtype=np.int64)
    for _, own in spans.sort_values(["security", "first"]).groupby("security", sort=True):
        reached = 0
        for first, stop in zip(own["first"], own["stop"], strict=True):
            begin = max(first, reached)
            if begin < stop:
                step[begin] += 1
                step[stop] -= 1
                reached = stop
    return step[:-1].cumsum()
