"""Vintages: which records of a batch are new, and which of a key's an answer holds."""

import datetime
from collections.abc import Sequence

import polars as pl

from sources.store.kinds import Kind
from sources.store.order import in_order

NEWEST, FIRST = "newest", "first"
PRINTS = (NEWEST, FIRST)
"""Of the vintages of a key that were known, an answer holds the newest, or the first print."""


def numbered(
    rows: pl.DataFrame, stored: pl.DataFrame, key: Sequence[str], values: Sequence[str], seen: datetime.datetime | None = None
) -> pl.DataFrame:
    """Leave out the records that the store has, and number the others.

    A record is identical to what is stored where the newest vintage of its key with the same known-at has the same values; another
    source of it makes no difference. Others get the next number of their key: 0 is new, above is a revision.

    Parameters
    ----------
    rows : records with the columns `key`, `values`, `known_at`; a key once
    stored : every vintage of these keys (others may be among them), with `vintage` and `withdrawn`; what was withdrawn does not stand, so
        that the same may come again, and its number is not given anew
    seen : UTC; given where sources do not date their revisions: those are known from then on, and no earlier. A key then belongs to the
        source that gave it first, and records of it by others are left out.
    """
    if stored.is_empty():
        return rows.with_columns(pl.lit(0, pl.Int32).alias("vintage"))
    moment = list(key) if seen else list(dict.fromkeys([*key, "known_at"]))
    if seen:
        owners = stored.sort("vintage").unique(key, keep="first").select(*key, pl.col("source").cast(pl.String).alias("owner"))
        rows = rows.join(owners, on=list(key), how="left", nulls_equal=True, maintain_order="left")
        rows = rows.filter(pl.col("owner").is_null() | (pl.col("owner") == pl.col("source").cast(pl.String))).drop("owner")
    last = stored.select(*key, pl.col("vintage").alias("last"))
    standing = stored.filter(~pl.col("withdrawn"))
    if (stored["vintage"] > 0).any():
        standing = standing.sort("vintage").unique(moment, keep="last")
        last = last.group_by(key).max()
    standing = standing.select(*moment, *(pl.col(name).alias(f"was_{name}") for name in values), pl.lit(value=True).alias("held"))
    same = pl.all_horizontal(pl.col("held").fill_null(value=False), *(pl.col(name).eq_missing(pl.col(f"was_{name}")) for name in values))
    merged = rows.join(standing, on=moment, how="left", nulls_equal=True, maintain_order="left").filter(~same)
    merged = merged.join(last, on=list(key), how="left", nulls_equal=True, maintain_order="left")
    merged = merged.with_columns((pl.col("last") + 1).fill_null(0).cast(pl.Int32).alias("vintage"))
    if seen:
        now = pl.lit(seen).cast(merged.schema["known_at"])
        merged = merged.with_columns(
            pl.when(pl.col("vintage") > 0).then(pl.max_horizontal("known_at", now)).otherwise("known_at").alias("known_at")
        )
    return merged.select(*rows.columns, "vintage")


def chosen(kind: Kind, known: pl.DataFrame, prints: str) -> pl.DataFrame:
    """Keep one vintage a key.

    The newest has the latest known-at; the first print the earliest, where the kind has first prints. Of several with that
    known-at the last recorded counts: it corrects the others.

    Parameters
    ----------
    known : records that were known, with `vintage`

    Returns
    -------
    DataFrame sorted by the key
    """
    back = prints == FIRST and kind.first_prints
    order = list(dict.fromkeys([*kind.key, "known_at", "vintage"]))
    descending = [back and name == "known_at" for name in order]
    # a key without a revision has one record: only the others are a choice, and those are few
    revised = known.filter(pl.col("vintage") > 0).select(kind.key).unique()
    if len(revised):
        several = known.join(revised, on=kind.key, how="semi").sort(order, descending=descending)
        alone = known.join(revised, on=kind.key, how="anti")
        known = pl.concat([alone, several.unique(kind.key, keep="last", maintain_order=True)])
    return in_order(kind, known)
