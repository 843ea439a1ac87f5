"""Facts that filings state, the rules by which some are set aside, and what is left."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd
import polars as pl

from sources.sec.known import with_known_at

CONCEPTS: Mapping[str, tuple[str, ...]] = {
    "net_income": ("NetIncomeLoss", "ProfitLoss", "NetIncomeLossAvailableToCommonStockholdersBasic"),
    "revenue": ("RevenueFromContractWithCustomerExcludingAssessedTax", "Revenues", "SalesRevenueNet"),
}
"""What a measure is called in US GAAP, the preferred name first."""

WANTED = tuple(name for names in CONCEPTS.values() for name in names)
"""Every concept of `CONCEPTS`."""

FORMS = tuple(form + suffix for form in ("10-K", "10-Q", "10-KT", "10-QT") for suffix in ("", "/A"))
"""Periodic reports and their amendments."""

UNIT = "USD"
FIRST, LAST = date(1993, 1, 1), date(2050, 1, 1)
"""Dates outside are misprints: electronic filing began in 1993, and its reports look back a few years."""

LONGEST_DAYS = 400
"""A longer period is a sum since the company's foundation, or a misprint."""

LARGEST_USD = 1e13
"""No company's year is near: larger values are misprints of scale."""

RAW: Mapping[str, pl.DataType] = {
    "cik": pl.Int64(),
    "concept": pl.String(),
    "unit": pl.String(),
    "start": pl.Date(),
    "end": pl.Date(),
    "value": pl.Float64(),
    "accn": pl.String(),
    "form": pl.String(),
    "filed": pl.Date(),
    "accepted": pl.Datetime("us"),
}
"""What a reader gives: nulls where the file had nothing, or nothing of that kind."""

FACT = ("cik", "concept", "start", "end")
"""What a fact is about; a value for it, as one filing states it, is a vintage."""

FACTS: Mapping[str, pl.DataType] = {
    **{name: RAW[name] for name in (*FACT, "value", "accn", "form", "filed")},
    "known_at": pl.Datetime("us", "UTC"),
}
"""Columns of admitted facts: one row per fact and filing."""

NO_DATE_FILED = "filing date is missing or absurd"
WRONG_FORM = "form is no 10-K or 10-Q"
WRONG_UNIT = "unit is not USD"
NO_COMPANY = "company is not numbered"
NO_ACCESSION = "accession number is missing"
NO_END = "period end is missing or absurd"
NO_START = "period start is missing: an instant"
BACKWARDS = "period ends before it starts"
TOO_LONG = "period is longer than 400 days"
TOO_EARLY = "period ends after the filing date"
NO_NUMBER = "value is no number"
TOO_LARGE = "value is beyond 10 trillion USD"
AMBIGUOUS = "one filing states several values for the period"


@dataclass(frozen=True)
class Filed:
    """Facts with their vintages, and what was set aside.

    Attributes
    ----------
    facts : polars DataFrame with the columns `FACTS`, sorted; one row per (cik, concept, start, end, accn)
    aside : polars DataFrame with the columns `RAW` and `rule`, one row for each fact that is not used
    """

    facts: pl.DataFrame
    aside: pl.DataFrame

    def counts(self) -> dict[str, int]:
        """Count what was set aside, by rule."""
        counted = self.aside.group_by("rule").len().sort("rule")
        return dict(zip(counted["rule"], counted["len"], strict=True))

    def quarantine(self) -> pd.DataFrame:
        """Give what was set aside in the form of a market's quarantine: frame, series, date, rule."""
        aside = self.aside
        out = pd.DataFrame({"frame": "filings", "series": aside["cik"].cast(pl.String).fill_null("").to_list()})
        out["date"] = pd.DatetimeIndex(aside["end"].cast(pl.Datetime("us")).to_numpy()).as_unit("us")
        return out.assign(rule=pd.Series(aside["rule"].to_list(), dtype=str))


def admit(raw: pl.DataFrame) -> Filed:
    """Part the facts that can be used from those that break a rule, and say when each was known.

    Parameters
    ----------
    raw : polars DataFrame with the columns `RAW`, rows in any order, repeats allowed

    Returns
    -------
    Filed; a fact that breaks several rules is counted under the first of them
    """
    raw = raw.select(pl.col(name).cast(kind) for name, kind in RAW.items()).with_columns(rule=_broken())
    whole = raw.filter(pl.col("rule").is_null()).unique([*FACT, "accn", "value"])
    several = pl.len().over([*FACT, "accn"]) > 1
    ambiguous = whole.filter(several).with_columns(rule=pl.lit(AMBIGUOUS))
    facts = with_known_at(whole.filter(~several)).select(list(FACTS)).sort([*FACT, "known_at", "accn"])
    return Filed(facts, pl.concat([raw.filter(pl.col("rule").is_not_null()), ambiguous]))


def no_facts() -> pl.DataFrame:
    """Give a frame of raw facts without rows."""
    return pl.DataFrame(schema=RAW)


def _broken() -> pl.Expr:
    """Name the first rule a row breaks; null where it breaks none."""
    value, start, end, filed = (pl.col(name) for name in ("value", "start", "end", "filed"))
    rules = {
        NO_COMPANY: pl.col("cik").is_null(),
        NO_ACCESSION: pl.col("accn").is_null() | (pl.col("accn") == ""),
        NO_DATE_FILED: filed.is_null() | ~filed.is_between(FIRST, LAST, closed="left"),
        WRONG_FORM: ~pl.col("form").is_in(FORMS).fill_null(False),
        WRONG_UNIT: ~(pl.col("unit") == UNIT).fill_null(False),
        NO_END: end.is_null() | ~end.is_between(date(FIRST.year - 10, 1, 1), LAST, closed="left"),
        NO_START: start.is_null(),
        NO_NUMBER: value.is_null() | ~value.is_finite(),
        TOO_LARGE: value.abs() > LARGEST_USD,
        BACKWARDS: start > end,
        TOO_LONG: (end - start).dt.total_days() + 1 > LONGEST_DAYS,
        TOO_EARLY: end > filed,
    }
    return pl.coalesce([pl.when(broken.fill_null(False)).then(pl.lit(rule)) for rule, broken in rules.items()])
