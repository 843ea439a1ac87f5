"""Trailing twelve months from whatever periods have been filed, as of every instant (METHODS 1.4).

Three ways lead to them: a stated year; the last year, the year to date and the one a year before; four quarters in a row.
"""

import polars as pl

from sources.sec.periods import QUARTER_DAYS, YEAR_DAYS, Book, book
from sources.sec.quarters import quarter_steps
from sources.sec.steps import near, newest_best, signed_sums

BUCKET_DAYS = 128
BACK_DAYS = YEAR_DAYS[1] + QUARTER_DAYS[1]
"""The periods of which four quarters are made end no earlier before them."""

KINDS = ("year", "year and year to date", "four quarters")
"""How a trailing year was made, the preferred way first."""


def trailing(facts: pl.DataFrame) -> pl.DataFrame:
    """Trailing twelve months of each concept as of every instant, for the newest period end for which they are known.

    Parameters
    ----------
    facts : polars DataFrame with the columns `sources.sec.facts.FACTS`; values in USD

    Returns
    -------
    polars DataFrame: cik, concept, known_at, end (Date), rank, value, annual, kind; a row holds until the next `known_at` of its company
        and concept. TTM = a stated year; or FY + YTD - YTD a year before, the last from the filing that states YTD where it does; or four
        contiguous quarters. The window has 350 to 380 days. `annual`: a 10-K stated the newest period; `rank`: less is better, kind first.
    """
    filed = book(facts)
    direct = pl.concat([_years(filed), _years_to_date(filed)])
    events = pl.concat([direct, _four_quarters(filed, direct)])
    best = newest_best(events, ["series"]).with_columns(annual=pl.col("annual").cum_max().over("series", "end"))
    kind = pl.col("rank") // 100
    return (
        best.join(filed.series, on="series")
        .select("cik", "concept", "known_at", pl.col("end").cast(pl.Date), "rank", "value", "annual", kind.alias("kind"))
        .with_columns(pl.col("kind").replace_strict(dict(enumerate(KINDS)), return_dtype=pl.String))
        .sort("cik", "concept", "known_at")
    )


def _years(filed: Book) -> pl.DataFrame:
    years = filed.periods.filter(pl.col("days").is_between(*YEAR_DAYS))
    return _events(years.join(filed.steps, on="period"), kind=0, gap=pl.lit(0))


def _years_to_date(filed: Book) -> pl.DataFrame:
    """FY_last + YTD - YTD a year before, where the year ends as the year to date begins."""
    years = filed.periods.filter(pl.col("days").is_between(*YEAR_DAYS)).select(
        "series", p1="period", year_start="start", year_end="end", following=pl.col("end") + 1
    )
    partial = filed.periods.filter(pl.col("days") < YEAR_DAYS[0])
    current = near(partial.select("series", "start", "end", p0="period"), years, "start", "following")
    before = partial.select("series", p2="period", begun="start", reached="end")
    window = pl.col("end") - pl.col("reached")
    pairs = near(current, before, "year_start", "begun").filter(window.is_between(*YEAR_DAYS))
    gap = (pl.col("start") - pl.col("following")).abs() + (pl.col("year_start") - pl.col("begun")).abs()
    recipes = pairs.with_columns(gap=gap).with_row_index("recipe")
    sums = signed_sums(recipes, filed.steps, (1, 1, -1), same_filing=2)
    return _events(sums.join(recipes.select("recipe", "series", "end", "gap"), on="recipe"), kind=1, gap=pl.col("gap"))


def _four_quarters(filed: Book, direct: pl.DataFrame) -> pl.DataFrame:
    """Four quarters in a row, for ends that no other way has reached by then."""
    steps = quarter_steps(_around(filed, _unreached(filed, direct))).with_columns(
        period=pl.struct("series", "start", "end").rank("dense").cast(pl.UInt32), filing=None
    )
    nodes = steps.group_by("period", "series", "start", "end").agg(pl.col("known_at").min())
    reached = direct.group_by("series", "end").agg(since=pl.col("known_at").min())
    last = nodes.join(reached, on=["series", "end"], how="left").filter(pl.col("since").is_null() | (pl.col("since") > pl.col("known_at")))
    chain = last.select("series", "end", gap=pl.lit(0, pl.Int32), before=pl.col("start") - 1, p0="period")
    for at in range(1, 4):
        earlier = nodes.select("series", begun="start", reached="end", **{f"p{at}": "period"})
        gap = pl.col("gap") + (pl.col("before") - pl.col("reached")).abs()
        chain = near(chain, earlier, "before", "reached").with_columns(gap=gap, before=pl.col("begun") - 1).drop("begun", "reached")
    whole = chain.filter((pl.col("end") - pl.col("before")).is_between(*YEAR_DAYS)).with_row_index("recipe")
    sums = signed_sums(whole, steps, (1, 1, 1, 1))
    return _events(sums.join(whole.select("recipe", "series", "end", "gap"), on="recipe"), kind=2, gap=pl.col("gap"))


def _unreached(filed: Book, direct: pl.DataFrame) -> pl.DataFrame:
    """Ends of periods, by series, that no direct way has reached when they become known."""
    first = filed.steps.group_by("period").agg(pl.col("known_at").min())
    ends = filed.periods.join(first, on="period").group_by("series", "end").agg(pl.col("known_at").min())
    since = direct.group_by("series", "end").agg(since=pl.col("known_at").min())
    late = pl.col("since").is_null() | (pl.col("since") > pl.col("known_at"))
    return ends.join(since, on=["series", "end"], how="left").filter(late).select("series", "end")


def _around(filed: Book, ends: pl.DataFrame) -> Book:
    """Only the periods of which the four quarters up to one of the ends could be made: few, which saves most of the work."""
    bucket = pl.col("end") // BUCKET_DAYS
    reach = BACK_DAYS // BUCKET_DAYS + 1
    # an end of a quarter may differ by days from the end of the period that states it
    wanted = ends.select("series", bucket=bucket + 1).join(pl.DataFrame({"back": range(reach + 2)}, schema={"back": pl.Int32}), how="cross")
    wanted = wanted.select("series", bucket=pl.col("bucket") - pl.col("back")).unique()
    periods = filed.periods.with_columns(bucket=bucket).join(wanted, on=["series", "bucket"], how="semi").drop("bucket")
    return Book(filed.series, periods, filed.steps.join(periods.select("period"), on="period", how="semi"))


def _events(sums: pl.DataFrame, kind: int, gap: pl.Expr) -> pl.DataFrame:
    return sums.select("series", "known_at", "end", "value", "annual", rank=(kind * 100 + gap).cast(pl.Int32))
