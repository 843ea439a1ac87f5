"""Quarters and trailing years of synthetic filers against tables written by hand (METHODS A4)."""

from datetime import date

import polars as pl
import pytest

from sources.sec.algebra import trailing
from sources.sec.measure import on_dates, trailing_measure
from sources.sec.quarters import quarters
from sources.sec.vintages import as_of, first_prints
from tests.sources.sec.handmade import facts, filing, instant, known_on

# quarters of 2014: 10 20 30 40; of 2015: 11 22 33 44
K14 = filing("2015-02-20", "10-K", ("2014-01-01", "2014-12-31", 100))
Q1 = filing("2015-05-05", "10-Q", ("2015-01-01", "2015-03-31", 11), ("2014-01-01", "2014-03-31", 10))
Q2 = filing(
    "2015-08-05",
    "10-Q",
    ("2015-04-01", "2015-06-30", 22),
    ("2014-04-01", "2014-06-30", 20),
    ("2015-01-01", "2015-06-30", 33),
    ("2014-01-01", "2014-06-30", 30),
)
Q3 = filing("2015-11-05", "10-Q", ("2015-01-01", "2015-09-30", 66), ("2014-01-01", "2014-09-30", 60))
K15 = filing("2016-02-20", "10-K", ("2015-01-01", "2015-12-31", 110), ("2014-01-01", "2014-12-31", 100))


def quarter_table(frame: pl.DataFrame, day: str) -> dict[str, float]:
    """Quarters by end, as of a day."""
    held = frame.filter(pl.col("known_at") <= instant(day)).sort("known_at").unique(["start", "end"], keep="last", maintain_order=True)
    return {str(row["end"]): row["value"] for row in held.sort("end").iter_rows(named=True)}


def test_calendar_year_equals_the_table() -> None:
    years = trailing(facts(K14, Q1, Q2, Q3, K15))
    assert known_on(years, "2015-02-20") is None  # known the day after only
    assert known_on(years, "2015-02-21") == ("2014-12-31", 100)
    assert known_on(years, "2015-05-10") == ("2015-03-31", 100 + 11 - 10)
    assert known_on(years, "2015-08-10") == ("2015-06-30", 100 + 33 - 30)
    assert known_on(years, "2015-11-10") == ("2015-09-30", 100 + 66 - 60)
    assert known_on(years, "2016-02-25") == ("2015-12-31", 110)
    assert years["kind"].to_list() == ["year", *["year and year to date"] * 3, "year"]
    assert years["annual"].to_list() == [True, False, False, False, True]


def test_quarters_of_a_calendar_year_equal_the_table() -> None:
    found = quarter_table(quarters(facts(K14, Q1, Q2, Q3, K15)), "2016-03-01")
    assert found == {
        "2014-03-31": 10,
        "2014-06-30": 20,
        "2014-09-30": 30,
        "2014-12-31": 40,
        "2015-03-31": 11,
        "2015-06-30": 22,
        "2015-09-30": 33,
        "2015-12-31": 44,
    }


def test_53_week_year_equals_the_table() -> None:
    filed = facts(
        filing("2015-02-20", "10-K", ("2013-12-29", "2015-01-03", 106)),  # 53 weeks
        filing("2015-05-08", "10-Q", ("2015-01-04", "2015-04-04", 11), ("2013-12-29", "2014-03-29", 10)),
        filing("2015-08-08", "10-Q", ("2015-01-04", "2015-07-04", 33), ("2013-12-29", "2014-06-28", 30)),
        filing("2015-11-08", "10-Q", ("2015-01-04", "2015-10-03", 66), ("2013-12-29", "2014-09-27", 60)),
        filing("2016-02-20", "10-K", ("2015-01-04", "2016-01-02", 110)),
    )
    years = trailing(filed)
    assert [known_on(years, day) for day in ("2015-03-01", "2015-06-01", "2015-09-01", "2015-12-01", "2016-03-01")] == [
        ("2015-01-03", 106),
        ("2015-04-04", 107),
        ("2015-07-04", 109),
        ("2015-10-03", 112),
        ("2016-01-02", 110),
    ]
    found = quarter_table(quarters(filed), "2016-03-01")
    # the fourth quarter of the long year has 14 weeks
    assert [found[end] for end in ("2014-03-29", "2014-06-28", "2014-09-27", "2015-01-03")] == [10, 20, 30, 46]
    assert [found[end] for end in ("2015-04-04", "2015-07-04", "2015-10-03", "2016-01-02")] == [11, 22, 33, 44]


def test_year_stated_as_if_it_ended_with_the_month_is_followed_by_the_next() -> None:
    # the 10-K says December 31, the 10-Q begins on January 4
    years = trailing(
        facts(
            filing("2015-02-20", "10-K", ("2014-01-01", "2014-12-31", 106)),
            filing("2015-05-08", "10-Q", ("2015-01-04", "2015-04-04", 11), ("2013-12-29", "2014-03-29", 10)),
        )
    )
    assert known_on(years, "2015-06-01") == ("2015-04-04", 107)


@pytest.mark.parametrize("weeks", [(16, 12, 12, 12), (12, 12, 12, 16), (12, 12, 12, 17), (13, 13, 13, 13), (13, 13, 13, 14)])
def test_calendars_of_unequal_quarters_are_told_by_their_fiscal_start(weeks: tuple[int, ...]) -> None:
    def ends(first: date) -> list[date]:
        return [date.fromordinal(first.toordinal() + 7 * sum(weeks[: k + 1]) - 1) for k in range(4)]

    start = date(2014, 9, 1)
    following = date.fromordinal(ends(start)[3].toordinal() + 1)
    filed = []
    for first, values in ((start, (10, 30, 60, 100)), (following, (11, 33, 66, 110))):
        for k, end in enumerate(ends(first)):
            before = [(str(start), str(ends(start)[k]), (10, 30, 60, 100)[k])] if first == following else []
            when = str(date.fromordinal(end.toordinal() + 35))
            filed.append(filing(when, "10-K" if k == 3 else "10-Q", (str(first), str(end), values[k]), *before))
    found = quarter_table(quarters(facts(*filed)), "2018-01-01")
    assert [found[str(end)] for first in (start, following) for end in ends(first)] == [10, 20, 30, 40, 11, 22, 33, 44]
    years = trailing(facts(*filed))
    assert years["value"].to_list() == [100, 101, 103, 106, 110]


def test_restated_second_quarter_counts_from_its_filing_on() -> None:
    restated = filing("2015-09-15", "10-Q/A", ("2015-01-01", "2015-06-30", 28), ("2015-04-01", "2015-06-30", 17))
    years = trailing(facts(K14, Q1, Q2, restated, Q3, K15))
    assert known_on(years, "2015-09-15") == ("2015-06-30", 103)
    assert known_on(years, "2015-09-20") == ("2015-06-30", 100 + 28 - 30)  # the amendment repeats no comparative: as last known
    frame = quarters(facts(K14, Q1, Q2, restated, Q3, K15))
    assert quarter_table(frame, "2015-09-14")["2015-06-30"] == 22
    late = quarter_table(frame, "2016-03-01")
    assert [late[f"2015-{end}"] for end in ("03-31", "06-30", "09-30", "12-31")] == [11, 17, 38, 44]
    assert sum(late[f"2015-{end}"] for end in ("03-31", "06-30", "09-30", "12-31")) == 110
    first = trailing(first_prints(facts(K14, Q1, Q2, restated, Q3, K15)))
    assert known_on(first, "2015-09-20") == ("2015-06-30", 103)


def test_comparative_of_the_same_filing_is_preferred_to_a_later_vintage() -> None:
    # a half-year of 2014 is amended after that of 2015 was filed, and before the latter is amended with a comparative of its own
    amended = filing("2015-09-01", "10-Q/A", ("2014-01-01", "2014-06-30", 35))
    again = filing("2015-10-01", "10-Q/A", ("2015-01-01", "2015-06-30", 34), ("2014-01-01", "2014-06-30", 31))
    years = trailing(facts(K14, Q1, Q2, amended, again))
    assert known_on(years, "2015-09-15") == ("2015-06-30", 100 + 33 - 30)
    assert known_on(years, "2015-10-15") == ("2015-06-30", 100 + 34 - 31)


def test_transition_period_equals_the_table() -> None:
    # the fiscal year moves from December to June: FY2014, half a year in a 10-KT, then a year from July
    filed = facts(
        K14,
        filing("2014-11-05", "10-Q", ("2014-01-01", "2014-09-30", 60)),
        Q1,
        filing("2015-09-10", "10-KT", ("2015-01-01", "2015-06-30", 33), ("2014-01-01", "2014-06-30", 30)),
        filing("2015-11-05", "10-Q", ("2015-07-01", "2015-09-30", 33), ("2014-07-01", "2014-09-30", 30)),
        filing("2016-02-05", "10-Q", ("2015-07-01", "2015-12-31", 77), ("2014-07-01", "2014-12-31", 70)),
        filing("2016-09-05", "10-K", ("2015-07-01", "2016-06-30", 170)),
    )
    years = trailing(filed)
    assert known_on(years, "2015-10-01") == ("2015-06-30", 100 + 33 - 30)
    # no year ends with June 2015: four quarters in a row, of two fiscal years, the transition period and the new year
    assert known_on(years, "2015-12-01") == ("2015-09-30", 40 + 11 + 22 + 33)
    assert known_on(years, "2016-03-01") == ("2015-12-31", 11 + 22 + 33 + 44)
    assert known_on(years, "2016-10-01") == ("2016-06-30", 170)
    assert set(years.filter(pl.col("kind") == "four quarters")["end"].to_list()) == {date(2015, 9, 30), date(2015, 12, 31)}


def test_ten_month_year_is_no_year() -> None:
    assert trailing(facts(filing("2015-02-20", "10-KT", ("2014-03-01", "2014-12-31", 100)))).is_empty()


def test_four_stated_quarters_will_do_and_three_will_not() -> None:
    stated = [("2014-07-01", "2014-09-30", 30), ("2014-10-01", "2014-12-31", 40), ("2015-01-01", "2015-03-31", 11)]
    three = [filing(end, "10-Q", (start, end, value)) for start, end, value in stated]
    assert trailing(facts(*three)).is_empty()
    years = trailing(facts(*three, filing("2015-08-01", "10-Q", ("2015-04-01", "2015-06-30", 22))))
    assert known_on(years, "2015-09-01") == ("2015-06-30", 30 + 40 + 11 + 22)


def test_fourth_quarter_is_what_three_stated_ones_leave_of_the_year() -> None:
    stated = [("2014-01-01", "2014-03-31", 10), ("2014-04-01", "2014-06-30", 20), ("2014-07-01", "2014-09-30", 30)]
    rows = [filing(end, "10-Q", (start, end, value)) for start, end, value in stated]
    rows += [
        K14,
        filing("2015-05-05", "10-Q", ("2015-01-01", "2015-03-31", 11)),
        filing("2015-08-05", "10-Q", ("2015-04-01", "2015-06-30", 22)),
    ]
    assert quarter_table(quarters(facts(*rows)), "2015-03-01")["2014-12-31"] == 40
    assert known_on(trailing(facts(*rows)), "2015-09-01") == ("2015-06-30", 30 + 40 + 11 + 22)


def test_staleness_is_200_days_and_290_where_only_annual_reports_are_filed() -> None:
    only_annual = facts(K14, filing("2016-02-20", "10-K", ("2015-01-01", "2015-12-31", 110)))
    quarterly = facts([row | {"cik": 2} for row in K14 + Q2])
    days = pl.date_range(date(2015, 1, 1), date(2016, 12, 31), eager=True)
    shown = on_dates(trailing_measure(pl.concat([only_annual, quarterly]), "net_income"), days)
    first, second = (shown.filter(pl.col("cik") == cik) for cik in (1, 2))
    held = first["date"].to_list()
    assert held[0] == date(2015, 2, 21)
    assert [day for day in held if day < date(2016, 1, 1)][-1] == date(2015, 10, 17)  # 290 days after 2014-12-31
    assert date(2016, 2, 20) not in held
    assert held[-1] == date(2016, 10, 16)
    assert second["date"].to_list()[-1] == date(2016, 1, 16)  # 200 days after 2015-06-30


def test_as_of_gives_the_latest_vintage_and_first_prints_the_first() -> None:
    restated = filing("2016-09-15", "10-K/A", ("2015-01-01", "2015-12-31", 90))
    filed = facts(K15, restated)
    key = (pl.col("start") == date(2015, 1, 1)) & (pl.col("end") == date(2015, 12, 31))
    assert as_of(filed, instant("2016-09-15")).filter(key)["value"].to_list() == [110]
    assert as_of(filed, instant("2016-09-17")).filter(key)["value"].to_list() == [90]
    assert first_prints(filed).filter(key)["value"].to_list() == [110]
    with pytest.raises(ValueError, match="no time zone"):
        as_of(filed, instant("2016-09-17").replace(tzinfo=None))
