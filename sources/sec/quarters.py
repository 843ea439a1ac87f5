"""Quarters from years to date (METHODS 1.4).

Nothing is told from `fy` and `fp`, which describe the filing, nor from a length of 90 days: what belongs together shares a boundary.
"""

import polars as pl

from sources.sec.periods import QUARTER_DAYS, YEAR_DAYS, Book, book
from sources.sec.steps import near, newest_best, signed_sums

DERIVED, STATED, LEFT_OVER = 0, 1, 2
"""How a quarter was found, the preferred way first."""


def quarters(facts: pl.DataFrame) -> pl.DataFrame:
    """Quarters as of every instant: year to date less year to date of the same fiscal start; else as stated; else what is left of a year.

    Parameters
    ----------
    facts : polars DataFrame with the columns `sources.sec.facts.FACTS`; values in USD

    Returns
    -------
    polars DataFrame: cik, concept, start, end (Date), known_at, value, derived. A row holds until the next `known_at` of its quarter.
        Q_k = YTD_k - YTD_{k-1} and Q_4 = FY - YTD_3 telescope, so that the quarters of a year sum to it exactly (in integers).
    """
    filed = book(facts)
    found = quarter_steps(filed).join(filed.series, on="series")
    return found.sort("cik", "concept", "start", "end", "known_at").select(
        "cik", "concept", pl.col("start", "end").cast(pl.Date), "known_at", "value", derived=pl.col("rank") != STATED
    )


def quarter_steps(filed: Book) -> pl.DataFrame:
    """Steps of every quarter, by series, start and end: from years to date, as stated, or what three leave of a year.

    Returns
    -------
    polars DataFrame: series, start, end, known_at, value, annual, rank (`DERIVED`, `STATED` or `LEFT_OVER`)
    """
    stated = filed.periods.filter(pl.col("days").is_between(*QUARTER_DAYS) & (pl.col("nth") == 1))
    ways = [
        _summed(filed, _differences(filed.periods), (1, -1), DERIVED),
        _summed(filed, stated.select("series", "start", "end", p0="period", gap=pl.lit(0, pl.Int32)), (1,), STATED),
        _summed(filed, _remainders(filed.periods, stated), (1, -1, -1, -1), LEFT_OVER),
    ]
    return newest_best(pl.concat(ways), ["series", "start", "end"]).with_columns(rank=pl.col("rank") // 100)


def _differences(periods: pl.DataFrame) -> pl.DataFrame:
    """Year to date less the year to date one quarter shorter, told by their counts from the common start and not by their own length."""
    longer = periods.filter(pl.col("nth") > 1).select("series", "end", "nth", p0="period", begun="start")
    shorter = periods.select("series", "start", p1="period", reached="end", less="nth")
    follows = (pl.col("less") == pl.col("nth") - 1) & (pl.col("end") - pl.col("reached")).is_between(*QUARTER_DAYS)
    pairs = near(longer, shorter, "begun", "start").filter(follows)
    return pairs.with_columns(gap=(pl.col("begun") - pl.col("start")).abs(), start=pl.col("reached") + 1)


def _remainders(periods: pl.DataFrame, stated: pl.DataFrame) -> pl.DataFrame:
    """The year less three stated quarters in a row that begin with it: for filers whose nine months are not known."""
    years = periods.filter(pl.col("days").is_between(*YEAR_DAYS))
    chain = years.select("series", "start", "end", p0="period", gap=pl.lit(0, pl.Int32))
    for at in range(1, 4):
        quarter = stated.select("series", begun="start", reached="end", **{f"p{at}": "period"})
        gap = pl.col("gap") + (pl.col("start") - pl.col("begun")).abs()
        chain = near(chain, quarter, "start", "begun").with_columns(gap=gap, start=pl.col("reached") + 1).drop("begun", "reached")
    return chain.filter((pl.col("end") - pl.col("start") + 1).is_between(*QUARTER_DAYS))


def _summed(filed: Book, terms: pl.DataFrame, signs: tuple[int, ...], way: int) -> pl.DataFrame:
    recipes = terms.with_row_index("recipe")
    sums = signed_sums(recipes, filed.steps, signs).join(recipes.select("recipe", "series", "start", "end", "gap"), on="recipe")
    rank = (way * 100 + pl.col("gap")).cast(pl.Int32)
    return sums.select("series", "start", "end", "known_at", "value", "annual", rank=rank)
