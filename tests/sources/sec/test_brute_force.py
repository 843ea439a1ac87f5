"""The vectorised algebra against a plain loop, and against the walk over periods that the features take."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings

from features.market import Market
from features.profitability import trailing_years
from sources.sec.algebra import trailing
from sources.sec.filings import filings_frame
from sources.sec.measure import on_dates, trailing_measure
from sources.sec.vintages import as_of
from tests.features.handmade import market
from tests.sources.sec.test_properties import filers, frame, reports


def plain_trailing(facts: pl.DataFrame, instant: datetime) -> tuple[object, float] | None:
    """Newest trailing year as of an instant, one fact at a time."""
    known = list(as_of(facts, instant).iter_rows(named=True))
    by_filing = {(row["accn"], row["start"], row["end"]): row["value"] for row in facts.iter_rows(named=True)}
    for end in sorted({row["end"] for row in known}, reverse=True):
        for ways in (_years, _years_to_date, _quarters):
            found = list(ways(known, by_filing, end))
            if found:
                return end, found[0]
    return None


def _days(row: dict) -> int:
    return (row["end"] - row["start"]).days + 1


def _years(known: list[dict], by_filing: dict, end: object) -> Iterator[float]:
    yield from (row["value"] for row in known if row["end"] == end and 350 <= _days(row) <= 380)


def _years_to_date(known: list[dict], by_filing: dict, end: object) -> Iterator[float]:
    for current in known:
        if current["end"] != end or _days(current) >= 350:
            continue
        for year in known:
            if 350 <= _days(year) <= 380 and (current["start"] - year["end"]).days == 1:
                for before in known:
                    if before["start"] == year["start"] and _days(before) < 350 and 350 <= (end - before["end"]).days <= 380:
                        same = by_filing.get((current["accn"], before["start"], before["end"]))
                        yield current["value"] + year["value"] - (before["value"] if same is None else same)


def _quarters(known: list[dict], by_filing: dict, end: object) -> Iterator[float]:
    quarters: dict = {}
    for row in known:  # stated first quarters
        if 45 <= _days(row) <= 135:
            quarters[row["end"]] = (row["start"], row["value"])
    for long in known:
        for short in known:
            step = round(_days(long) / 91.3125) - round(_days(short) / 91.3125)
            if long["start"] == short["start"] and step == 1 and 45 <= (long["end"] - short["end"]).days <= 135:
                quarters[long["end"]] = (short["end"] + pd.Timedelta(days=1).to_pytimedelta(), long["value"] - short["value"])
    at, total = end, 0.0
    for _ in range(4):
        if at not in quarters:
            return
        start, value = quarters[at]
        total, at = total + value, start - pd.Timedelta(days=1).to_pytimedelta()
    if 350 <= (end - at).days <= 380:
        yield total


@given(rows=filers())
@settings(max_examples=40)
def test_trailing_equals_a_plain_loop(rows: list[dict]) -> None:
    facts = frame(rows)
    years = trailing(facts)
    for instant in sorted(set(facts["known_at"].to_list())):
        held = years.filter(pl.col("known_at") <= instant)
        expected = plain_trailing(facts, instant)
        assert (None if held.is_empty() else (held["end"][-1], held["value"][-1])) == expected


def test_features_find_the_same_years_in_the_frame_of_filings() -> None:
    # a second algorithm, a walk over periods, on what the market gets
    rng = np.random.default_rng(0)
    companies = [reports(lambda least, most: int(rng.integers(least, most + 1)), restated=False) for _ in range(40)]
    facts = frame([row | {"cik": cik} for cik, rows in enumerate(companies, 1) for row in rows])
    sessions = pd.bdate_range("2013-01-02", "2017-12-29", unit="us").rename("session")
    found = trailing_years(market(sessions, filings=filings_frame(facts)))
    filers_found = sorted(f"{cik:010d}" for cik in set(facts["cik"].to_list()))
    walked = pd.DataFrame(found.net_income, index=found.sessions, columns=filers_found).stack()
    ours = on_dates(trailing_measure(facts, "net_income"), pl.Series(sessions.to_numpy()).cast(pl.Date)).to_pandas()
    ours = ours.set_index([pd.DatetimeIndex(ours["date"]).as_unit("us"), ours["cik"].map("{:010d}".format)])["value"]
    both = pd.concat({"walked": walked, "ours": ours}, axis=1)
    assert both["ours"].notna().sum() > 20_000
    # the walk may find a year in quarters and nine months that have no common start; never the other way round
    assert both["walked"][both["ours"].notna()].notna().all()
    same = both.dropna()
    np.testing.assert_allclose(same["walked"], same["ours"], rtol=1e-12, atol=1e-3)


@pytest.mark.slow
def test_features_and_algebra_agree_on_real_reports(real_market: Market) -> None:
    # no XBRL is there: quarters and years of the tidy file, without years to date and comparatives
    stated = real_market.filings.dropna(subset="net_income")
    found = trailing_years(real_market)
    number = {name: at for at, name in enumerate(sorted(real_market.filings["security"].unique()))}
    known = stated["known_at"].dt.tz_localize(None)
    columns = {"start": stated["period_start"], "end": stated["period_end"], "filed": known, "known_at": known}
    facts = pl.DataFrame({name: column.to_numpy() for name, column in columns.items()}).with_columns(
        pl.col("start", "end", "filed").cast(pl.Date),
        pl.col("known_at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        cik=pl.Series([number[name] for name in stated["security"]]),
        concept=pl.lit("NetIncomeLoss"),
        value=pl.Series(stated["net_income"].to_numpy()),
        accn=pl.int_range(pl.len()).cast(pl.String),
        form=pl.Series(stated["form"].tolist()),
    )
    ours = on_dates(trailing(facts), pl.Series(found.sessions.to_numpy()).cast(pl.Date))
    income = np.full(found.net_income.shape, np.nan)
    rows = found.sessions.get_indexer(pd.DatetimeIndex(ours["date"].cast(pl.Datetime("us")).to_numpy()))
    income[rows, ours["cik"].to_numpy()] = ours["value"].to_numpy()
    both = ~np.isnan(income) & ~np.isnan(found.net_income)
    assert both.sum() > 1_000_000
    assert both.sum() > 0.998 * (~np.isnan(income) | ~np.isnan(found.net_income)).sum()
    # they part where a year's end was restated by days, and where quarters and years contradict each other
    assert np.isclose(income[both], found.net_income[both], rtol=1e-9, atol=1).mean() > 0.999
