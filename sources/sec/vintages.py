"""Which value of a fact counts when: the latest known, or the first printed."""

import datetime

import polars as pl

from features.errors import DataError
from sources.sec.facts import FACT

ORDER = ("known_at", "filed", "accn")


def as_of(facts: pl.DataFrame, instant: datetime.datetime) -> pl.DataFrame:
    """Give the latest vintage of each fact that was known at `instant`.

    Parameters
    ----------
    facts : polars DataFrame with the columns `sources.sec.facts.FACTS`
    instant : with a time zone

    Returns
    -------
    polars DataFrame with the same columns, one row per (cik, concept, start, end)
    """
    if instant.tzinfo is None:
        raise DataError(f"as_of: {instant} has no time zone; rule: instants are UTC, e.g. datetime(2024, 1, 31, tzinfo=UTC)")
    known = facts.filter(pl.col("known_at") <= instant.astimezone(datetime.UTC)).sort([*FACT, *ORDER])
    return known.unique(FACT, keep="last", maintain_order=True)


def first_prints(facts: pl.DataFrame) -> pl.DataFrame:
    """Give the vintage in which each fact was first stated, in the same columns."""
    return facts.sort([*FACT, *ORDER]).unique(FACT, keep="first", maintain_order=True)
