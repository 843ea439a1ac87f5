"""Trailing years against tables written by hand, and who counts when."""

import numpy as np
import pandas as pd
import pytest

from features.profitability import profitability, trailing_years
from features.trailing import Ledger
from tests.features.handmade import filings, market, sessions

DAYS = sessions(900)

# quarters of two years: 2014 is 10 20 30 40, 2015 is 11 22 33 44
Q = {"14": (10, 20, 30, 40), "15": (11, 22, 33, 44), "16": (12, 24, 36, 48)}
ENDS = ("03-31", "06-30", "09-30", "12-31")
STARTS = ("01-01", "04-01", "07-01", "10-01")


def day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(int))


def ledger(*periods: tuple[str, str, float], annual: bool = False) -> Ledger:
    out = Ledger()
    for start, end, value in periods:
        long = day(end) - day(start) > 340
        out.add(day(start), day(end), (float(value), 10.0 * value), annual or long)
    return out


def quarter(year: str, k: int) -> tuple[str, str, float]:
    return f"20{year}-{STARTS[k - 1]}", f"20{year}-{ENDS[k - 1]}", Q[year][k - 1]


def to_date(year: str, k: int) -> tuple[str, str, float]:
    return f"20{year}-01-01", f"20{year}-{ENDS[k - 1]}", sum(Q[year][:k])


def newest(book: Ledger) -> tuple[str, float]:
    year = next(book.trailing_years())
    assert year.revenue == pytest.approx(10 * year.net_income)
    return str(np.datetime64(year.end, "D")), year.net_income


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("made_of", [quarter, to_date])
def test_year_plus_year_to_date_less_the_year_before(k: int, made_of) -> None:
    periods = [to_date("14", 4)]
    for each in range(1, k + 1):
        periods += [made_of("14", each), made_of("15", each)]
    assert newest(ledger(*periods)) == (f"2015-{ENDS[k - 1]}", sum(Q["14"][k:]) + sum(Q["15"][:k]))


def test_year_to_date_figures_of_one_filing_are_enough() -> None:
    # the comparative comes with the filing: no other quarter is known
    assert newest(ledger(to_date("14", 4), to_date("15", 2), to_date("14", 2))) == ("2015-06-30", 30 + 40 + 11 + 22)


def test_an_annual_figure_stands_for_its_year() -> None:
    assert newest(ledger(quarter("15", 3), to_date("15", 4))) == ("2015-12-31", 110)


def test_four_contiguous_quarters_will_do() -> None:
    assert newest(ledger(*(quarter("14", k) for k in (3, 4)), *(quarter("15", k) for k in (1, 2)))) == ("2015-06-30", 30 + 40 + 11 + 22)


def test_the_fourth_quarter_is_the_year_less_nine_months() -> None:
    # to 2015-03: FY2014 - 9M2014 gives Q4; Q2 and Q3 from half-year and nine months; no quarter of 2014-Q1 alone
    book = ledger(to_date("14", 4), to_date("14", 1), quarter("15", 1))
    assert newest(book) == ("2015-03-31", 20 + 30 + 40 + 11)


def test_three_quarters_are_no_year() -> None:
    assert not list(ledger(*(quarter("15", k) for k in (1, 2, 3))).trailing_years())


def test_a_hole_leaves_the_last_year_that_adds_up() -> None:
    # 2015-Q2 was never filed: to 2015-09 nothing adds up
    book = ledger(to_date("14", 4), *(quarter("14", k) for k in (1, 2, 3)), quarter("15", 1), quarter("15", 3))
    assert newest(book) == ("2015-03-31", 20 + 30 + 40 + 11)


def test_a_restatement_replaces_the_figure_of_its_period() -> None:
    book = ledger(to_date("14", 4), quarter("14", 1), quarter("15", 1))
    book.add(day("2015-01-01"), day("2015-03-31"), (5.0, 50.0), annual=False)
    assert newest(book) == ("2015-03-31", 20 + 30 + 40 + 5)


def test_a_53_week_calendar_adds_up() -> None:
    book = ledger(
        ("2013-12-29", "2015-01-03", 100),  # 53 weeks
        ("2013-12-29", "2014-03-29", 10),
        ("2015-01-04", "2015-04-04", 11),
    )
    assert newest(book) == ("2015-04-04", 101)


def test_quarters_of_sixteen_and_twelve_weeks_add_up() -> None:
    book = ledger(
        ("2014-01-01", "2014-12-30", 100),
        ("2014-01-01", "2014-04-22", 30),
        ("2014-12-31", "2015-04-21", 33),
        ("2014-04-23", "2014-07-15", 20),
        ("2015-04-22", "2015-07-14", 22),
    )
    assert newest(book) == ("2015-07-14", 100 + 33 + 22 - 30 - 20)


def test_a_transition_period_belongs_to_no_year_of_its_own() -> None:
    # the fiscal year moves from December to June: FY2014, then six months; the year to 2015-06 needs the half-year before
    half = ("2015-01-01", "2015-06-30", 33)
    assert newest(ledger(to_date("14", 4), half)) == ("2014-12-31", 100)
    assert newest(ledger(to_date("14", 4), half, to_date("14", 2))) == ("2015-06-30", 30 + 40 + 33)


def test_a_figure_that_was_not_stated_is_no_zero() -> None:
    book = ledger(to_date("14", 4), quarter("14", 1))
    book.add(day("2015-01-01"), day("2015-03-31"), (11.0, np.nan), annual=False)
    year = next(book.trailing_years())
    assert year.net_income == 101
    assert np.isnan(year.revenue)


def company(name: str, incomes: dict[str, tuple[float, ...]], delay: int = 40) -> list[tuple]:
    """Three 10-Q and one 10-K a year, each `delay` days after its period."""
    rows = []
    for year, quarters in incomes.items():
        for k in range(4):
            start, form, value = (STARTS[k], "10-Q", quarters[k]) if k < 3 else ("01-01", "10-K", sum(quarters))
            known = pd.Timestamp(f"20{year}-{ENDS[k]}") + pd.Timedelta(days=delay)
            rows.append((name, form, f"20{year}-{start}", f"20{year}-{ENDS[k]}", value, 1000.0, str(known.date())))
    return rows


def test_a_filing_counts_from_the_first_session_whose_asof_is_not_before_it() -> None:
    years = trailing_years(market(DAYS, filings=filings(company("A", {"14": (1, 1, 1, 1), "15": (-9, 1, 1, 1)}))))
    income = pd.Series(years.net_income[:, 0], index=years.sessions)
    # 10-Q of 2015-03-31 is known at midnight before 2015-05-10, a Sunday: the row of Friday cannot look that far, the row of Monday can
    known = pd.Timestamp("2015-05-10")
    assert income[:known].dropna().iloc[-1] == 4
    assert income[known:].iloc[0] == 3 - 9
    assert income[known:].index[0] == pd.Timestamp("2015-05-11")


def test_a_known_at_of_midnight_serves_the_session_that_just_ended() -> None:
    years = trailing_years(market(DAYS, filings=filings([("A", "10-K", "2014-01-01", "2014-12-31", 7, 9, "2015-03-04")])))
    assert years.sessions[0] == pd.Timestamp("2015-03-03")
    assert years.net_income[0, 0] == 7


def test_a_silent_company_leaves_after_200_days_or_290_where_a_10_k_spoke_last() -> None:
    rows = [("A", "10-K", "2014-01-01", "2014-12-31", 7, 9, "2015-03-04")]
    rows += [("B", "10-K", "2014-01-01", "2014-12-31", 7, 9, "2015-03-04"), ("B", "10-Q", "2014-01-01", "2014-03-31", 1, 2, "2015-03-05")]
    rows += [("B", "10-Q", "2015-01-01", "2015-03-31", 2, 2, "2015-05-05")]
    years = trailing_years(market(DAYS, filings=filings(rows)))
    known = pd.DataFrame(~np.isnan(years.net_income), index=years.sessions, columns=["A", "B"])
    limit = {"A": pd.Timestamp("2014-12-31") + pd.Timedelta(days=290)}
    assert known["A"][known["A"]].index[-1] == DAYS[limit["A"] >= DAYS][-1]
    # B falls back on its annual figure, which lives until the same day
    income = pd.Series(years.net_income[:, 1], index=years.sessions)
    assert income[pd.Timestamp("2015-03-31") + pd.Timedelta(days=200) :].dropna().eq(7).all()
    assert income["2015-06-01"] == 8


LOSSES = {"14": (1, 1, 1, 1), "15": (-9, 1, 1, 1), "16": (1, 1, 1, 1)}
PROFITS = {"14": (2, 2, 2, 2), "15": (2, 2, 2, 2), "16": (2, 2, 2, 2)}


def test_shares_and_margins_are_those_of_the_companies_known() -> None:
    rows = company("A", LOSSES) + company("B", PROFITS) + company("C", PROFITS)
    family = profitability(market(DAYS, filings=filings(rows)))
    day_of = "2016-04-01"  # three annual reports of 2015 are in
    row = family.values.loc[day_of]
    assert row["profitability__neg_share"] == pytest.approx(1 / 3)
    assert row["profitability__agg_margin"] == pytest.approx((-6 + 8 + 8) / 3000)
    assert row["profitability__med_margin"] == pytest.approx(8 / 1000)
    assert family.quality.loc[day_of, "profitability__n"] == 3
    assert family.quality.loc[day_of, "profitability__coverage"] == 1
    before = family.values["profitability__neg_share"].shift(252).loc[day_of]
    assert np.isnan(before) or row["profitability__neg_share_chg_252"] == pytest.approx(1 / 3 - before)


def test_a_newcomer_is_young_and_a_company_that_does_not_add_up_is_missing() -> None:
    rows = [row for name in "ABCD" for row in company(name, PROFITS)]
    young = [("Y", "10-Q", "2015-07-01", "2015-09-30", 1, 1, "2015-11-09")]
    family = profitability(market(DAYS, filings=filings(rows + young)))
    assert family.quality.loc["2015-12-01", "profitability__coverage"] == 1
    holed = [row for row in company("H", PROFITS) if row[1] == "10-Q" and row[3].endswith("09-30")]
    for number, known in ((1, True), (2, False)):  # 4/5 is enough, 4/6 is not
        broken = [(f"H{i}", *row[1:]) for i in range(number) for row in holed]
        family = profitability(market(DAYS, filings=filings(rows + broken)))
        assert family.quality.loc["2016-01-15", "profitability__coverage"] == pytest.approx(4 / (4 + number))
        assert pd.notna(family.values.loc["2016-01-15", "profitability__neg_share"]) == known


def test_the_first_season_is_no_cross_section() -> None:
    rows = [row for name in "ABCD" for row in company(name, PROFITS)]
    share = profitability(market(DAYS, filings=filings(rows))).values["profitability__neg_share"]
    first = trailing_years(market(DAYS, filings=filings(rows))).sessions[0]
    assert share.first_valid_index() == DAYS[first + pd.Timedelta(days=200) <= DAYS][0]


def test_the_last_few_that_linger_are_no_cross_section() -> None:
    gone = [row for name in "ABC" for row in company(name, PROFITS) if row[6] < "2016-01-01"]
    stays = company("D", PROFITS)
    family = profitability(market(DAYS, filings=filings(gone + stays)))
    assert family.quality.loc["2016-06-01", "profitability__n"] == 1
    assert np.isnan(family.values.loc["2016-06-01", "profitability__neg_share"])


def test_no_filings_give_missing_columns() -> None:
    family = profitability(market(DAYS))
    assert family.values.isna().all().all()
    assert family.quality["profitability__n"].eq(0).all()
