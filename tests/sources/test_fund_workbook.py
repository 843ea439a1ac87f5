import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import DataError
from sources.calendar import sessions
from sources.cells import parsed_dates, plain
from sources.fund_workbook import fund_universe, index_members, members_from_holdings, read_fund_workbook
from tests.sources.fund_files import FORMS, sheets, written


@pytest.fixture(params=FORMS)
def workbook(request, tmp_path):
    return read_fund_workbook(written(tmp_path, sheets(), request.param), "SCF")


def test_history_is_the_frame_of_funds(workbook):
    funds = workbook.funds
    assert list(funds["date"].dt.strftime("%Y-%m-%d")) == ["2023-12-29", "2024-01-02", "2024-01-03", "2024-01-04"]
    assert list(funds["nav"]) == [24.0, 1024.5, 25.123456, 12.5]
    np.testing.assert_array_equal(funds["shares_outstanding"], [400000, np.nan, 500000, 1250000])
    assert set(funds["fund"]) == {"SCF"}
    assert list(funds["split"]) == [1.0] * 4


def test_history_is_known_the_next_session_morning(workbook):
    known = [f"{instant:%m-%d %H:%M:%S}" for instant in workbook.funds["known_at"]]
    assert known == ["01-02 14:00:00", "01-03 14:00:00", "01-04 14:00:00", "01-05 14:00:00"]


def test_cover_and_holdings_have_their_date(workbook):
    assert (workbook.cover.name, workbook.cover.n_securities) == ("Small Company Fund", 5)
    assert (workbook.cover.inception, workbook.cover.as_of) == (pd.Timestamp("2023-12-29"), pd.Timestamp("2024-01-04"))
    assert set(workbook.holdings["date"]) == {pd.Timestamp("2024-01-04")}
    assert list(workbook.holdings["security"]) == ["AAA", "BBB", "BBB", "OLD", "", "USD"]
    assert workbook.holdings["weight"].sum() == pytest.approx(1.0)
    assert workbook.holdings["name"].iloc[0] == "Alpha & Co"


def test_members_are_listed_shares_once_each(workbook):
    members = index_members(workbook.holdings)
    assert list(zip(members["security"], members["weight"], strict=True)) == [("AAA", 0.5025), ("BBB", pytest.approx(0.315))]


def test_distributions_keep_their_dates(workbook):
    row = workbook.distributions.iloc[0]
    assert (row["ex_date"], row["amount"], pd.isna(row["payable_date"])) == (pd.Timestamp("2024-01-03"), 0.5, True)
    assert list(workbook.ex_dividends["amount"]) == [0.5]


def test_three_forms_give_the_same(tmp_path):
    first, *others = [read_fund_workbook(written(tmp_path, sheets(), form), "SCF") for form in FORMS]
    for other in others:
        for name in ("funds", "holdings", "distributions", "ex_dividends"):
            pd.testing.assert_frame_equal(getattr(first, name), getattr(other, name))


def test_fund_without_distributions_has_none(tmp_path):
    content = sheets()
    del content["Distributions"]
    assert read_fund_workbook(written(tmp_path, content), "SCF").distributions.empty


def test_splits_stand_on_their_ex_date(tmp_path):
    workbook = read_fund_workbook(written(tmp_path, sheets()), "SCF", {pd.Timestamp("2024-01-04").date(): 2.0})
    assert list(workbook.funds["split"]) == [1, 1, 1, 2]


@pytest.mark.parametrize("day", ["Jan 01, 1900", "Jan 01, 2100", "Dec 28, 2023", "Jan 12, 2024"])
def test_few_dates_outside_the_funds_life_are_set_aside(tmp_path, day):
    content = sheets()
    days = pd.bdate_range("2013-01-02", "2023-12-28")
    content["Holdings"][2][1] = "Jan 02, 2013" if day != "Dec 28, 2023" else "Dec 29, 2012"
    if day == "Dec 28, 2023":
        day = "Dec 28, 2012"
    content["Historical"] += [[f"{each:%b %d, %Y}", 20.0, "--", 1000] for each in days]
    content["Historical"].append([day, 1.0, "--", 1])
    workbook = read_fund_workbook(written(tmp_path, content), "SCF")
    assert len(workbook.funds) == len(days) + 4
    assert [(row.frame, row.series, row.rule) for row in workbook.quarantine.itertuples()] == [
        ("funds", "SCF", "date is outside the fund's life")
    ]


def changed(where: str, row: int, column: int, value: str | float):
    def change(content):
        content[where][row][column] = value

    return change


def without(where: str):
    return lambda content: content.pop(where)


FAULTS = [
    (without("Historical"), r"fund\.xls: sheet 'Historical' is missing; the file has Disclaimers, Holdings, Distributions"),
    (without("Holdings"), r"sheet 'Holdings' is missing"),
    (changed("Historical", 0, 3, "Shares"), r"sheet 'Historical': column 'Shares Outstanding' is missing; the sheet has As Of, NAV"),
    (changed("Historical", 0, 2, "As Of"), r"column 'As Of' is there twice"),
    (changed("Holdings", 7, 3, "Class"), r"sheet 'Holdings': column 'Asset Class' is missing"),
    (changed("Holdings", 3, 0, "As of"), r"no line 'Fund Holdings as of'"),
    (changed("Holdings", 3, 1, "soon"), r"'Fund Holdings as of' is 'soon'; rule: a date such as"),
    (changed("Holdings", 3, 1, "Jan 04, 2100"), r"'Fund Holdings as of' is 'Jan 04, 2100'; rule: .* from 1990 to 2035"),
    (changed("Holdings", 2, 1, "Jan 01, 1900"), r"'Inception Date' is 'Jan 01, 1900'"),
    (changed("Holdings", 4, 1, "1,966.00"), r"6 rows, and the sheet says 1966 securities; .*cut off"),
    (changed("Historical", 2, 1, "12.5x"), r"sheet 'Historical': line 3, column 'NAV per Share': '12.5x' breaks the rule 'is a number'"),
    (changed("Historical", 2, 1, "12,5"), r"'12,5' breaks the rule 'is a number'"),
    (changed("Historical", 2, 1, -3), r"line 3, column 'NAV per Share': '-3(\.0)?' breaks the rule 'is positive'"),
    (changed("Historical", 2, 0, "01/03/2024"), r"line 3, column 'As Of': '01/03/2024' breaks the rule 'is a date such as"),
    (changed("Historical", 2, 0, "--"), r"line 3, column 'As Of': '--' breaks the rule 'is a date'"),
    (changed("Historical", 2, 0, "Jan 04, 2024"), r"lines 2 and 3 have the same key \(2024-01-04\)"),
    (changed("Historical", 2, 0, "Jan 01, 2100"), r"'Jan 01, 2100' breaks the rule 'is within the fund's life, 2023-12-29 to 2024-01-11"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_fault_is_named(tmp_path, fault, words):
    content = sheets()
    fault(content)
    with pytest.raises(DataError, match=words):
        read_fund_workbook(written(tmp_path, content), "SCF")


def test_universe_is_named_by_its_tickers(tmp_path):
    other = sheets()
    other["Holdings"][1] = ["Another Fund"]
    books = [
        read_fund_workbook(written(tmp_path, sheets()), "ZZZ"),
        read_fund_workbook(written(tmp_path, other, "xlsx", "b.xls"), "AAA"),
    ]
    universe = fund_universe(books)
    assert universe.name == "AAA + ZZZ"
    assert list(universe.funds["fund"]) == ["AAA"] * 4 + ["ZZZ"] * 4


def test_one_fund_under_two_tickers_is_refused(tmp_path):
    path = written(tmp_path, sheets())
    with pytest.raises(DataError, match=r"fund\.xls and fund\.xls are both of 'small company fund'; rule: one workbook a fund"):
        fund_universe([read_fund_workbook(path, "AAA"), read_fund_workbook(path, "BBB")])
    with pytest.raises(DataError, match="no workbook"):
        fund_universe([])


def holding(tmp_path, day: str, tickers: list[str], fund: str = "SCF"):
    content = sheets()
    content["Holdings"][3][1] = day
    content["Holdings"][4][1] = str(len(tickers))
    content["Holdings"][8:] = [[ticker, ticker, "Energy", "Equity", 1, 100 / len(tickers), "NASDAQ"] for ticker in tickers]
    return read_fund_workbook(written(tmp_path, content), fund)


def test_members_begin_when_their_list_is_known_and_end_with_the_next(tmp_path):
    # a Thursday, the Friday of a long weekend (known on Saturday) and a day after the last session
    books = [holding(tmp_path, "Jan 12, 2024", ["AAA", "CCC"]), holding(tmp_path, "Jan 04, 2024", ["AAA", "BBB"])]
    books.append(holding(tmp_path, "Jan 31, 2024", ["AAA"]))
    members = members_from_holdings(books, sessions("2023-12-01", "2024-01-31"))
    rows = [(row.security, f"{row.start:%m-%d}", None if pd.isna(row.end) else f"{row.end:%m-%d}") for row in members.itertuples()]
    assert rows == [("AAA", "01-05", "01-16"), ("AAA", "01-16", None), ("BBB", "01-05", "01-16"), ("CCC", "01-16", None)]
    assert list(members["known_at"].dt.strftime("%m-%d %H:%M").unique()) == ["01-05 14:00", "01-13 14:00"]


def test_no_list_is_applied_to_the_past(tmp_path):
    members = members_from_holdings([holding(tmp_path, "Jan 04, 2024", ["AAA"])], sessions("2020-01-01", "2024-03-01"))
    assert list(members["start"]) == [pd.Timestamp("2024-01-05")]
    assert (members["start"].dt.tz_localize("UTC") + pd.Timedelta(days=1) >= members["known_at"]).all()


def test_members_of_two_funds_are_refused(tmp_path):
    books = [holding(tmp_path, "Jan 04, 2024", ["AAA"], fund) for fund in ("ONE", "TWO")]
    with pytest.raises(DataError, match="workbooks of ONE, TWO; rule: an index is what one fund holds"):
        members_from_holdings(books, sessions("2023-12-01", "2024-01-31"))


@given(st.integers(min_value=-(10**15), max_value=10**15), st.integers(min_value=0, max_value=6))
def test_separators_of_thousands_change_no_number(whole, digits):
    value = whole / 10**digits
    assert float(plain(f"{value:,.{digits}f}")) == float(f"{value:.{digits}f}")


@given(st.dates(min_value=pd.Timestamp("1990-01-01").date(), max_value=pd.Timestamp("2035-12-31").date()))
def test_every_way_of_writing_a_date_is_read(day):
    written_ways = [f"{day:%b %d, %Y}", f"{day:%d-%b-%Y}", f"{day:%d/%b/%Y}", f"{day:%Y-%m-%d}"]
    assert set(parsed_dates(pd.Series(written_ways))) == {pd.Timestamp(day)}
