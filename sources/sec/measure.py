"""One net income and one revenue a company, out of the concepts that may stand for it (METHODS 1.4)."""

from collections.abc import Sequence

import polars as pl

from sources.sec.algebra import trailing
from sources.sec.facts import CONCEPTS
from sources.sec.steps import newest_best

STALE_DAYS = 200
STALE_DAYS_ANNUAL = 290
"""Days after the newest period's end at which a trailing year is stale; longer where a 10-K stated that period."""

MIXED = "mixed"
"""Each filing's preferred concept, whichever it is: for years in which a company changes from one to another."""

RANKS = 1000
"""More than any rank of `trailing`."""


def preferred(facts: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Keep, of each filing and period, the fact of the preferred concept.

    Parameters
    ----------
    facts : polars DataFrame with the columns `sources.sec.facts.FACTS`
    names : concepts, the preferred first; others are left out

    Returns
    -------
    polars DataFrame with the same columns
    """
    ordered = facts.filter(pl.col("concept").is_in(list(names))).with_columns(order=_order(names))
    key = ["cik", "start", "end", "accn"]
    return ordered.sort([*key, "order"]).unique(key, keep="first", maintain_order=True).drop("order")


def trailing_measure(facts: pl.DataFrame, measure: str) -> pl.DataFrame:
    """Trailing twelve months of a measure as of every instant: newest end first, then the concepts in their order.

    Parameters
    ----------
    facts : polars DataFrame with the columns `sources.sec.facts.FACTS`
    measure : a key of `sources.sec.facts.CONCEPTS`

    Returns
    -------
    polars DataFrame: cik, known_at, end, value (USD), annual, kind (`sources.sec.algebra.KINDS`), concept; a row holds until the next
        `known_at` of its company. Sums are of one concept where one suffices, and else of each filing's preferred one ("mixed").
    """
    names = CONCEPTS[measure]
    own = facts.filter(pl.col("concept").is_in(list(names)))
    several = own.group_by("cik").agg(pl.col("concept").n_unique()).filter(pl.col("concept") > 1)
    mixed = preferred(own.join(several, on="cik", how="semi"), names).with_columns(concept=pl.lit(MIXED))
    found = trailing(pl.concat([own, mixed])).with_columns(rank=_order([*names, MIXED]) * RANKS + pl.col("rank"))
    return newest_best(found, ["cik"]).select("cik", "known_at", "end", "value", "annual", "kind", "concept")


def on_dates(years: pl.DataFrame, dates: pl.Series) -> pl.DataFrame:
    """Give the trailing years on session dates: as known at 00:00 UTC of the day after each, and not stale on it.

    Parameters
    ----------
    years : from `trailing_measure`
    dates : Date, ascending

    Returns
    -------
    polars DataFrame: cik, date, end, value, annual, kind, concept; no row where nothing is known
    """
    asked = years.select("cik").unique().join(dates.alias("date").to_frame(), how="cross")
    instant = (pl.col("date") + pl.duration(days=1)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    known = (
        asked.with_columns(known_at=instant)
        .sort("known_at")
        .join_asof(years.sort("known_at"), on="known_at", by="cik", check_sortedness=False)
    )
    limit = pl.when("annual").then(STALE_DAYS_ANNUAL).otherwise(STALE_DAYS)
    fresh = known.filter((pl.col("date") - pl.col("end")).dt.total_days() <= limit)
    return fresh.drop("known_at").sort("cik", "date")


def _order(names: Sequence[str]) -> pl.Expr:
    return pl.col("concept").replace_strict({name: at for at, name in enumerate(names)}, return_dtype=pl.Int32)
