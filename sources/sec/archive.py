"""The tables of a quarterly data set, from its zip or from the folder it was unpacked to."""

import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from features.errors import DataError

LARGEST_BYTES = 4 << 30
"""Of one table unpacked; the largest so far have 0.6 GB."""

LARGEST_RATIO = 200
"""Bytes out per byte in; real tables have 5 to 15, a bomb hundreds."""

SMALL_BYTES = 1 << 20
"""A table this small harms nobody, however well it was packed."""

MOST_MEMBERS = 100
CHUNK = 1 << 20


@contextmanager
def opened(path: Path, tables: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Give the file of each table; what is unpacked for it is deleted afterwards.

    Parameters
    ----------
    path : zip or folder
    tables : file names, e.g. "num.txt"

    Raises
    ------
    DataError
        For a table that is missing, a zip that is damaged, encrypted or leads out of itself, and for sizes, as declared and as
        unpacked, beyond any real table.
    """
    if path.is_dir():
        yield {table: _inside(path, table) for table in tables}
        return
    if not path.is_file():
        raise DataError(f"{path}: does not exist; rule: a quarterly data set is a zip, or a folder with {', '.join(tables)}")
    with tempfile.TemporaryDirectory(prefix="quarter-") as folder:
        yield _unpack(path, tables, Path(folder))


def _inside(folder: Path, table: str) -> Path:
    file = folder / table
    if not file.is_file():
        raise DataError(f"{folder}: '{table}' is missing; rule: the folder holds the tables of one quarter's data set")
    if not file.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{folder}: '{table}' leads out of the folder; rule: tables are files of their folder")
    return file


def _unpack(path: Path, tables: Sequence[str], folder: Path) -> dict[str, Path]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path.name, archive, tables)
            out = {}
            for table, member in members.items():
                out[table] = folder / table  # a name of ours: the archive's is never used as a path
                with archive.open(member) as source, out[table].open("wb") as target:
                    _copy(source, target, member.file_size, f"{path.name}: '{member.filename}'")
            return out
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError) as error:
        raise DataError(f"{path.name}: this zip cannot be read: {error}; download it again") from None


def _members(name: str, archive: zipfile.ZipFile, tables: Sequence[str]) -> dict[str, zipfile.ZipInfo]:
    every = archive.infolist()
    if len(every) > MOST_MEMBERS:
        raise DataError(f"{name}: {len(every)} members; rule: a quarterly data set has a handful, at most {MOST_MEMBERS}")
    for member in every:
        parts = PurePosixPath(member.filename.replace("\\", "/"))
        if ".." in parts.parts or parts.is_absolute() or ":" in member.filename:
            raise DataError(f"{name}: member '{member.filename[:80]}' leads out of the archive; rule: members are files below it")
    found = {}
    for table in tables:
        named = [each for each in every if PurePosixPath(each.filename).name == table]
        if len(named) != 1:
            raise DataError(f"{name}: {len(named)} members are called '{table}'; rule: a quarterly data set has one")
        found[table] = _sized(name, named[0])
    return found


def _sized(name: str, member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    size, packed = member.file_size, max(member.compress_size, 1)
    if member.flag_bits & 1:
        raise DataError(f"{name}: '{member.filename}' is encrypted; rule: the data sets are public")
    if size > LARGEST_BYTES:
        raise DataError(f"{name}: '{member.filename}' says it has {size:,} bytes unpacked; rule: at most {LARGEST_BYTES:,}")
    if size > SMALL_BYTES and size / packed > LARGEST_RATIO:
        raise DataError(f"{name}: '{member.filename}' unpacks to {size / packed:,.0f} times its size; rule: at most {LARGEST_RATIO}")
    return member


def _copy(source: IO[bytes], target: IO[bytes], declared: int, place: str) -> None:
    written = 0
    while chunk := source.read(CHUNK):
        written += len(chunk)
        if written > declared:
            raise DataError(f"{place} has more bytes than the {declared:,} it declares; rule: the declared size is the size")
        target.write(chunk)
    if written != declared:
        raise DataError(f"{place} has {written:,} bytes of the {declared:,} it declares; download the archive again")
