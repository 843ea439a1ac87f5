"""Quarters and trailing twelve months from whatever periods have been filed, as of every instant (METHODS 1.4).

Nothing is told from `fy` and `fp`, which describe the filing, nor from a length of 90 days: what belongs together shares a boundary.
"""

from dataclasses import dataclass

import polars as pl

from sources.sec.facts import FACT
from sources.sec.steps import near, newest_best, signed_sums

YEAR_DAYS = (350, 380)
"""Days of a full year, fiscal calendars of 52 and 53 weeks included."""

QUARTER_DAYS = (45, 135)
"""A quarter has 11 to 17 weeks; periods rounded to months can make 12 weeks two months and 16 weeks four."""

QUARTER = 365.25 / 4
KINDS = ("year", "year and year to date", "four quarters")
"""How a trailing year was made, the preferred way first."""

DERIVED, STATED = 0, 1


@dataclass(frozen=True)
class Book:
    """Facts in numbers: days from 1970-01-01, one `series` per company and concept, one `period` per fact.

    Attributes
    ----------
    series : `series`, `cik`, `concept`
    periods : `period`, `series`, `start`, `end`, `days`, `nth` (quarters from its start to its end, rounded)
    steps : `period`, `known_at`, `value`, `annual` (a 10-K stated it), `filing`; the vintages, one per period and instant
    """

    series: pl.DataFrame
    periods: pl.DataFrame
    steps: pl.DataFrame


def book(facts: pl.DataFrame) -> Book:
    """Number facts; of two filings known at the same instant the later accession counts.

    Parameters
    ----------
    facts : polars DataFrame with the columns `sources.sec.facts.FACTS`, rows in any order
    """
    facts = facts.sort([*FACT, "known_at", "filed", "accn", "value"]).unique([*FACT, "known_at"], keep="last", maintain_order=True)
    numbered = facts.with_columns(
        pl.struct("cik", "concept").rle_id().alias("series"),
        pl.struct(FACT).rle_id().alias("period"),
        pl.col("accn").rank("dense").cast(pl.UInt32).alias("filing"),
        pl.col("start", "end").cast(pl.Int32),
        annual=pl.col("form").str.starts_with("10-K"),
    )
    days = pl.col("end") - pl.col("start") + 1
    periods = numbered.unique("period", keep="first", maintain_order=True).select(
        "period", "series", "start", "end", days.alias("days"), (days / QUARTER).round().cast(pl.Int32).alias("nth")
    )
    return Book(
        numbered.select("series", "cik", "concept").unique("series", maintain_order=True),
        periods,
        numbered.select("period", "known_at", "value", "annual", "filing"),
    )


def quarters(facts: pl.DataFrame) -> pl.DataFrame:
    """Quarters as of every instant: year to date less year to date of the same fiscal start; else as stated.

    Parameters
    ----------
    facts : polars DataFrame with the columns `sources.sec.facts.FACTS`; values in USD

    Returns
    -------
    polars DataFrame: cik, concept, start, end (Date), known_at, value, derived. A row holds until the next `known_at` of its quarter.
        Q_k = YTD_k - YTD_{k-1} and Q_4 = FY - YTD_3 telescope, so that the quarters of a year sum to it exactly (in integers).
    """
    filed = book(facts)
    found = _quarter_steps(filed).join(filed.series, on="series")
    return found.sort("cik", "concept", "start", "end", "known_at").select(
        "cik", "concept", pl.col("start", "end").cast(pl.Date), "known_at", "value", derived=pl.col("rank") == DERIVED
    )


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
    steps = _quarter_steps(filed).with_columns(period=pl.struct("series", "start", "end").rank("dense").cast(pl.UInt32), filing=None)
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


def _quarter_steps(filed: Book) -> pl.DataFrame:
    """Steps of every quarter, by series, start and end: derived where possible, as stated where not."""
    longer = filed.periods.filter(pl.col("nth") > 1).select("series", "end", "nth", p0="period", begun="start")
    shorter = filed.periods.select("series", "start", p1="period", reached="end", less="nth")
    # the next step of one fiscal year, told by its count from the common start and not by its own length
    follows = (pl.col("less") == pl.col("nth") - 1) & (pl.col("end") - pl.col("reached")).is_between(*QUARTER_DAYS)
    pairs = near(longer, shorter, "begun", "start").filter(follows)
    gap = (pl.col("begun") - pl.col("start")).abs()
    recipes = pairs.with_columns(start=pl.col("reached") + 1, gap=gap).with_row_index("recipe")
    sums = signed_sums(recipes, filed.steps, (1, -1)).join(recipes.select("recipe", "series", "start", "end", "gap"), on="recipe")
    stated = filed.periods.filter(pl.col("days").is_between(*QUARTER_DAYS) & (pl.col("nth") == 1)).join(filed.steps, on="period")
    columns = ("series", "start", "end", "known_at", "value", "annual")
    both = pl.concat(
        [
            sums.select(*columns, rank=pl.lit(DERIVED, pl.Int32), gap="gap"),
            stated.select(*columns, rank=pl.lit(STATED, pl.Int32), gap=pl.lit(0, pl.Int32)),
        ]
    )
    ranked = both.with_columns(rank=pl.col("rank") * 100 + pl.col("gap")).drop("gap")
    return newest_best(ranked, ["series", "start", "end"]).with_columns(rank=pl.col("rank") // 100)


def _events(sums: pl.DataFrame, kind: int, gap: pl.Expr) -> pl.DataFrame:
    return sums.select("series", "known_at", "end", "value", "annual", rank=(kind * 100 + gap).cast(pl.Int32))
