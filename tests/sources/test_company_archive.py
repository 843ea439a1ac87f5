import struct
from pathlib import Path

import pytest

from features.errors import DataError
from sources.company_archive import documents
from tests.sources.sec.handmade import write_zip


def changed(path: Path, at: int, kind: str, value: int) -> Path:
    """Write another number into the directory entry of the last member."""
    content = bytearray(path.read_bytes())
    struct.pack_into(kind, content, content.rfind(b"PK\x01\x02") + at, value)
    path.write_bytes(content)
    return path


def test_documents_come_in_the_order_of_their_names(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"CIK2.json": '{"b": 1}', "readme.txt": "x", "facts/CIK1.json": "[]", "CIK3.json": "{"})
    (second, two), (third, three), (first, one) = documents(path, "a.zip")
    assert (second, two) == ("CIK2.json", {"b": 1})
    assert (third, str(three)[:35]) == ("CIK3.json", "a.zip: 'CIK3.json': this is no JSON")
    assert (first, str(one)) == ("facts/CIK1.json", "a.zip: 'facts/CIK1.json': is list; rule: it is an object")


def test_members_that_overlap_are_refused(tmp_path):
    path = changed(write_zip(tmp_path / "a.zip", {"CIK1.json": "{}", "CIK2.json": "{}"}), 20, "<I", 1 << 20)
    with pytest.raises(DataError, match=r"a\.zip: its members say they have more bytes than the archive"):
        list(documents(path, "a.zip"))


def test_encrypted_member_is_refused(tmp_path):
    path = changed(write_zip(tmp_path / "a.zip", {"CIK1.json": "{}"}), 8, "<H", 1)
    with pytest.raises(DataError, match=r"a\.zip: 'CIK1\.json' is encrypted"):
        list(documents(path, "a.zip"))


def test_member_that_was_altered_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"CIK1.json": '{"a": 1}'})
    path = changed(path, 16, "<I", 12345)  # its check sum
    with pytest.raises(DataError, match=r"a\.zip: the archive is damaged or cut off: Bad CRC-32"):
        list(documents(path, "a.zip"))
