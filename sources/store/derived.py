"""Prices and closes of a panel from quotes and actions: adjusted forward, each row with what was known when it became known."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl

from features.errors import DataError
from features.quarantine import BAD_SHARE
from sources.adjust import forward_factors
from sources.store.read import AsOf
from sources.store.tables import row_groups

TOGETHER = 1 << 19
"""Quotes that are adjusted at a time."""

LATE_QUOTE = "known only after a later record of its series"
LATE_ACTION = "known only after the close of its ex-date; acts from the first close known later"

Start = Mapping[str, tuple[float, float]]

COLUMNS = ("id", "series", "date", "close", "adj_close", "known_at")
FACTORS = ("split_factor", "gross_factor")
ASIDE = ("frame", "series", "date", "rule")


def derived(
    answer: AsOf, series: Sequence[str], *, together: bool = False, start: Start | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Derive rows of these series.

    The row of date t is the last row of `forward_adjusted` over the quotes up to t and those actions that were known when the quote of t
    was. So no row changes when more becomes known: an action known late acts from the first close known after it, whose row is what it
    would have been with the action in its place. A quote known only after one of a later date could not be used in its place and is
    left out, as a market leaves it out.

    Parameters
    ----------
    answer : with `quotes` and `actions`
    series : names; those without quotes give no rows
    together : whether the share of late quotes is that of all of them, since the series are short
    start : as of `forward_factors`, where the quotes go on from earlier ones

    Returns
    -------
    rows : id, series, date, close (split-adjusted), adj_close (total return), known_at, and the factors `FACTORS` of both; sorted by id and
        date
    aside : frame, series, date, rule; quotes that were left out, and actions that were late

    Raises
    ------
    DataError
        Where more than 1% of the quotes of a series (or of all) are late, or by the rules of `forward_adjusted`.
    """
    names = pl.Series(series, dtype=pl.String).implode()
    quotes, actions = (answer.frames[name].filter(pl.col("series").is_in(names)) for name in ("quotes", "actions"))
    quotes = quotes.with_columns((pl.col("known_at") > pl.col("known_at").reverse().cum_min().reverse().over("id")).alias("late"))
    _stop_if_many(quotes, pl.lit("panel").alias("series") if together else pl.col("series"))
    aside = [quotes.filter("late").select(pl.lit("quotes").alias("frame"), "series", "date", pl.lit(LATE_QUOTE).alias("rule"))]
    parts = []
    for some, theirs in _parts(quotes.filter(~pl.col("late")), actions):
        factors, late = _factors(some, theirs, start or {})
        both = [pl.Series(name, factor) for name, factor in zip(FACTORS, factors, strict=True)]
        adjusted = {name: some["close"] * factor for name, factor in zip(("close", "adj_close"), both, strict=True)}
        parts.append(some.with_columns(**adjusted).select(COLUMNS).with_columns(both))
        aside.append(late.select(pl.lit("actions").alias("frame"), "series", "date", pl.lit(LATE_ACTION).alias("rule")))
    numbers = [pl.lit(None, pl.Float64).alias(name) for name in ("adj_close", *FACTORS)]
    none = quotes.clear().with_columns(numbers).select(*COLUMNS, *FACTORS)
    return pl.concat(parts or [none]), pl.concat(aside)


def _parts(quotes: pl.DataFrame, actions: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Cut between series, so that memory stays bounded."""
    if quotes.is_empty():
        return
    for start, end in row_groups(quotes["id"].to_numpy(), TOGETHER):
        some = quotes.slice(start, end - start)
        yield some, actions.filter(pl.col("id").is_between(some["id"][0], some["id"][-1]))


def _factors(quotes: pl.DataFrame, actions: pl.DataFrame, start: Start) -> tuple[np.ndarray, pl.DataFrame]:
    """Find the factors, first with the actions that were in time, then those of the rows from each late one on anew.

    Returns
    -------
    values : `FACTORS` in rows, quotes in columns
    late : the late actions
    """
    is_late = _late(quotes, actions)
    in_time, late = actions.filter(~is_late), actions.filter(is_late).sort("known_at", maintain_order=True)
    values = _values(quotes, in_time, start)
    spans = {number: (start, end) for number, start, end in _spans(quotes)}
    for number, instant in late.select("id", "known_at").unique(maintain_order=True).rows():
        begin, end = spans[number]
        own = quotes.slice(begin, end - begin)
        after = begin + int((own["known_at"] < instant).sum())
        acting = pl.concat([in_time.filter(pl.col("id") == number), late.filter(pl.col("id") == number, pl.col("known_at") <= instant)])
        values[:, after:end] = _values(own, acting, start)[:, after - begin :]
    return values, late


def _late(quotes: pl.DataFrame, actions: pl.DataFrame) -> pl.Series:
    """Say which actions became known only after the first close on or after their ex-date. Those up to the first quote act on nothing."""
    first = quotes.group_by("id").agg(pl.col("date").min().alias("first"))
    placed = quotes.select("id", "date", pl.col("known_at").alias("closed")).sort("date")
    joined = actions.with_row_index("row").sort("date").join_asof(placed, on="date", by="id", strategy="forward", check_sortedness=False)
    joined = joined.join(first, on="id", how="left").sort("row")
    return joined.select((pl.col("known_at") > pl.col("closed")) & (pl.col("date") > pl.col("first"))).to_series().fill_null(value=False)


def _spans(quotes: pl.DataFrame) -> Iterator[tuple[int, int, int]]:
    ids = quotes["id"].to_numpy()
    cuts = [0, *(np.flatnonzero(np.diff(ids)) + 1), len(ids)]
    yield from ((int(ids[start]), int(start), int(end)) for start, end in pairwise(cuts))


def _values(quotes: pl.DataFrame, actions: pl.DataFrame, start: Start) -> np.ndarray:
    found = forward_factors(_pandas(quotes, "close"), _pandas(actions, "split", "dividend"), start)
    # it sorts by name, and these rows are sorted by id
    order = quotes.select("series", "date").with_row_index("row").sort("series", "date")["row"].to_numpy()
    values = np.empty((2, len(quotes)))
    values[:, order] = found[list(FACTORS)].to_numpy().T
    return values


def _pandas(frame: pl.DataFrame, *columns: str) -> pd.DataFrame:
    return frame.select("series", pl.col("date").cast(pl.Datetime("us")), *columns).to_pandas().astype({"series": "str"})


def _stop_if_many(quotes: pl.DataFrame, series: pl.Expr) -> None:
    share = quotes.group_by(series).agg(pl.len().alias("n"), pl.col("late").sum(), pl.col("date").filter("late").min().alias("first"))
    worst = share.filter(pl.col("late") > pl.col("n") * BAD_SHARE).sort("series")
    if len(worst):
        row = worst.row(0, named=True)
        raise DataError(
            f"quotes: series '{row['series']}': {row['late']} of {row['n']} records are bad, more than {BAD_SHARE:.0%}; the first is "
            f"{row['first']}: {LATE_QUOTE}. Withdraw them (`Store.retract`), or take first prints"
        )
