"""Step functions of time, as frames: what is known of a quantity changes at the instants at which filings become known."""

from collections.abc import Sequence

import polars as pl

SAME_DATE_DAYS = 10
"""Days within which two boundaries are one: 52- and 53-week calendars are often stated as if they ended with a month."""

BUCKET_DAYS = 32


def signed_sums(recipes: pl.DataFrame, steps: pl.DataFrame, signs: Sequence[int], same_filing: int | None = None) -> pl.DataFrame:
    """Add up quantities as of every instant at which one of them changes.

    Parameters
    ----------
    recipes : `recipe` (number of the sum) and `p0`, `p1`, ... (the `period` of each of its terms)
    steps : `period`, `known_at`, `value`, `annual`, `filing`; one row per period and instant
    signs : +1 or -1 for each term
    same_filing : a term that is taken from the filing that stated the first term, where that filing states it, and else as last known

    Returns
    -------
    polars DataFrame: `recipe`, `known_at`, `value`, `annual` (of the first term), from the instant at which every term is known. A row
    rests on rows of `steps` with its `known_at` or an earlier one only. Terms are added in their order: equal terms give equal bits.
    """
    terms = range(len(signs))
    changes = [
        recipes.select("recipe", period=f"p{at}")
        .join(steps, on="period")
        .select("recipe", "known_at", pl.col("value").alias(f"v{at}"), *(["annual", "filing"] if at == 0 else []))
        for at in terms
    ]
    values = [f"v{at}" for at in terms]
    carried = [*values, "annual", "filing"]
    known = (
        pl.concat(changes, how="diagonal")
        .group_by("recipe", "known_at")
        .agg(pl.col(carried).max())  # one of each at most
        .sort("recipe", "known_at")
        .with_columns(pl.col(carried).forward_fill().over("recipe"))
        .drop_nulls(values)
    )
    if same_filing is not None:
        known = _from_first_filing(known, recipes, steps, same_filing)
    total = sum((sign * pl.col(value) for sign, value in zip(signs, values, strict=True)), start=pl.lit(0.0))
    return known.select("recipe", "known_at", "annual", value=total)


def newest_best(events: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """Follow, of several step functions, the one with the newest end, and among those the one of least rank.

    Parameters
    ----------
    events : the columns `group`, `known_at`, `end`, `rank`, `value`, and any others
    group : what is followed separately

    Returns
    -------
    polars DataFrame with the columns of `events`: one row per group and instant at which what is followed may have changed. What a row
    says depends on rows with its `known_at` or an earlier one only: no choice is revised by what came later.
    """
    group = list(group)
    ordered = events.sort([*group, "known_at", "end", "rank", "value"], descending=[False] * (len(group) + 2) + [True, False])
    newest = ordered.filter(pl.col("end") == pl.col("end").cum_max().over(group))
    best = newest.filter(pl.col("rank") == pl.col("rank").cum_min().over([*group, "end"]))
    # of one instant the last row is the best
    return best.filter(pl.struct(*group, "known_at").ne_missing(pl.struct(*group, "known_at").shift(-1)))


def near(left: pl.DataFrame, right: pl.DataFrame, left_on: str, right_on: str, by: str = "series", suffix: str = "_right") -> pl.DataFrame:
    """Join rows whose days (integers) lie within `SAME_DATE_DAYS` of each other.

    Returns
    -------
    polars DataFrame, one row a pair; columns of `right` that `left` has too get the suffix
    """
    day = pl.col(right_on)
    spread = pl.concat_list((day - SAME_DATE_DAYS) // BUCKET_DAYS, (day + SAME_DATE_DAYS) // BUCKET_DAYS).list.unique()
    buckets = right.with_columns(bucket=spread).explode("bucket")
    pairs = left.with_columns(bucket=pl.col(left_on) // BUCKET_DAYS).join(buckets, on=[by, "bucket"], suffix=suffix)
    found = f"{right_on}{suffix}" if right_on in left.columns else right_on
    return pairs.filter((pl.col(left_on) - pl.col(found)).abs() <= SAME_DATE_DAYS).drop("bucket")


def _from_first_filing(known: pl.DataFrame, recipes: pl.DataFrame, steps: pl.DataFrame, term: int) -> pl.DataFrame:
    stated = steps.select("period", "filing", stated="value")
    joined = known.join(recipes.select("recipe", period=f"p{term}"), on="recipe").join(stated, on=["period", "filing"], how="left")
    return joined.with_columns(pl.coalesce("stated", f"v{term}").alias(f"v{term}"))
