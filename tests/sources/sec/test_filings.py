"""The market's frame of filings."""

from pathlib import Path

import pandas as pd
import polars as pl

from features.profitability import profitability, trailing_years
from features.schemas import checked
from sources.sec import filings_frame, read_companyfacts
from tests.features.handmade import market, sessions
from tests.sources.sec.handmade import document, entry, facts, filing, write_document
from tests.sources.sec.test_algebra import K14, Q1, Q2, Q3


def test_frame_passes_the_schema_and_keeps_what_a_later_filing_does_not_repeat() -> None:
    revenue = filing("2015-02-20", "10-K", ("2014-01-01", "2014-12-31", 900), concept="Revenues")
    amended = filing("2015-04-01", "10-K/A", ("2014-01-01", "2014-12-31", 95))
    repeated = filing("2016-02-20", "10-K", ("2014-01-01", "2014-12-31", 95))
    frame = checked("filings", filings_frame(facts(K14, revenue, amended, repeated)), {})
    assert frame[["security", "form", "net_income", "revenue"]].values.tolist() == [
        ["0000000001", "10-K", 100, 900],
        ["0000000001", "10-K/A", 95, 900],
    ]


def test_two_filings_of_one_instant_are_one_record() -> None:
    twin = filing("2015-02-20", "10-K/A", ("2014-01-01", "2014-12-31", 97), accn="z")
    frame = checked("filings", filings_frame(facts(K14, twin)), {})
    assert frame["net_income"].tolist() == [97]


def test_no_facts_give_an_empty_frame() -> None:
    assert checked("filings", filings_frame(facts()), {}).empty


def test_features_add_up_the_comparatives() -> None:
    days = sessions(400)
    years = trailing_years(market(days, filings=filings_frame(facts(K14, Q1, Q2, Q3))))
    income = pd.Series(years.net_income[:, 0], index=years.sessions)
    assert [income[day] for day in ("2015-03-02", "2015-05-11", "2015-08-10", "2015-11-10")] == [100, 101, 103, 106]


def test_documents_to_share_of_loss_makers(tmp_path: Path) -> None:
    filed = []
    for cik, income in enumerate((-5, 7, 8, 9), 1):
        stated = [entry(f"{y}-01-01", f"{y}-12-31", income, filed=f"{y + 1}-02-20", form="10-K", accn=f"{cik}-{y}") for y in (2014, 2015)]
        sales = [each | {"val": 100} for each in stated]
        path = write_document(tmp_path / f"CIK{cik:010d}.json", document(cik, NetIncomeLoss=stated, Revenues=sales))
        filed.append(read_companyfacts(path).facts)
    family = profitability(market(sessions(500), filings=filings_frame(pl.concat(filed))))
    row = family.values.loc["2016-03-01"]
    assert row["profitability__neg_share"] == 0.25
    assert row["profitability__agg_margin"] == 19 / 400
