"""The SEC's bulk archive of 'companyfacts' documents, read one document at a time."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from features.errors import DataError

MOST_DOCUMENTS = 200_000
LARGEST_BYTES = 32 << 20
"""Of one document; the largest have some 10 MB."""

LARGEST_RATIO = 200
"""Bytes out per byte in; documents have 10 to 40, a bomb hundreds."""

SMALL_BYTES = 1 << 20
"""A document this small harms nobody, however well it was packed."""


def documents(path: Path, name: str) -> Iterator[tuple[str, dict[str, Any] | DataError]]:
    """Give each member CIK*.json, in the order of the names: the JSON object, or what is wrong with it.

    Parameters
    ----------
    path : zip
    name : for error texts

    Raises
    ------
    DataError
        For an archive that is damaged or means harm: by what it says of its sizes, before anything is taken out of it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in _members(archive, name, path.stat().st_size):
                yield member.filename, _document(archive, member, f"{name}: '{member.filename}'")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{name}: the archive is damaged or cut off: {error}; download it again") from None


def _members(archive: zipfile.ZipFile, name: str, size: int) -> list[zipfile.ZipInfo]:
    every = archive.infolist()
    if len(every) > MOST_DOCUMENTS:
        raise DataError(f"{name}: holds {len(every)} members; rule: at most {MOST_DOCUMENTS}")
    if sum(member.compress_size for member in every) > size:
        raise DataError(f"{name}: its members say they have more bytes than the archive; rule: members do not overlap; do not open it")
    found = [member for member in every if PurePosixPath(member.filename).match("CIK*.json")]
    for member in found:
        if member.flag_bits & 1:
            raise DataError(f"{name}: '{member.filename[:80]}' is encrypted; rule: the archive is public")
        if member.file_size > LARGEST_BYTES:
            raise DataError(f"{name}: '{member.filename[:80]}' would have {member.file_size} bytes; rule: at most {LARGEST_BYTES}")
        if member.file_size > SMALL_BYTES and member.file_size > LARGEST_RATIO * member.compress_size:
            ratio = member.file_size // max(member.compress_size, 1)
            raise DataError(f"{name}: '{member.filename[:80]}' inflates to {ratio} times its size; rule: at most {LARGEST_RATIO}")
    if not found:
        raise DataError(f"{name}: no member CIK*.json; rule: the archive holds one 'companyfacts' document a company")
    return sorted(found, key=lambda member: member.filename)


def _document(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: str) -> dict[str, Any] | DataError:
    with archive.open(member) as stream:
        content = stream.read(member.file_size + 1)
    if len(content) != member.file_size:
        return DataError(f"{place}: has other than the {member.file_size} bytes it declares")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        return DataError(f"{place}: this is no JSON: {error}")
    return found if isinstance(found, dict) else DataError(f"{place}: is {type(found).__name__}; rule: it is an object")
