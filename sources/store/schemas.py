"""Schemas of what a store takes as frames: those of a market, and the raw records from which prices are derived."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pandera.pandas as pa

from features.schemas import DATE, KNOWN_AT, POSITIVE
from features.schemas import KEYS as MARKET_KEYS
from features.schemas import SCHEMAS as MARKET_SCHEMAS


def _finite(values: pd.Series) -> pd.Series:
    return pd.Series(np.isfinite(values.to_numpy()), index=values.index)


_SERIES = pa.Column(str, nullable=False)
_FINITE = pa.Check(_finite, name="is finite")
_NOT_NEGATIVE = pa.Check.ge(0, name="is not negative")

RAW: Mapping[str, pa.DataFrameSchema] = {
    "quotes": pa.DataFrameSchema(
        {"series": _SERIES, "date": DATE, "close": pa.Column(float, [POSITIVE, _FINITE], nullable=False), "known_at": KNOWN_AT}
    ),
    "actions": pa.DataFrameSchema(
        {
            "series": _SERIES,
            "date": DATE,
            "split": pa.Column(float, [POSITIVE, _FINITE], nullable=False),
            "dividend": pa.Column(float, [_NOT_NEGATIVE, _FINITE], nullable=False),
            "known_at": KNOWN_AT,
        }
    ),
}
"""Closes as they were traded (USD a share), of series and securities alike; and by ex-date the new shares per old share (1 for none) with
the dividend in USD a share, on the shares of that day, those after its split (0 for none)."""

SCHEMAS: Mapping[str, pa.DataFrameSchema] = {**MARKET_SCHEMAS, **RAW}
"""Every frame that a store takes, by name."""

KEYS: Mapping[str, tuple[str, ...]] = {**MARKET_KEYS, "quotes": ("series", "date"), "actions": ("series", "date")}
"""What identifies a record of each."""
