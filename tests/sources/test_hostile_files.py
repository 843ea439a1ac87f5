"""Files that mean harm or were damaged, named in a market file: a clear error, in seconds and bounded memory."""

import gzip
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.sources.fund_files import as_xls, as_xlsx, as_xml, sheets
from tests.sources.market_case import FILES, Case
from tests.sources.sec.handmade import SUB_HEADER, document, entry, write_zip

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20
"""A generous limit for one file; none takes more than a few."""

CIK = "CIK0000000001.json"
GOOD_FACTS = json.dumps(document(1, NetIncomeLoss=[entry("2023-01-01", "2023-03-31", 5, "2023-05-02")]))
GOOD_FRED = "observation_date,WALCL\n2024-01-03,7700000\n"
GOOD_SEC = FILES["sec.csv"]
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>please</body></html>"
NESTED = "[" * 10_000 + "]" * 10_000
ZEROS = bytes(1 << 20)

Spoil = Callable[[Case], object]


# --- what a section names, and a file for it ---


def price(content: bytes, name: str = "bad.csv") -> Spoil:
    def spoil(case: Case) -> None:
        case.write(name, content)
        case.spec["prices"]["R2000"]["path"] = name

    return spoil


def panel(content: bytes, name: str = "bad.parquet") -> Spoil:
    def spoil(case: Case) -> None:
        case.write(name, content)
        case.spec["panel"]["path"] = name

    return spoil


def book(content: bytes) -> Spoil:
    def spoil(case: Case) -> None:
        case.write("bad.xls", content)
        case.spec["funds"]["IWM"] = {"workbook": "bad.xls", "known_at": "next_session_morning"}

    return spoil


def lists(content: bytes) -> Spoil:
    def spoil(case: Case) -> None:
        case.write("bad.xls", content)
        case.spec["members"] = {"workbooks": "bad*.xls", "fund": "IWM", "known_at": "next_morning"}

    return spoil


def company(content: str | bytes) -> Spoil:
    def spoil(case: Case) -> None:
        (case.folder / "data" / "facts").mkdir()
        for name in (CIK, "CIK0000000002.json"):  # one that cannot be read would be set aside
            case.write(f"facts/{name}", content)
        case.spec["filings"] = {"companyfacts": "facts"}

    return spoil


def companies(content: bytes) -> Spoil:
    def spoil(case: Case) -> None:
        case.write("bad.zip", content)
        case.spec["filings"] = {"companyfacts": "bad.zip"}

    return spoil


def quarters(content: bytes) -> Spoil:
    def spoil(case: Case) -> None:
        case.write("bad.zip", content)
        case.spec["filings"] = {"statements": ["bad.zip"]}

    return spoil


def tickers(content: str | bytes) -> Spoil:
    def spoil(case: Case) -> None:
        company(GOOD_FACTS)(case)
        case.write("bad.json", content)
        case.spec["filings"]["tickers"] = "bad.json"

    return spoil


def fred(content: str | bytes) -> Spoil:
    def spoil(case: Case) -> None:
        case.write("bad.csv", content)
        case.spec["macro"] = {"WALCL": {"fred": "bad.csv", "id": "WALCL"}}

    return spoil


def tidy(name: str, old: str, new: str) -> Spoil:
    return lambda case: case.replace(name, old, new)


# --- paths that lead out ---


def named(section: str, value: object) -> Spoil:
    """Let a section name something; everything that is outside exists."""

    def spoil(case: Case) -> None:
        (case.folder / "out").mkdir()
        for name, content in (("a.xls", as_xml(sheets())), (CIK, GOOD_FACTS.encode()), ("fred.csv", GOOD_FRED.encode()), ("t.json", b"{}")):
            (case.folder / "out" / name).write_bytes(content)
        (case.folder / "data" / "link").symlink_to(case.folder / "out")
        (case.folder / "data" / "facts").mkdir()
        (case.folder / "data" / "facts" / CIK).symlink_to(case.folder / "out" / CIK)
        (case.folder / "data" / "good").mkdir()
        case.write(f"good/{CIK}", GOOD_FACTS)
        if section == "funds":
            case.spec["funds"] = {"IWM": value}
        elif section == "macro":
            case.spec["macro"] = {"WALCL": value}
        else:
            case.spec[section] = value

    return spoil


def fund_at(path: str) -> Spoil:
    return named("funds", {"workbook": path, "known_at": "next_session_morning"})


def lists_at(paths: object) -> Spoil:
    return named("members", {"workbooks": paths, "fund": "IWM", "known_at": "next_morning"})


# --- contents ---


def zipped(members: dict[str, str | bytes]) -> bytes:
    out = BytesIO()
    write_zip(out, members)  # type: ignore[arg-type]
    return out.getvalue()


def declared(archive: bytes, size: int) -> bytes:
    """Let an archive of one member say another unpacked size of it."""
    content = bytearray(archive)
    for signature, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        struct.pack_into("<I", content, content.find(signature) + at, size)
    return bytes(content)


def parquet_bytes(rows: int, times: int = 1) -> bytes:
    out = BytesIO()
    days = np.datetime64("2024-01-02", "us") + np.arange(rows) * np.timedelta64(0 if times > 1 else 1, "D")
    table = pa.table({"date": days, "AAA": np.ones(rows)})
    with parquet.ParquetWriter(out, table.schema, compression="zstd") as writer:
        for _ in range(times):
            writer.write_table(table)
    return out.getvalue()


def workbook_of(day: str) -> bytes:
    content = sheets()
    content["Historical"][2][0] = day
    return as_xml(content)


LINES = b"2024-01-02,1\n" * 400_000
MILLION = 1_000_000
UTF16 = FILES["rut.csv"].encode("utf-16")
XLS, XLSX, XML, PARQUET = as_xls(sheets()), as_xlsx(sheets()), as_xml(sheets()), parquet_bytes(500)
ARCHIVE = zipped({CIK: GOOD_FACTS})
DATA_SET = zipped({"sub.txt": SUB_HEADER.replace(" ", "\t") + "\n", "num.txt": "adsh\n" * 1000})
WIDE_ROW = "<ss:Row>" + "<ss:Cell><ss:Data>x</ss:Data></ss:Cell>" * 50_000 + "</ss:Row>"
WIDE_XML = XML.replace(b"<ss:Table>", b"<ss:Table>" + WIDE_ROW.encode() * 10, 1)

OUT = "leaves the root"
CASES: dict[str, tuple[Spoil, str]] = {
    "price above the root": (lambda case: case.spec["prices"]["R2000"].update(path="../out/x.csv"), OUT),
    "panel above the root": (lambda case: case.spec["panel"].update(path="../out/x.parquet"), OUT),
    "workbook above the root": (fund_at("../out/a.xls"), OUT),
    "workbook by an absolute path": (fund_at("/etc/hostname"), OUT),
    "workbook with a NUL in its name": (fund_at("a\0b.xls"), OUT),
    "lists above the root": (lists_at(["../out/a.xls"]), OUT),
    "pattern above the root": (lists_at("../out/*.xls"), OUT),
    "pattern from the root of the disk": (lists_at("/etc/*"), OUT),
    "companies above the root": (named("filings", {"companyfacts": "../out"}), OUT),
    "archive of companies above the root": (named("filings", {"companyfacts": "../out/all.zip"}), OUT),
    "data set above the root": (named("filings", {"statements": ["../out/q.zip"]}), OUT),
    "times of acceptance above the root": (named("filings", {"companyfacts": "good", "acceptances": "../out/q.zip"}), OUT),
    "tickers above the root": (named("filings", {"companyfacts": "good", "tickers": "../out/t.json"}), OUT),
    "fred above the root": (named("macro", {"fred": "..\\out\\fred.csv", "id": "WALCL"}), OUT),
    "linked workbook": (fund_at("link/a.xls"), OUT),
    "pattern through a link": (lists_at("link/*.xls"), OUT),
    "linked folder of companies": (named("filings", {"companyfacts": "link"}), OUT),
    "linked company in a folder": (named("filings", {"companyfacts": "facts"}), OUT),
    "linked data set": (named("filings", {"statements": ["link"]}), OUT),
    "linked tickers": (named("filings", {"companyfacts": "good", "tickers": "link/t.json"}), OUT),
    "linked fred": (named("macro", {"fred": "link/fred.csv", "id": "WALCL"}), OUT),
    "cut xls": (book(XLS[: len(XLS) // 2]), "bad.xls: cannot be read as a workbook"),
    "cut xlsx": (book(XLSX[: len(XLSX) // 2]), "bad.xls: the archive is damaged or cut off"),
    "cut xml": (book(XML[:-100]), "bad.xls: the XML breaks off"),
    "cut list": (lists(XLSX[:-30]), "bad.xls: the archive is damaged or cut off"),
    "cut parquet": (panel(PARQUET[: len(PARQUET) // 2]), "bad.parquet: this is no Parquet file"),
    "cut gzip": (price(gzip.compress(LINES)[:2000], "bad.csv.gz"), "bad.csv.gz: this is no CSV file"),
    "cut company": (company(GOOD_FACTS[:-9]), "cannot be read; rule: at most 1%"),
    "cut archive": (companies(ARCHIVE[:-30]), "bad.zip: the archive is damaged or cut off"),
    "cut data set": (quarters(DATA_SET[:-30]), "bad.zip: this zip cannot be read"),
    "cut tickers": (tickers('{"0": {"cik_'), "bad.json: this is no JSON"),
    "cut fred": (fred(GOOD_FRED[:-1]), "the last line has no end"),
    "page for csv": (price(PAGE), "bad.csv: this is a web page"),
    "page for xls": (book(PAGE), "bad.xls: a workbook was wanted and the body is a web page, 'Sign in'"),
    "page for parquet": (panel(PAGE), "bad.parquet: this is no Parquet file"),
    "page for a company": (company(PAGE), "this is a web page"),
    "page for an archive": (companies(PAGE), "bad.zip: the archive is damaged"),
    "page for a data set": (quarters(PAGE), "bad.zip: this zip cannot be read"),
    "page for tickers": (tickers(PAGE), "bad.json: this is a web page"),
    "page for fred": (fred(PAGE), "a csv was wanted and the body is a web page"),
    "utf-16 csv": (price(UTF16), "bad.csv: this is no CSV file in UTF-8: it begins as UTF-16 does"),
    "utf-16 csv without a mark": (price(UTF16[2:]), "bad.csv: this is no CSV file: byte 1 is NUL"),
    "latin-1 csv": (price(FILES["rut.csv"].replace("2000", "2000£").encode("latin-1")), "bad.csv: this is no CSV file in UTF-8: byte 0xa3"),
    "utf-16 fred": (fred(GOOD_FRED.encode("utf-16")), "FRED WALCL: byte 0 is no UTF-8"),
    "latin-1 fred": (fred(GOOD_FRED.replace("7700000", "£").encode("latin-1")), "is no UTF-8"),
    "latin-1 tickers": (tickers('{"0": "é"}'.encode("latin-1")), "bad.json: this is no JSON"),
    "million columns": (
        price(b"Date" + b",x" * MILLION + b"\n2024-01-02" + b",1" * MILLION),
        "bad.csv: the first line has more than 20000",
    ),
    "million columns of a panel": (panel(b"date" + b",x" * MILLION, "bad.csv"), "bad.csv: the first line has more than 20000"),
    "million columns of fred": (fred(b"observation_date" + b",WALCL" * MILLION + b"\n"), "more than 64 columns"),
    "million columns of a workbook": (book(WIDE_XML), "bad.xls: Cell 257 of a sheet"),
    "line without end": (price(b"a" * (8 << 20)), "bad.csv: the first line has more than 20000 cells or no end"),
    "million cells in a row": (price(b"Date,x\n2024-01-02" + b",1" * MILLION), "bad.csv: line 2 has more cells than the header"),
    "column that is there twice": (price(b"Date,^RUT,^RUT\n2024-01-02,1,2\n"), "bad.csv: column '^RUT' is there twice"),
    "bomb in gzip": (price(gzip.compress(b"Date,^RUT\n") + gzip.compress(LINES, 1) * 150, "bad.csv.gz"), "bad.csv.gz: "),
    "bomb in xlsx": (book(declared(zipped({"xl/workbook.xml": ZEROS}), 300 << 20)), "bad.xls: would inflate"),
    "bomb in a list": (lists(declared(zipped({"xl/workbook.xml": ZEROS}), 0xFFFFFFF0)), "bad.xls: would inflate"),
    "bomb in an archive": (companies(zipped({CIK: ZEROS * 16})), f"'{CIK}' inflates to"),
    "bomb that says it is large": (companies(declared(zipped({CIK: ZEROS * 8}), 0xFFFFFFF0)), f"'{CIK}' would have 4294967280 bytes"),
    "bomb that says it is small": (companies(declared(zipped({CIK: ZEROS * 24}), 1000)), "bad.zip: the archive is damaged"),
    "bomb in a data set": (quarters(zipped({"sub.txt": "adsh\n", "num.txt": ZEROS * 24})), "times its size"),
    "bomb in parquet": (panel(parquet_bytes(1_000_000, 10)), "bad.parquet: 10000000 rows of 2 columns"),
    "bomb of lists": (company("[" + "[]," * 2_000_000 + "[]]"), "'document' is list"),
    "company of absurd size": (company(b" " * (33 << 20)), "has 34603008 bytes"),
    "price in 2100": (tidy("rut.csv", "2024-01-12", "2100-01-12"), "rut.csv: line 10, column 'Date': '2100-01-12' breaks the rule"),
    "price in 1900": (tidy("rut.csv", "2024-01-12", "1900-01-12"), "rut.csv: line 10, column 'Date': '1900-01-12' breaks the rule"),
    "coin in 2100": (tidy("btc.csv", "2024-01-12", "2100-01-12"), "btc.csv: line 10, column 'date': '2100-01-12'"),
    "fund in 1900": (tidy("fund.csv", "2024-01-12", "1900-01-12"), "fund.csv: line 10, column 'date': '1900-01-12'"),
    "macro in 2100": (tidy("walcl.csv", "2024-01-03", "2100-01-03"), "walcl.csv: line 2, column 'Date': '2100-01-03'"),
    "snapshot in 1900": (tidy("members.csv", "2024-01-02,AAA", "1900-01-02,AAA"), "members.csv: line 2, column 'snapshot': '1900-01-02'"),
    "snapshot in 2100": (tidy("members.csv", "2024-01-02,AAA", "2100-01-02,AAA"), "members.csv: line 2, column 'snapshot': '2100-01-02'"),
    "filing of 1900": (tidy("sec.csv", "2022-12-31", "1900-12-31"), "sec.csv: line 4, column 'end': '1900-12-31'"),
    "filing of 2100": (tidy("sec.csv", "2023-03-01", "2100-03-01"), "sec.csv: line 4, column 'filed': '2100-03-01'"),
    "workbook in 2100": (book(workbook_of("Jan 01, 2100")), "sheet 'Historical': line 3, column 'As Of': 'Jan 01, 2100'"),
    "workbook in 1900": (book(workbook_of("Jan 01, 1900")), "sheet 'Historical': line 3, column 'As Of': 'Jan 01, 1900'"),
    "fred in 2100": (fred(GOOD_FRED.replace("2024", "2100")), "'2100-01-03' breaks the rule"),
    "fred in 1900": (fred(GOOD_FRED.replace("2024", "1900")), "'1900-01-03' breaks the rule"),
    "company in 2100": (company(GOOD_FACTS.replace("2023", "2100")), "facts: no 10-K or 10-Q by 2024-01-12 states"),
    "company in 1900": (company(GOOD_FACTS.replace("2023", "1900")), "facts: no 10-K or 10-Q by 2024-01-12 states"),
    "nested company": (company(NESTED), "this is no JSON"),
    "nested facts": (company('{"cik": 1, "facts": ' + NESTED + "}"), "this is no JSON"),
    "nested company in an archive": (companies(zipped({CIK: NESTED, "CIK0000000002.json": NESTED})), "this is no JSON"),
    "nested tickers": (tickers(NESTED), "bad.json: this is no JSON"),
    "empty csv": (price(b""), "bad.csv: this is no CSV file"),
    "empty gzip": (price(b"", "bad.csv.gz"), "bad.csv.gz: this is no CSV file"),
    "empty workbook": (book(b""), "bad.xls: a workbook was wanted and the body is empty"),
    "empty parquet": (panel(b""), "bad.parquet: this is no Parquet file"),
    "empty company": (company(b""), "this is no JSON"),
    "empty archive": (companies(b""), "bad.zip: the archive is damaged"),
    "archive without companies": (companies(zipped({"readme.txt": "x"})), "bad.zip: no member CIK*.json"),
    "empty data set": (quarters(b""), "bad.zip: this zip cannot be read"),
    "empty tickers": (tickers(b""), "bad.json: this is no JSON"),
    "empty fred": (fred(b""), "a csv was wanted and the body is empty"),
    "NUL in csv": (price(FILES["rut.csv"].encode().replace(b"2004", b"20\x0004")), "bad.csv: this is no CSV file: byte 87 is NUL"),
    "NUL after csv": (price(FILES["rut.csv"].encode() + ZEROS), "bad.csv: this is no CSV file: byte 154 is NUL"),
    "NUL for a workbook": (book(ZEROS), "bad.xls: a workbook was wanted and the body is a binary"),
    "NUL for a company": (company(ZEROS), "this is no JSON"),
    "NUL in fred": (fred(GOOD_FRED.replace("7700000", "77\0")), "the body is a binary file"),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """Spoil a market for each case, and load them all in one process of limited memory."""
    good = Case(tmp_path_factory.mktemp("good"))
    panel(parquet_bytes(3), "good.parquet")(good)
    company(GOOD_FACTS)(good)
    files = {}
    for number, (name, (spoil, _)) in enumerate(CASES.items()):
        case = Case(tmp_path_factory.mktemp(f"case{number}-"))
        spoil(case)
        files[name] = str(case.market_file())
    command = [sys.executable, str(Path(__file__).with_name("hostile_loader.py")), str(good.market_file())]
    # a thread reserves memory that it does not use
    environment = os.environ | {"PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    done = subprocess.run(
        command, input=json.dumps(files).encode(), capture_output=True, env=environment, check=False, timeout=SECONDS * len(CASES)
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found: dict[str, list] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", CASES)
def test_hostile_file_is_refused_in_words_seconds_and_bounded_memory(answers, name):
    kind, text, seconds = answers[name]
    assert kind == "DataError", f"{kind}: {text}"
    assert CASES[name][1] in text
    assert len(text) < 1000
    assert seconds < SECONDS


def test_market_of_the_cases_is_good_as_it_is(tmp_path):
    assert len(Case(tmp_path).load().sessions) == 9


def test_few_absurd_dates_are_set_aside(tmp_path):
    case = Case(tmp_path)
    days = pd.bdate_range("2023-06-01", "2024-01-12")
    rows = "".join(f"{day:%Y-%m-%d},2000\n" for day in days)
    case.write("rut.csv", f"Date,^RUT\n{rows}2100-01-04,2000\n1900-01-01,1\n")
    case.refused("rut.csv", "2100-01-04", "2 rows do")
    case.write("rut.csv", f"Date,^RUT\n{rows}2100-01-04,2000\n")
    market = case.load()
    assert market.sessions[-1] == pd.Timestamp("2024-01-12")
    assert market.quarantine[["frame", "series", "rule"]].to_numpy().tolist() == [["prices", "R2000", "date is absurd"]]
    # or the market file says what to read
    case.write("rut.csv", f"Date,^RUT\n{rows}" + "2100-01-04,2000\n2100-01-05,2000\n2100-01-06,2000\n")
    case.spec["prices"]["R2000"]["end"] = "2024-01-12"
    assert case.load().quarantine.empty
