import gzip

import pytest

from features.errors import DataError
from sources import csv_text
from sources.csv_text import read_csv_text

GOOD = b"date,x\n2024-01-02,1\n\n2024-01-03,2\n"


def refused(tmp_path, data: bytes, words: str, name: str = "a.csv") -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=words):
        read_csv_text(tmp_path / name, name)


@pytest.mark.parametrize(("name", "data"), [("a.csv", GOOD), ("a.csv", b"\xef\xbb\xbf" + GOOD), ("a.csv.gz", gzip.compress(GOOD, mtime=0))])
def test_rows_are_text_at_their_lines(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    rows = read_csv_text(tmp_path / name, name)
    assert rows.to_dict("index") == {2: {"date": "2024-01-02", "x": "1"}, 4: {"date": "2024-01-03", "x": "2"}}


def test_names_with_commas_and_empty_ones_are_names(tmp_path):
    (tmp_path / "a.csv").write_bytes(b'"a, b",c,,\n1,2,,\n')
    assert list(read_csv_text(tmp_path / "a.csv", "a.csv").columns[:2]) == ["a, b", "c"]


def test_each_limit_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_text, "MOST_BYTES", 30)
    refused(tmp_path, GOOD, "a.csv: holds more than 30 bytes of text")
    monkeypatch.setattr(csv_text, "MOST_CELLS", 7)
    monkeypatch.setattr(csv_text, "MOST_BYTES", 300)
    refused(tmp_path, GOOD, "a.csv: more than 7 cells; rule: at most that; split it by years")
    refused(tmp_path, gzip.compress(GOOD, mtime=0), "more than 7 cells", "a.csv.gz")
    monkeypatch.setattr(csv_text, "MOST_COLUMNS", 1)
    refused(tmp_path, GOOD, "a.csv: the first line has more than 1 cells")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04...", "it is zip; unpack it"),
        (gzip.compress(GOOD, mtime=0), "it is gzip; give it the ending .gz"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...", "it is OLE; unpack it, or save the sheet as CSV"),
        (b"<?xml version='1.0'?><Error/>", "this is a web page"),
        (b"date,x\n2024-01-02,1,\n", "line 2 has more cells than the header"),
        (b"date,x\n2024-01-02,1\n2024-01-03,1,7\n", "this is no CSV file: .*line 3"),
        (b'date,x\n"2024-01-02,1\n', "this is no CSV file"),
        (b"date,x,x\n", "column 'x' is there twice; rule: one column of a name"),
        (b'"' + b"a" * 200_000 + b'"\n', "field larger than field limit"),
    ],
)
def test_other_content_is_named(tmp_path, data, words):
    refused(tmp_path, data, words)
