"""A panel of stocks, made bucket by bucket: listings and delistings, halts, bad prints, members of an index.

`python -m benchmarks.panel_simulation FOLDER STOCKS BUCKETS` writes one.
"""

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from features.panel.layout import write_buckets

N_SESSIONS = 6500
MEAN_LIFE = 4000
"""Sessions a stock would live if history had no ends: a third of the grid of stocks and sessions is then filled."""

AFTER = 21
"""Sessions without a close that a delisted stock keeps in the file."""


def sessions(n: int = N_SESSIONS) -> pd.DatetimeIndex:
    """Business days: holidays do not matter here."""
    return pd.bdate_range("2000-01-03", periods=n, unit="us")


def simulate_buckets(n_stocks: int, n_sessions: int, n_buckets: int) -> Iterator[pl.DataFrame]:
    """Draw one bucket after the other, each from a seed of its own; columns as `features.panel.layout.SCHEMA`."""
    days = sessions(n_sessions).to_numpy("datetime64[D]")
    for bucket in range(n_buckets):
        ids = np.arange(bucket, n_stocks, n_buckets, dtype=np.int32)
        yield _draw(ids, days, np.random.default_rng([7, n_stocks, bucket]))


def _draw(ids: np.ndarray, days: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    n_sessions = len(days)
    mean_life = MEAN_LIFE * n_sessions / N_SESSIONS
    begin = np.floor(rng.uniform(-0.4, 1.0, len(ids)) * n_sessions).astype(int)
    end = begin + np.ceil(rng.exponential(mean_life, len(ids))).astype(int)
    # most stocks are listed for a while at the least
    end = np.maximum(end, begin + 60)
    seen = (end > 5) & (begin < n_sessions)
    ids, begin, end = ids[seen], np.maximum(begin[seen], 0), end[seen]
    last = np.minimum(end + AFTER, n_sessions)
    lengths = last - begin
    starts = np.cumsum(lengths) - lengths
    total = int(lengths.sum())
    place = np.arange(total) - np.repeat(starts, lengths)
    close = _closes(place, rng)
    close[place >= np.repeat(end - begin, lengths)] = np.nan
    close[_halted(total, rng) & (place > 0)] = np.nan
    member = (place > np.repeat(lengths // 4, lengths)) & (place < np.repeat(lengths * 3 // 4, lengths)) & np.repeat(ids % 3 > 0, lengths)
    return pl.DataFrame(
        {"id": np.repeat(ids, lengths), "date": days[np.repeat(begin, lengths) + place], "close": close, "member": member}
    ).with_columns(pl.col("date").cast(pl.Date))


def _closes(place: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random walks that begin at prices of their own; one close in 20,000 is a bad print, ten times too high or too low."""
    moves = 0.025 * rng.standard_normal(len(place))
    moves -= 0.0003
    moves[rng.random(len(place)) < 0.03] = 0.0
    path = np.cumsum(moves)
    starts = np.flatnonzero(place == 0)
    level = rng.normal(math.log(20.0), 1.0, len(starts)) - path[starts]
    close = np.exp(path + np.repeat(level, np.diff(np.append(starts, len(place)))))
    bad = rng.random(len(place)) < 1 / 20_000
    close[bad] *= np.where(rng.random(int(bad.sum())) < 0.5, 10.0, 0.1)
    return close


def _halted(total: int, rng: np.random.Generator) -> np.ndarray:
    """Mark halts of 1 to 12 sessions, one begun in a thousand rows."""
    halted = np.zeros(total + 12, dtype=bool)
    for start, length in zip(np.flatnonzero(rng.random(total) < 0.001), rng.geometric(0.5, total), strict=False):
        halted[start : start + min(int(length), 12)] = True
    return halted[:total]


if __name__ == "__main__":
    where, n_stocks, n_buckets = sys.argv[1:]
    write_buckets(simulate_buckets(int(n_stocks), N_SESSIONS, int(n_buckets)), Path(where), int(n_buckets))
