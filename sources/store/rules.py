"""Records that are set aside: a market's rules for single records, applied when they are written.

The market's rule on the order in which records become known is not among them: what comes late is a vintage here. A market
built from an answer applies it.
"""

import datetime
from collections.abc import Sequence

import pandas as pd
import polars as pl

from features.errors import DataError
from features.quarantine import BAD_SHARE
from sources.calendar import sessions
from sources.store.kinds import Kind

NO_SESSION = "date is no session"
OPEN_PERIOD = "period end after known-at"

FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2100, 1, 1)
"""Dates beyond are no sessions; no calendar is worked out for them."""

TOGETHER = ("actions", "filings", "members", "panel")
"""Kinds whose series are too short for a share of their own: there the kind is the series."""

COUNTS = {"id": pl.Int32, "n": pl.Int64, "bad": pl.Int64}
"""Records, good and bad, and the bad among them, by id."""


def with_rule(kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """Add the column `rule`: which one a record breaks, null where none."""
    rules = pl.Enum([NO_SESSION, OPEN_PERIOD])  # a byte a record
    rule = pl.lit(None, rules)
    if kind.on_sessions:
        rule = pl.when(~pl.col("date").is_in(_sessions(rows["date"]).implode())).then(pl.lit(NO_SESSION, rules)).otherwise(rule)
    if kind.name == "filings":
        ended = pl.col("period_end").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        rule = pl.when(ended > pl.col("known_at")).then(pl.lit(OPEN_PERIOD, rules)).otherwise(rule)
    return rows.with_columns(rule.alias("rule"))


def stop_if_many(kind: Kind, names: Sequence[str], rows: pl.DataFrame, stored: pl.DataFrame) -> None:
    """Refuse a batch after which more than 1% of a series' records would be bad.

    Parameters
    ----------
    names : by the `code` of a row
    rows : the new records with `id`, `code` and `rule`
    stored : `COUNTS` of what the store holds of the kind
    """
    aside = rows.filter(pl.col("rule").is_not_null())
    if aside.is_empty():
        return
    new = rows.group_by("id").agg(pl.len().cast(pl.Int64).alias("n"), pl.col("rule").is_not_null().sum().cast(pl.Int64).alias("bad"))
    counts = pl.concat([new.select(*COUNTS), stored.select(*COUNTS)])
    counts = (
        counts.with_columns(pl.lit(-1).alias("id")) if kind.name in TOGETHER else counts.filter(pl.col("id").is_in(aside["id"].implode()))
    )
    counts = counts.group_by("id").sum().with_columns((pl.col("bad") / pl.col("n")).alias("share"))
    worst = counts.sort("share", "id").row(-1, named=True)
    if worst["share"] > BAD_SHARE:
        first = (aside if worst["id"] == -1 else aside.filter(pl.col("id") == worst["id"])).row(0, named=True)
        raise DataError(
            f"{kind.name}: {worst['bad']} of {worst['n']} records are bad, more than {BAD_SHARE:.0%}; the first is "
            f"'{names[first['code']]}', {first[kind.date]}: {first['rule']}. Nothing was written; correct the source"
        )


def _sessions(dates: pl.Series) -> pl.Series:
    near = dates.filter((dates >= FIRST) & (dates < LAST))
    if near.is_empty():
        return pl.Series([], dtype=pl.Date)
    days = sessions(pd.Timestamp(str(near.min())), pd.Timestamp(str(near.max())))
    return pl.Series(days.to_numpy().astype("datetime64[D]"))
