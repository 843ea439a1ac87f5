import io
import resource
import struct
import subprocess
import sys
import time
import zipfile

import openpyxl
import pytest
import xlwt

from features.errors import DataError
from sources import workbook as module
from sources.archive import check_archive
from sources.workbook import read_workbook
from tests.sources.fund_files import as_xls, as_xlsx, as_xml, sheets

NAMESPACE = 'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"'


def book(rows: str, before: str = "") -> bytes:
    sheet = f'<ss:Worksheet ss:Name="S"><ss:Table>{rows}</ss:Table></ss:Worksheet>'
    return f'<?xml version="1.0"?>{before}<ss:Workbook {NAMESPACE}>{sheet}</ss:Workbook>'.encode()


def cell(text: str, index: int = 0, kind: str = "String") -> str:
    place = f' ss:Index="{index}"' if index else ""
    return f'<ss:Cell{place}><ss:Data ss:Type="{kind}">{text}</ss:Data></ss:Cell>'


def row(*cells: str, index: int = 0) -> str:
    place = f' ss:Index="{index}"' if index else ""
    return f"<ss:Row{place}>{''.join(cells)}</ss:Row>"


def read(tmp_path, data: bytes, name: str = "a.xls"):
    path = tmp_path / name
    path.write_bytes(data)
    return read_workbook(path)


def refused(tmp_path, data: bytes, words: str, within: float = 10.0) -> None:
    """Refuse within seconds and without much memory in this process."""
    path = tmp_path / "a.xls"
    path.write_bytes(data)
    del data
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(DataError, match=words):
        read_workbook(path)
    assert time.monotonic() - began < within
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300 << 10  # in kB on Linux


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx", "a.csv", "a"])
@pytest.mark.parametrize("form", [as_xls, as_xlsx, as_xml])
def test_form_is_told_by_bytes_and_not_by_name(tmp_path, form, name):
    rows = read(tmp_path, form({"S": [["a", 1.5], ["", "b"]]}), name).rows("S")
    assert rows == [["a", 1.5], ["", "b"]]


def test_xml_with_gaps_puts_cells_where_they_belong(tmp_path):
    rows = row(cell("a"), cell("d", 4), cell("e")) + row("<ss:Cell/>", cell("2", kind="Number"), index=4)
    assert read(tmp_path, book(rows)).rows("S") == [["a", "", "", "d", "e"], [], [], ["", 2.0]]


def test_xml_that_is_not_well_formed_in_the_issuers_way_is_mended(tmp_path):
    rows = row(cell("S&P &amp; Soci&eacute;t&eacute; &reg; &unknown; &#65; AT&T"))
    styles = "<ss:Styles><ss:Style></Style></ss:Styles>"
    data = b"\xef\xbb\xbf\xef\xbb\xbf" + book(rows).replace(b"<ss:Worksheet", styles.encode() + b"<ss:Worksheet")
    assert read(tmp_path, data).rows("S") == [["S&P & Société ® &unknown; A AT&T"]]


def test_xml_dates_are_iso_text(tmp_path):
    rows = row(cell("2024-01-04T00:00:00.000", kind="DateTime"))
    assert read(tmp_path, book(rows)).rows("S") == [["2024-01-04"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_xml_in_another_encoding_is_read(tmp_path, encoding):
    text = book(row(cell("Société"))).decode()
    data = text.replace('"1.0"?', f'"1.0" encoding="{encoding}"?').encode(encoding)
    assert read(tmp_path, data).rows("S") == [["Société"]]


def test_ticker_that_looks_like_a_truth_value_stays_a_ticker(tmp_path):
    content = openpyxl.Workbook()
    content.active.append([True, "A"])
    out = io.BytesIO()
    content.save(out)
    assert read(tmp_path, out.getvalue()).rows("Sheet") == [["TRUE", "A"]]


def test_wrong_encoding_is_named(tmp_path):
    data = book(row(cell("Société"))).decode().encode("latin-1")
    refused(tmp_path, data, r"a\.xls: byte \d+ is no utf-8; save the file as UTF-8")
    refused(tmp_path, data.replace(b'"1.0"?', b'"1.0" encoding="utf-7"?'), "the encoding is 'utf-7'; rule: one of utf-8")


ENTITIES = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
LAUGHS = f'<!DOCTYPE x [<!ENTITY a "ha">{ENTITIES}]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("document_type", [LAUGHS, OUTSIDE, '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">'])
def test_document_type_is_refused(tmp_path, document_type):
    refused(tmp_path, book("<ss:Row/>", document_type), "declares a document type")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            f"<ss:Row>{cell('x') * 1_000_000}</ss:Row>".replace("<ss:Cell >", "<ss:Cell>")[:20_000_000],
            "Cell 257 of a sheet; rule: at most 256",
        ),
        (row(cell("x", 1_000_000)), "Cell 1000000 of a sheet; rule: at most 256"),
        (row(index=999_999_999), "Row 999999999 of a sheet; rule: at most 100000"),
        ("<ss:Row/>" * 100_001, "Row 100001 of a sheet"),
        (row(cell("x", 256)) * 9000, "more than 2000000 cells"),
        (row(cell("x"), cell("y", 1)), r"Cell 1 of a sheet; rule: .* in order"),
    ],
)
def test_xml_beyond_the_limits_is_refused(tmp_path, rows, words):
    refused(tmp_path, book(rows), words)


# an OLE file ends in its directory and padding, which may be cut without loss
@pytest.mark.parametrize(("form", "share"), [(as_xls, 0.2), (as_xls, 0.6), (as_xlsx, 0.6), (as_xlsx, 0.98), (as_xml, 0.2), (as_xml, 0.98)])
def test_truncated_workbook_is_refused(tmp_path, form, share):
    data = form(sheets())
    refused(tmp_path, data[: int(len(data) * share)], r"a\.xls: ")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the body is empty"),
        (b"<html><title>Please sign in</title></html>", "the body is a web page, 'Please sign in'"),
        (b"\n\n<!DOCTYPE HTML PUBLIC><html>", "a web page"),
        (b"date,nav\n2024-01-02,1\n", "the body is text"),
        (b"%PDF-1.7 \x00", "a binary file"),
        (b"<?xml version='1.0'?><feed/>", "an XML file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 5000, "cannot be read as a workbook"),
        (b"PK\x03\x04" + b"\x00" * 5000, "the archive is damaged or cut off"),
    ],
)
def test_other_files_are_refused_by_what_they_are(tmp_path, data, words):
    refused(tmp_path, data, words)


def zipped(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return out.getvalue()


def test_zip_that_is_no_workbook_is_refused(tmp_path):
    refused(tmp_path, zipped({"a.txt": b"a"}), "cannot be read as a workbook")


def test_zip_bomb_is_refused_by_what_it_says(tmp_path):
    bomb = zipped({f"xl/{i}.xml": b"0" * (64 << 20) for i in range(5)})
    assert len(bomb) < 1 << 20
    refused(tmp_path, bomb, r"would inflate from \d+ to 335544320 bytes; rule: at most 268435456")


def test_zip_bomb_that_lies_is_refused_by_what_comes_out():
    bomb = bytearray(zipped({"a": b"0" * 10_000_000}))
    for magic, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = bomb.index(magic) + at
        assert struct.unpack_from("<I", bomb, place)[0] == 10_000_000
        struct.pack_into("<I", bomb, place, 100)
    with pytest.raises(DataError, match=r"damaged or cut off|inflates beyond"):
        check_archive(bytes(bomb), "a.xlsx", most_bytes=1_000_000)


def test_archive_of_too_many_entries_is_refused():
    with pytest.raises(DataError, match="holds 1001 entries; rule: at most 1000"):
        check_archive(zipped({str(i): b"" for i in range(1001)}), "a.xlsx")


def test_xlsx_with_one_cell_in_the_last_corner_is_refused(tmp_path):
    content = openpyxl.Workbook()
    content.active["A1"] = "a"
    content.active["XFD1048576"] = "z"
    out = io.BytesIO()
    content.save(out)
    refused(tmp_path, out.getvalue(), "cannot be read as a workbook: ")


def test_xlsx_with_many_columns_is_refused(tmp_path):
    content = openpyxl.Workbook()
    content.active.append([1] * 16_000)
    out = io.BytesIO()
    content.save(out)
    refused(tmp_path, out.getvalue(), "sheet 'Sheet' has 1 rows and 16000 columns; rule: at most 100000 and 256")


def test_xls_with_far_corners_in_many_sheets_is_refused_or_read_in_its_memory(tmp_path):
    content = xlwt.Workbook()
    for i in range(40):
        sheet = content.add_sheet(str(i))
        sheet.write(0, 0, "a")
        sheet.write(65_535, 255, "z")
    out = io.BytesIO()
    content.save(out)
    refused(tmp_path, out.getvalue(), r"reading it takes more than 1024 MB or 20 s", within=40)


def test_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "a.xls"
    with path.open("wb") as file:
        file.truncate(module.MOST_BYTES + 1)
    with pytest.raises(DataError, match=r"a\.xls: has 33554433 bytes; rule: a workbook has at most 33554432"):
        read_workbook(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_workbook(tmp_path / "none.xls")


def test_child_runs_alone(tmp_path):
    """It must not need the project on its path: it is started isolated."""
    command = [sys.executable, "-I", str(module.CHILD), str(1 << 30), "20", "10", "10"]
    done = subprocess.run(command, input=as_xls({"S": [["a"]]}), capture_output=True, cwd=tmp_path, check=True)
    assert done.stdout == b'{"sheets": {"S": [["a"]]}}'
