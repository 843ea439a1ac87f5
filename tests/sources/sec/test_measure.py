"""Which concept stands for a company, and when."""

from datetime import date

import polars as pl

from sources.sec.measure import on_dates, trailing_measure
from tests.sources.sec.handmade import facts, filing, known_on

YEAR = ("2014-01-01", "2014-12-31", 100)


def test_the_first_concept_in_order_is_taken() -> None:
    names = ["NetIncomeLossAvailableToCommonStockholdersBasic", "ProfitLoss", "NetIncomeLoss"]
    for at in range(3):
        rows = [filing("2015-02-20", "10-K", (*YEAR[:2], 100 + n), concept=name) for n, name in enumerate(names[: at + 1])]
        years = trailing_measure(facts(*rows), "net_income")
        assert (years["concept"][0], years["value"][0]) == (names[at], 100 + at)


def test_a_newer_end_goes_before_a_preferred_concept() -> None:
    rows = facts(
        filing("2015-02-20", "10-K", YEAR),
        filing("2016-02-20", "10-K", ("2015-01-01", "2015-12-31", 90), concept="ProfitLoss"),
    )
    assert known_on(trailing_measure(rows, "net_income"), "2016-03-01") == ("2015-12-31", 90)


def test_a_change_of_revenue_concept_leaves_no_hole() -> None:
    # the year in the old concept, the year to date and its comparative in the new one
    new = "RevenueFromContractWithCustomerExcludingAssessedTax"
    rows = facts(
        filing("2018-02-20", "10-K", ("2017-01-01", "2017-12-31", 100), concept="SalesRevenueNet"),
        filing("2018-05-05", "10-Q", ("2018-01-01", "2018-03-31", 11), ("2017-01-01", "2017-03-31", 10), concept=new),
        filing("2019-02-20", "10-K", ("2018-01-01", "2018-12-31", 120), concept=new),
    )
    years = trailing_measure(rows, "revenue")
    assert years.select("end", "value", "concept").rows() == [
        (date(2017, 12, 31), 100.0, "SalesRevenueNet"),
        (date(2018, 3, 31), 101.0, "mixed"),
        (date(2018, 12, 31), 120.0, new),
    ]


def test_dates_see_what_was_known_by_their_midnight() -> None:
    rows = facts(filing("2015-02-20", "10-K", YEAR))  # known 2015-02-21 12:00
    dates = pl.Series([date(2015, 2, day) for day in (20, 21, 22)])
    assert on_dates(trailing_measure(rows, "net_income"), dates)["date"].to_list() == [date(2015, 2, 21), date(2015, 2, 22)]
    none = on_dates(trailing_measure(rows.clear(), "net_income"), dates)
    assert none.is_empty()
