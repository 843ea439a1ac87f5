"""What one family of features hands over: its values, and how good they are."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Family:
    """One family of features on the sessions of a market.

    Attributes
    ----------
    values : DataFrame, sessions x features, float64, NaN where it cannot be known
    quality : DataFrame on the same index: `..coverage` (share of what should be there that is, 0 to 1),
        `..age_sessions` (sessions since the newest record became usable, NaN before the first), `..n`
    """

    values: pd.DataFrame
    quality: pd.DataFrame


def prefixed(frame: pd.DataFrame, family: str) -> pd.DataFrame:
    """Name columns `family__name`, as 64-bit floats, on an index called `session`."""
    out = frame.astype("float64").add_prefix(f"{family}__")
    out.index.name = "session"
    return out
