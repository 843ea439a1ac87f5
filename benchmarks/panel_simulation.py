"""A panel of stocks, made part by part: listings and delistings, halts, bad prints, members of an index.

`python -m benchmarks.panel_simulation FOLDER STOCKS PARTS` writes one: FOLDER/store, and for the peers FOLDER/part-0000.parquet and so on.
"""

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from sources.calendar import sessions as exchange_sessions
from sources.known import known_at
from sources.store import Store

N_SESSIONS = 6500
MEAN_LIFE = 4000
"""Sessions a stock would live if history had no ends: a third of the grid of stocks and sessions is then filled."""

AFTER = 21
"""Sessions without a close that a delisted stock keeps in the peers' files."""

NEWEST = "newest.parquet"
"""The rows of the last session, which the store does not have."""


def sessions(n: int = N_SESSIONS) -> pd.DatetimeIndex:
    """The first sessions since 2000."""
    return exchange_sessions(pd.Timestamp("2000-01-03"), pd.Timestamp("2027-12-31"))[:n]


def names_of(ids: pl.Expr) -> pl.Expr:
    """Names whose order is that of the ids."""
    return pl.format("S{}", ids.cast(pl.String).str.zfill(5))


def write(folder: Path, n_stocks: int, n_parts: int) -> None:
    """Write the store, all but the last session, and the files of the peers with it."""
    days = sessions()
    last = days[-1].date()
    store, newest = Store.create(folder / "store", simulated=True), []
    for part, rows in enumerate(simulate_parts(n_stocks, N_SESSIONS, n_parts)):
        rows.write_parquet(folder / f"part-{part:04d}.parquet", compression="zstd")
        closes = as_closes(rows, days)
        newest.append(closes.filter(pl.col("date") == last))
        store.write({"members": members_of(rows)}, panel=closes.filter(pl.col("date") < last), source="simulation")
    pl.concat(newest).write_parquet(folder / NEWEST)


def as_closes(rows: pl.DataFrame, days: pd.DatetimeIndex) -> pl.DataFrame:
    """Closes as a store takes them."""
    known = pd.Series(known_at("session_close", days), index=days)
    instants = pl.DataFrame({"date": days.to_numpy("datetime64[D]"), "known_at": known.dt.tz_convert(None).to_numpy()})
    instants = instants.with_columns(pl.col("known_at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    priced = rows.filter(pl.col("close").is_not_nan()).join(instants, on="date", how="left")
    return priced.select(names_of(pl.col("id")).alias("security"), "date", "close", "known_at")


def members_of(rows: pl.DataFrame) -> pd.DataFrame:
    """Intervals of membership, known when they begin."""
    spans = (
        rows.filter("member")
        .group_by("id", maintain_order=True)
        .agg(pl.col("date").min().alias("start"), pl.col("date").max().alias("end"))
    )
    frame = (
        spans.with_columns(pl.col("start", "end").cast(pl.Datetime("us")))
        .select(names_of(pl.col("id")).alias("security"), "start", "end")
        .to_pandas()
    )
    frame["end"] = frame["end"] + pd.Timedelta(days=1)
    return frame.assign(known_at=frame["start"].dt.tz_localize("UTC")).astype({"security": "str"})


def simulate_parts(n_stocks: int, n_sessions: int, n_parts: int) -> Iterator[pl.DataFrame]:
    """Draw one part after the other, each from a seed of its own: id, date, close (NaN where not priced), member; sorted."""
    days = sessions(n_sessions).to_numpy("datetime64[D]")
    for part, ids in enumerate(np.array_split(np.arange(n_stocks, dtype=np.int32), n_parts)):
        yield _draw(ids, days, np.random.default_rng([7, n_stocks, part]))


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
    where, n_stocks, n_parts = sys.argv[1:]
    write(Path(where), int(n_stocks), int(n_parts))
