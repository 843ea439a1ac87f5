"""Quarterly data sets of the true form, from the zip and from the folder."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from features.errors import DataError
from sources.sec import read_acceptances, read_statements
from tests.sources.sec.handmade import NUM_NEW, NUM_OLD, SUB, num_row, quarter, sub_row, table, write_zip

A, B = "0000320193-16-000001", "0000320193-16-000002"
NET = "NetIncomeLoss"


@pytest.mark.parametrize("columns", [NUM_OLD, NUM_NEW])
def test_whole_company_facts_in_dollars_are_read(tmp_path: Path, columns: list[str]) -> None:
    num = [
        num_row(A, NET, 20160331, 1, "100.0000", footnote='a "quoted footnote'),
        num_row(A, NET, 20160331, 1, 7, coreg="Subsidiary"),
        num_row(A, "CustomTag", 20160331, 1, 8, version=A),
        num_row(A, NET, 20160331, 1, 9, version=A),
        num_row(A, "Revenues", 20160331, 1, 500),
        num_row(A, "Assets", 20160331, 0, 10),
    ]
    if "segments" in columns:
        num.append(num_row(A, "Revenues", 20160331, 1, 50, segments="BusinessSegments=Phones;"))
    found = read_statements(quarter(tmp_path / "2016q2.zip", [sub_row(A)], num, columns))
    assert found.facts.select("cik", "concept", "start", "end", "value", "accn", "form", "filed", "known_at").rows() == [
        (320193, name, date(2016, 1, 1), date(2016, 3, 31), value, A, "10-Q", date(2016, 5, 2), datetime(2016, 5, 2, 20, 5, tzinfo=UTC))
        for name, value in ((NET, 100.0), ("Revenues", 500.0))
    ]
    assert found.counts() == {}


def test_folder_and_zip_agree_whatever_the_line_ends_and_marks(tmp_path: Path) -> None:
    num = [num_row(A, NET, 20160331, 1, 100)]
    zipped = read_statements(quarter(tmp_path / "a.zip", [sub_row(A)], num))
    for number, change in enumerate((lambda text: text, lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n"))):
        folder = tmp_path / f"folder{number}"
        folder.mkdir()
        (folder / "sub.txt").write_bytes(change(table([sub_row(A)], SUB)).encode())
        (folder / "num.txt").write_bytes(change(table(num, NUM_OLD)).encode())
        assert read_statements(folder).facts.equals(zipped.facts)
    # names in an older encoding harm nothing
    (folder / "sub.txt").write_bytes(table([sub_row(A, name="Société")], SUB).encode("cp1252"))
    assert read_statements(folder).facts.equals(zipped.facts)
    nested = write_zip(tmp_path / "n.zip", {f"2016q2/{name}": (folder / name).read_bytes() for name in ("sub.txt", "num.txt")})
    assert read_statements(nested).facts.equals(zipped.facts)


def test_faults_are_set_aside_and_counted(tmp_path: Path) -> None:
    num = [
        num_row(A, NET, 20160331, 1, 100),
        num_row(A, "ProfitLoss", 20160331, 1, ""),
        num_row(A, NET, 20160331, 0, 1),
        num_row(A, NET, 20160331, "many", 1),
        num_row(A, NET, 20160331, 999_999, 1),
        num_row(A, NET, 20160331, 128, 1),
        num_row(A, NET, 20321031, 1, 1),
        num_row(A, NET, "soon", 1, 1),
        num_row(A, NET, 20150331, 1, 1, uom="EUR"),
        num_row(A, "Revenues", 20160331, 1, 5),
        num_row(A, "Revenues", 20160331, 1, 6),
        num_row("0000000009-16-000001", NET, 20160331, 1, 1),
        num_row(B, NET, 20160331, 1, 1),
    ]
    found = read_statements(quarter(tmp_path / "a.zip", [sub_row(A), sub_row(B, form="20-F")], num))
    assert found.facts["value"].to_list() == [100]
    assert found.counts() == {
        "company is not numbered": 1,  # no submission of that number
        "form is no 10-K or 10-Q": 1,
        "one filing states several values for the period": 2,
        "period end is missing or absurd": 1,
        "period ends after the filing date": 1,
        "period is longer than 400 days": 1,
        "period start is missing: an instant": 3,
        "unit is not USD": 1,
        "value is no number": 1,
    }


@pytest.mark.parametrize(
    ("fye", "ddate", "qtrs", "start"),
    [
        ("1231", 20160331, 1, date(2016, 1, 1)),
        ("1231", 20151231, 4, date(2015, 1, 1)),
        ("0228", 20160229, 4, date(2015, 3, 1)),
        ("0831", 20151231, 1, date(2015, 9, 1)),  # 16 weeks from 1 September end on 21 December
        ("0831", 20160229, 2, date(2015, 9, 1)),  # 28 weeks
        ("0831", 20160531, 3, date(2015, 9, 1)),  # 40 weeks
        ("0831", 20160430, 3, date(2015, 9, 1)),  # 36 weeks
        ("0831", 20160229, 1, date(2015, 12, 1)),  # a second quarter stays where it is
        ("131", 20160430, 1, date(2016, 2, 1)),  # a zero was lost
        ("", 20151231, 1, date(2015, 10, 1)),
    ],
)
def test_periods_start_with_the_fiscal_year(tmp_path: Path, fye: str, ddate: int, qtrs: int, start: date) -> None:
    sub = [sub_row(A, fye=fye, filed="20160815", accepted="2016-08-15 16:05:00.0")]
    found = read_statements(quarter(tmp_path / "a.zip", sub, [num_row(A, NET, ddate, qtrs, 1)]))
    assert found.facts["start"].to_list() == [start]


def test_a_quarter_without_rows_is_empty(tmp_path: Path) -> None:
    # as the first one published is
    found = read_statements(quarter(tmp_path / "2009q1.zip", [], []))
    assert found.facts.is_empty()
    assert found.counts() == {}


def test_a_missing_acceptance_counts_from_the_session_after_the_filing_date(tmp_path: Path) -> None:
    path = quarter(tmp_path / "a.zip", [sub_row(A, accepted="")], [num_row(A, NET, 20160331, 1, 1)])
    assert read_statements(path).facts["known_at"].to_list() == [datetime(2016, 5, 3, 13, tzinfo=UTC)]
    assert read_acceptances(path).rows() == [(A, None)]


def test_a_later_amendment_flag_changes_nothing(tmp_path: Path) -> None:
    num = [num_row(A, NET, 20160331, 1, 1)]
    plain, flagged = (quarter(tmp_path / f"{flag}.zip", [sub_row(A, prevrpt=flag)], num) for flag in (0, 1))
    assert read_statements(plain).facts.equals(read_statements(flagged).facts)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("num.txt", table([], [c for c in NUM_NEW if c != "qtrs"]).encode(), "column 'qtrs' is missing"),
        ("sub.txt", table([], [c for c in SUB if c != "accepted"]).encode(), "column 'accepted' is missing"),
        ("num.txt", b"<!DOCTYPE html>\n<html>\n", "web page"),
        ("num.txt", table([num_row(A, NET, 20160331, 1, 1)], NUM_NEW)[:-1].encode(), "cut short"),
        ("num.txt", b"", "cut short"),
        ("num.txt", table([], NUM_NEW).encode("utf-16"), "not UTF-8"),
        ("num.txt", b"adsh,tag,version,coreg,ddate,qtrs,uom,value\n", "column 'adsh' is missing"),
        ("num.txt", "\t".join([*NUM_NEW, "adsh"]).encode() + b"\n", "there twice"),
        ("num.txt", b"\t" * 1_000_000 + b"\n", "column 'adsh' is missing"),
    ],
)
def test_a_table_of_another_form_is_refused_by_name(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    members = {"sub.txt": table([sub_row(A)], SUB), "num.txt": table([num_row(A, NET, 20160331, 1, 1)], NUM_NEW)} | {name: content}
    with pytest.raises(DataError, match=words) as caught:
        read_statements(write_zip(tmp_path / "a.zip", members))
    assert str(caught.value).startswith(name)
    assert len(str(caught.value)) < 2500
