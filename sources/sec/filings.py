"""The market's frame of filings out of SEC facts: a row for each period a filing states anew."""

import pandas as pd
import polars as pl

from sources.filings import COLUMNS
from sources.sec.facts import CONCEPTS
from sources.sec.measure import preferred

PERIOD = ("cik", "start", "end")


def filings_frame(facts: pl.DataFrame) -> pd.DataFrame:
    """Give net income and revenue of every period, as each filing that changes one of them left them.

    Parameters
    ----------
    facts : polars DataFrame with the columns `sources.sec.facts.FACTS`

    Returns
    -------
    DataFrame of the market's frame "filings" (`features.schemas`): `security` is the CIK in ten digits; quarters, years to date, years and
        the comparatives of the year before are rows of their own. What a filing does not repeat stands as last stated.
    """
    values = [_measure(facts, measure) for measure in CONCEPTS]
    keys = [*PERIOD, "known_at", "filed", "accn", "form"]
    both = values[0].join(values[1], on=keys, how="full", coalesce=True).sort(keys[:-1])
    measures = list(CONCEPTS)
    stated = both.with_columns(pl.col(measures).forward_fill().over(PERIOD)).unique([*PERIOD, "known_at"], keep="last", maintain_order=True)
    anew = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift().over(PERIOD)) for name in measures)
    kept = stated.filter(anew).select(
        pl.format("{}", pl.col("cik")).str.zfill(10).alias("security"),
        "form",
        pl.col("start").cast(pl.Datetime("us")).alias("period_start"),
        pl.col("end").cast(pl.Datetime("us")).alias("period_end"),
        *measures,
        "known_at",
    )
    return kept.to_pandas().astype({"security": str, "form": str})[COLUMNS]


def _measure(facts: pl.DataFrame, measure: str) -> pl.DataFrame:
    chosen = preferred(facts, CONCEPTS[measure])
    return chosen.select(*PERIOD, "known_at", "filed", "accn", "form", pl.col("value").alias(measure))
