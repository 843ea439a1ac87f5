"""Facts in numbers, and how long the periods of a company are (METHODS 1.4)."""

from dataclasses import dataclass

import polars as pl

from sources.sec.facts import FACT

YEAR_DAYS = (350, 380)
"""Days of a full year, fiscal calendars of 52 and 53 weeks included."""

QUARTER_DAYS = (45, 135)
"""A quarter has 11 to 17 weeks; periods rounded to months can make 12 weeks two months and 16 weeks four."""

QUARTER = 365.25 / 4


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
