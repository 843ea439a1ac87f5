"""Files as their sources serve them, through the market file."""

import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from features.flows import flows
from features.profitability import profitability
from sources.files import load_market
from tests.sources.fund_files import FORMS, Sheets, sheets
from tests.sources.market_case import DAYS, Case
from tests.sources.sec.handmade import document, entry, num_row, quarter, sub_row, write_document, write_zip

FRED = "observation_date,WALCL\n2024-01-03,7700000\n2024-01-10,.\n2024-01-11,7600000\n"
TICKERS = {
    "0": {"cik_str": 1, "ticker": "AAA", "title": "Alpha"},
    "1": {"cik_str": 1, "ticker": "AAA-B", "title": "Alpha"},
    "2": {"cik_str": 2, "ticker": "BBB", "title": "Beta"},
    "3": {"cik_str": 3, "ticker": "BBB", "title": "Beta II"},
}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def workbook(
    day: str = "Jan 12, 2024", name: str = "Small Company Fund", rows: int = len(DAYS), inception: str = "Dec 29, 2023", **held: str
) -> Sheets:
    """A workbook with a value a day of the market, and the tickers held with their names."""
    content = sheets()
    content["Holdings"][1] = [name]
    content["Holdings"][2][1], content["Holdings"][3][1] = inception, day
    content["Holdings"][4][1] = str(len(held))
    content["Holdings"][8:] = [[ticker, words, "Energy", "Equity", 1, 1.0, "NASDAQ"] for ticker, words in held.items()]
    head = content["Historical"][0]
    content["Historical"] = [head, *([f"{each:%b %d, %Y}", 20.0 + i, "--", 1000 * (i + 1)] for i, each in enumerate(DAYS[:rows]))]
    return content


def put(case: Case, name: str, content: Sheets, form: str = "xml") -> str:
    case.write(name, FORMS[form](content))
    return name


def use_books(case: Case, known_at: str = "next_session_morning", **books: str) -> None:
    case.spec["funds"] = {fund: {"workbook": name, "known_at": known_at} for fund, name in books.items()}


# --- funds ---


@pytest.mark.parametrize("form", FORMS)
def test_fund_of_a_workbook_is_that_of_the_tidy_file(case, form):
    case.write(
        "fund.csv", "date,nav,shares_outstanding\n" + "".join(f"{d:%Y-%m-%d},{20 + i},{1000 * (i + 1)}\n" for i, d in enumerate(DAYS))
    )
    expected = case.load().funds
    case.spec["funds"]["IWM"] = {
        "workbook": put(case, "iwm.xls", workbook(AAA="Alpha"), form),
        "known_at": "next_session_morning",
        "splits": {"2024-01-05": 2},
    }
    pd.testing.assert_frame_equal(case.load().funds, expected)


def test_several_funds_are_summed_and_named(case):
    use_books(
        case,
        VTWO=put(case, "v.xls", workbook(AAA="Alpha"), "xls"),
        IWM=put(case, "i.xlsx", workbook(name="Other Fund", AAA="Alpha"), "xlsx"),
    )
    market = case.load()
    assert market.note == "read from files; funds: IWM + VTWO"
    family = flows(market)
    assert family.quality["flows__n"].max() == 2
    case.spec["funds"] = {"IWM": case.spec["funds"]["IWM"]}
    assert case.load().note == "read from files; funds: IWM"


def test_start_and_end_clip_a_workbook(case):
    use_books(case, IWM=put(case, "i.xls", workbook(AAA="Alpha")))
    case.spec["funds"]["IWM"].update(start="2024-01-03", end="2024-01-11")
    found = case.load().funds["date"]
    assert (found.min(), found.max()) == (pd.Timestamp("2024-01-03"), pd.Timestamp("2024-01-11"))
    case.spec["calendar"]["end"] = "2024-01-05"
    assert case.load().funds["date"].max() == pd.Timestamp("2024-01-05")


def test_quarantine_of_the_workbook_is_that_of_the_market(case):
    content = workbook(inception="Jan 02, 2013", AAA="Alpha")
    content["Historical"] += [[f"{day:%b %d, %Y}", 20.0, "--", 1000] for day in pd.bdate_range("2013-01-02", "2023-12-29")]
    content["Historical"].append(["Jan 01, 1900", 1.0, "--", 1])
    use_books(case, IWM=put(case, "i.xls", content))
    aside = case.load().quarantine
    assert aside[["frame", "series", "rule"]].to_numpy().tolist() == [["funds", "IWM", "date is outside the fund's life"]]


def test_figures_are_not_known_before_their_issuer_shows_them(case):
    use_books(case, "session_close", IWM=put(case, "i.xls", workbook(AAA="Alpha")))
    case.refused("i.xls", "'session_close'", "2024-01-02", "not before 'next_session_morning'")
    use_books(case, "next_monday", IWM="i.xls")
    assert case.load().funds["known_at"].iloc[0] == pd.Timestamp("2024-01-08 21:30", tz="UTC")


def test_one_fund_under_two_tickers_is_refused(case):
    use_books(case, IWM=put(case, "a.xls", workbook(AAA="Alpha")), VTWO=put(case, "b.xls", workbook(AAA="Alpha")))
    case.refused("a.xls", "b.xls", "small company fund", "its flows count once")


# --- members ---


def use_lists(case: Case, workbooks: object, fund: str = "SCF") -> None:
    case.spec["members"] = {"workbooks": workbooks, "fund": fund, "known_at": "next_morning"}


def test_holdings_of_several_days_make_the_members_of_the_tidy_file(case):
    expected = case.load().members  # AAA and BBB of 2 January, BBB of 8 January
    put(case, "hold-2.xls", workbook("Jan 08, 2024", BBB="Beta"), "xls")
    put(case, "hold-1.xls", workbook("Jan 02, 2024", AAA="Alpha", BBB="Beta", rows=2), "xlsx")
    for names in ("hold-*.xls", ["hold-2.xls", "hold-1.xls"], ["hold-1.xls", "hold-[2-9].xls"]):
        use_lists(case, names)
        # the tidy snapshot "2024-01" is of 8 January, too
        pd.testing.assert_frame_equal(case.load().members, expected)
    assert "renamed" not in case.load().note


def test_single_list_is_refused(case):
    put(case, "hold-1.xls", workbook("Jan 02, 2024", AAA="Alpha", rows=2))
    use_lists(case, "hold-*.xls")
    case.refused("hold-1.xls", "1 snapshot", "two or more", "survivors")


def test_same_day_twice_and_another_fund_are_refused(case):
    put(case, "a.xls", workbook("Jan 02, 2024", AAA="Alpha", rows=2))
    put(case, "b.xls", workbook("Jan 02, 2024", BBB="Beta", rows=2))
    use_lists(case, ["a.xls", "b.xls"])
    case.refused("a.xls and b.xls", "2024-01-02", "one workbook a day")
    put(case, "b.xls", workbook("Jan 08, 2024", name="Another Fund", inception="Nov 01, 2023", BBB="Beta"))
    case.refused("a.xls", "'Small Company Fund'", "b.xls", "'Another Fund'", "what one fund holds")
    # renamed, and the same first day
    put(case, "b.xls", workbook("Jan 08, 2024", name="Another Fund", BBB="Beta"))
    assert len(case.load().members) == 2
    use_lists(case, ["a.xls", "a.xls"])
    case.refused("'a.xls' is named twice")
    use_lists(case, "none*.xls")
    case.refused("matches 'none*.xls'")


def test_ticker_with_another_name_is_noted(case):
    put(case, "a.xls", workbook("Jan 02, 2024", AAA="Alpha Corp", BBB="Beta Inc", rows=2))
    put(case, "b.xls", workbook("Jan 08, 2024", AAA="ALPHA CORP CLASS A", BBB="Zeta Holdings"))
    use_lists(case, "?.xls")
    assert case.load().note.endswith("tickers of members with another name in another list, renamed or reused: BBB")


# --- filings ---

BOTH = {"NetIncomeLoss": 5.0, "Revenues": 100.0}


def company(cik: int, years: range = range(2019, 2023)) -> dict[str, object]:
    """A company that states its quarters, and each year's in a 10-K; the first loses money."""
    stated: dict[str, list] = {name: [] for name in BOTH}
    for year in years:
        for name, value in BOTH.items():
            own = -value if cik == 1 and name == "NetIncomeLoss" else value
            for n, (start, end, filed) in enumerate(
                (("01-01", "03-31", "05-02"), ("04-01", "06-30", "08-02"), ("07-01", "09-30", "11-02"))
            ):
                accn = f"{cik:010d}-{year}-{n}"
                stated[name].append(entry(f"{year}-{start}", f"{year}-{end}", own, f"{year}-{filed}", accn=accn))
            stated[name].append(
                entry(f"{year}-01-01", f"{year}-12-31", 4 * own, f"{year + 1}-03-01", accn=f"{cik:010d}-{year}-9", form="10-K")
            )
    return document(cik, **stated)


def put_companies(case: Case, *ciks: int) -> Path:
    folder = case.folder / "data" / "facts"
    folder.mkdir(exist_ok=True)
    for cik in ciks:
        write_document(folder / f"CIK{cik:010d}.json", company(cik))
    return folder


def test_folder_archive_and_files_of_companyfacts_give_the_same(case):
    folder = put_companies(case, 1, 2, 3)
    files = sorted(folder.glob("*.json"))
    write_zip(case.folder / "data" / "all.zip", {path.name: path.read_bytes() for path in files})
    found = []
    for names in ("facts", "all.zip", "facts/CIK*.json", [f"facts/{path.name}" for path in files]):
        case.spec["filings"] = {"companyfacts": names}
        found.append(case.load().filings)
    for other in found[1:]:
        pd.testing.assert_frame_equal(other, found[0])
    assert list(found[0]["security"].unique()) == ["0000000001", "0000000002", "0000000003"]
    assert len(found[0]) == 3 * 4 * 4


def test_companies_are_counted_by_the_features(case):
    put_companies(case, 1, 2, 3)
    case.spec["filings"] = {"companyfacts": "facts"}
    case.spec["calendar"]["start"] = "2019-01-02"
    share = profitability(case.load()).values["profitability__neg_share"]
    assert share["2022-06-01":"2023-03-01"].dropna().unique().tolist() == pytest.approx([1 / 3])


def test_tickers_name_companies_and_never_merge_two(case):
    put_companies(case, 1, 2, 3)
    case.write("tickers.json", json.dumps(TICKERS))
    case.spec["filings"] = {"companyfacts": "facts", "tickers": "tickers.json"}
    market = case.load()
    # the ticker of two companies is given to neither; of two tickers of a company the first counts
    assert list(market.filings["security"].unique()) == ["0000000002", "0000000003", "AAA"]
    assert "1 of 3 filers under the ticker they have in 'tickers.json', the others under their CIK" in market.note
    aside = market.quarantine[["frame", "series", "rule"]].to_numpy().tolist()
    assert aside == [["filings", "BBB", "ticker of several companies: named by CIK"]]


def test_list_of_tickers_that_is_none_is_refused(case):
    put_companies(case, 1)
    case.spec["filings"] = {"companyfacts": "facts", "tickers": "tickers.json"}
    for content, words in [
        ("<html>", "a web page"),
        ("{", "no JSON"),
        ("[" * 10_000 + "]" * 10_000, "no JSON"),
        ("[]", "holds list"),
        ("{}", "holds dict"),
        ('{"0": {"cik_str": "1", "ticker": "AAA"}}', "entry '0' is no company"),
        ('{"0": {"cik_str": 1, "ticker": "0000000002"}}', "entry '0' is no company"),
        ('{"0": [[]]}', "entry '0' is no company"),
    ]:
        case.write("tickers.json", content)
        case.refused("tickers.json", words)


def test_times_of_acceptance_come_from_the_data_sets(case):
    put_companies(case, 2)
    sub = [sub_row("0000000002-2022-9", cik=2, form="10-K", filed="20230301", accepted="2023-03-01 08:05:00.0")]
    quarter(case.folder / "data" / "2023q1.zip", sub, [])
    case.spec["filings"] = {"companyfacts": "facts", "acceptances": "2023q*.zip"}
    annual = case.load().filings.query("form == '10-K'").set_index("period_end")["known_at"]
    assert annual[pd.Timestamp("2022-12-31")] == pd.Timestamp("2023-03-01 13:05", tz="UTC")
    assert annual[pd.Timestamp("2021-12-31")] == pd.Timestamp("2022-03-02 14:00", tz="UTC")


def test_quarterly_data_sets_are_read_together(case):
    for name, adsh, filed, ddate in (("2023q2.zip", "a", "20230502", 20230331), ("2023q3.zip", "b", "20230802", 20230630)):
        num = [num_row(adsh, tag, ddate, 1, value) for tag, value in BOTH.items()]
        quarter(case.folder / "data" / name, [sub_row(adsh, cik=7, filed=filed, accepted="")], num)
    case.spec["filings"] = {"statements": ["2023q2.zip", "2023q3.zip"]}
    filings = case.load().filings
    assert list(filings["period_end"]) == [pd.Timestamp("2023-03-31"), pd.Timestamp("2023-06-30")]
    assert set(filings["net_income"]) == {5.0}
    assert set(filings["security"]) == {"0000000007"}
    unpacked = case.folder / "data" / "2023q3"
    zipfile.ZipFile(case.folder / "data" / "2023q3.zip").extractall(unpacked)
    case.spec["filings"] = {"statements": ["2023q3", "2023q2.zip"]}
    pd.testing.assert_frame_equal(case.load().filings, filings)


def test_filing_dates_and_the_calendar_clip_reports(case):
    put_companies(case, 1, 2)
    case.spec["filings"] = {"companyfacts": "facts", "start": "2020-01-01", "end": "2021-12-31"}
    market = case.load()
    assert market.filings["known_at"].min() >= pd.Timestamp("2020-01-01", tz="UTC")
    assert market.filings["known_at"].max() < pd.Timestamp("2022-01-10", tz="UTC")
    case.spec["filings"] = {"companyfacts": "facts", "end": "2000-01-01"}
    case.refused("facts", "no 10-K or 10-Q by 2024-01-12")


def test_facts_set_aside_and_unreadable_documents_are_counted(case):
    folder = put_companies(case, *range(1, 3))
    write_document(
        folder / "CIK0000000009.json", document(9, NetIncomeLoss=[entry(None, "2016-03-31", 5), entry("2016-01-01", "2016-03-31", 5)])
    )
    (folder / "CIK0000000010.json").write_text("{")
    for names in ("facts", "all.zip"):
        write_zip(case.folder / "data" / "all.zip", {path.name: path.read_bytes() for path in folder.glob("*.json")})
        case.spec["filings"] = {"companyfacts": names}
        assert sorted(case.load().quarantine["rule"]) == ["document cannot be read", "period start is missing: an instant"]
    (folder / "CIK0000000011.json").write_text("{")
    case.spec["filings"] = {"companyfacts": "facts"}
    case.refused("2 of 5 documents cannot be read", "1%")
    write_zip(case.folder / "data" / "all.zip", {path.name: path.read_bytes() for path in folder.glob("*.json")})
    case.spec["filings"] = {"companyfacts": "all.zip"}
    case.refused("all.zip", "2 of 5 documents cannot be read", "1%", "CIK0000000010.json")


# --- macro ---


def use_fred(case: Case, text: str = FRED, **more: object) -> None:
    case.write("fred.csv", text)
    case.spec["macro"] = {"WALCL": {"fred": "fred.csv", "id": "WALCL", **more}}


def test_series_of_fred_is_that_of_the_tidy_file(case):
    case.write("walcl.csv", FRED.replace("observation_date,WALCL", "Date,Value"))
    expected = case.load().macro
    use_fred(case)
    pd.testing.assert_frame_equal(case.load().macro, expected)
    use_fred(case, end="2024-01-05")
    assert len(case.load().macro) == 1


def test_rule_of_fred_may_be_later_and_not_earlier(case):
    use_fred(case, known_at="next_business_day")
    case.refused("fred.csv", "'next_business_day'", "2024-01-11", "not before 'next_thursday'")
    use_fred(case, known_at="four_weeks_after_month")
    assert case.load().macro["known_at"].iloc[0] == pd.Timestamp("2024-02-28 21:30", tz="UTC")


def test_series_that_is_rewritten_is_refused(case):
    use_fred(case, FRED.replace("WALCL", "NFCI"))
    for more in ({}, {"known_at": "next_thursday"}):
        case.spec["macro"] = {"NFCI": {"fred": "fred.csv", "id": "NFCI", **more}}
        case.refused("fred.csv", "NFCI", "rewritten as a whole", "ALFRED")


def test_fault_in_a_file_of_fred_names_it(case):
    use_fred(case, FRED.replace("7700000", "7,7"))
    case.refused("fred.csv", "FRED WALCL")
    use_fred(case, FRED[:-3])
    case.refused("fred.csv", "cut off")


# --- the real files ---


def test_real_workbook_equals_the_real_series_on_common_days(data_root, tmp_path):
    case = Case(tmp_path)
    case.spec = {key: case.spec[key] for key in ("kind", "funds", "prices", "calendar")}
    case.spec |= {"root": str(data_root), "calendar": {"start": "2000-05-22", "end": "2025-02-04"}}
    case.spec["prices"] = {"R2000": {"path": "prices/RUT_index_close.csv", "date": "Date", "close": "^RUT", "known_at": "session_close"}}
    rule = {"known_at": "next_session_morning"}
    case.spec["funds"] = {
        "IWM": {"path": "flows/IWM_nav_shares_outstanding.csv", **rule},
        "BOOK": {"workbook": "flows/raw/iShares-Russell-2000-ETF_fund.xls", **rule},
    }
    market = case.load()
    assert market.note.endswith("funds: BOOK + IWM")
    book, tidy = (market.funds[market.funds["fund"] == fund].set_index("date").drop(columns="fund") for fund in ("BOOK", "IWM"))
    common = book.index.intersection(tidy.index)
    assert len(common) == 6214
    pd.testing.assert_frame_equal(book.loc[common], tidy.loc[common])
    assert book.index.equals(common)
    assert tidy.index.equals(common)
    aside = market.quarantine.groupby("series")["date"].apply(lambda days: [f"{day:%Y-%m-%d}" for day in days])
    assert aside["IWM"] == ["2010-05-31", "2013-06-30"]
    assert aside["BOOK"] == ["2010-05-31", "2013-06-30", "2024-03-29", "2024-03-31"]


@pytest.mark.realdata
def test_workbooks_of_conf_give_the_flows_of_the_tidy_file(real_market, project_root):
    market = load_market(project_root / "conf" / "market-workbooks.yaml")
    assert market.note.endswith("final vintages; funds: IWM")
    assert market.sessions[-1] == pd.Timestamp("2025-02-04")
    ours, theirs = flows(market).values, flows(real_market).values.loc[market.sessions]
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    macro = real_market.macro[real_market.macro["date"] <= market.sessions[-1]]
    for name in ("REAL_YIELD_10Y", "M2", "VIX"):
        found, expected = (frame[frame["series"] == name].reset_index(drop=True) for frame in (market.macro, macro))
        pd.testing.assert_frame_equal(found, expected)
