"""Archives that mean harm, or were damaged on the way."""

import struct
import tracemalloc
from pathlib import Path

import pytest

from features.errors import DataError
from sources.sec.archive import opened
from tests.sources.sec.handmade import write_zip

TABLES = ("sub.txt", "num.txt")
GOOD = {"sub.txt": "adsh\n", "num.txt": "adsh\n"}


def take(path: Path) -> dict[str, bytes]:
    with opened(path, TABLES) as tables:
        return {name: file.read_bytes() for name, file in tables.items()}


def test_tables_are_unpacked_and_deleted(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", GOOD | {"readme.htm": "x"})
    with opened(path, TABLES) as tables:
        files = list(tables.values())
        assert [file.read_text() for file in files] == ["adsh\n", "adsh\n"]
    assert not any(file.exists() for file in files)


@pytest.mark.parametrize("name", ["../num.txt", "a/../../num.txt", "/etc/num.txt", "..\\num.txt", "C:\\num.txt"])
def test_a_zip_that_climbs_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="leads out of the archive"):
        take(write_zip(tmp_path / "a.zip", GOOD | {name: "adsh\n"}))
    assert not list(tmp_path.rglob("num.txt"))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", GOOD | {"num.txt": bytes(64 << 20)})
    tracemalloc.start()
    with pytest.raises(DataError, match="times its size"):
        take(path)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def _declare(path: Path, name: str, size: int) -> Path:
    """Write another unpacked size into the directory and the header of a member."""
    content = bytearray(path.read_bytes())
    for signature, at, named in ((b"PK\x01\x02", 24, 46), (b"PK\x03\x04", 22, 30)):
        found = content.find(signature)
        while found >= 0:
            if content[found + named :].startswith(name.encode()):
                struct.pack_into("<I", content, found + at, size)
            found = content.find(signature, found + 4)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_a_size_that_is_not_the_declared_one_is_refused(tmp_path: Path, size: int) -> None:
    path = _declare(write_zip(tmp_path / "a.zip", GOOD | {"num.txt": "adsh\ttag\n" * 1000}), "num.txt", size)
    with pytest.raises(DataError, match=r"cannot be read|declares"):
        take(path)


def test_a_declared_size_beyond_any_table_is_refused(tmp_path: Path) -> None:
    path = _declare(write_zip(tmp_path / "a.zip", GOOD), "num.txt", 0xFFFFFFFE)
    with pytest.raises(DataError, match=r"unpacks to|unpacked"):
        take(path)


def test_damaged_and_incomplete_archives_are_refused(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "a.zip", GOOD | {"num.txt": "adsh\ttag\n" * 1000})
    content = whole.read_bytes()
    inside = content.find(b"num.txt") + 20
    changed = content[:inside] + b"\0\0\0\0" + content[inside + 4 :]
    for number, damaged in enumerate((content[: len(content) // 2], b"<html>", b"", changed)):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="cannot be read"):
            take(path)
    with pytest.raises(DataError, match=r"0 members are called 'num.txt'"):
        take(write_zip(tmp_path / "m.zip", {"sub.txt": "adsh\n"}))
    with pytest.raises(DataError, match=r"2 members are called 'num.txt'"):
        take(write_zip(tmp_path / "t.zip", GOOD | {"more/num.txt": "adsh\n"}))
    with pytest.raises(DataError, match="members; rule"):
        take(write_zip(tmp_path / "n.zip", GOOD | {f"{n}.txt": "" for n in range(200)}))
    with pytest.raises(DataError, match="does not exist"):
        take(tmp_path / "absent.zip")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", GOOD)
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    struct.pack_into("<H", content, at + 8, 1)
    path.write_bytes(content)
    with pytest.raises(DataError, match="encrypted"):
        take(path)


def test_a_folder_gives_its_own_files_only(tmp_path: Path) -> None:
    folder, outside = tmp_path / "q", tmp_path / "num.txt"
    folder.mkdir()
    outside.write_text("adsh\n")
    (folder / "sub.txt").write_text("adsh\n")
    with pytest.raises(DataError, match=r"'num.txt' is missing"):
        take(folder)
    (folder / "num.txt").symlink_to(outside)
    with pytest.raises(DataError, match="leads out of the folder"):
        take(folder)
