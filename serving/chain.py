"""Lines of JSON that each carry a hash of everything before them: text in, records out."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

HASH = ', "hash": "'
"""What stands between a line's record and its hash."""

Record = dict[str, Any]


@dataclass(frozen=True)
class End:
    """Where a chain ends.

    Attributes
    ----------
    lines, n_bytes : its length
    sha256 : hash of its last line; empty for an empty chain
    """

    lines: int = 0
    n_bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Broken:
    """The first line that is not as it was written.

    Attributes
    ----------
    file : its name
    line : its number, from 1; 0 where the file as a whole is meant
    what : what is wrong with it, in words
    """

    file: str
    line: int
    what: str

    def words(self) -> str:
        """Say it in one clause."""
        return f"line {self.line} of '{self.file}' {self.what}" if self.line else f"'{self.file}' {self.what}"


def append(records: Iterable[Mapping[str, Any]], end: End) -> tuple[bytes, End]:
    """Give the lines that continue a chain, and its new end.

    Parameters
    ----------
    records : JSON-able, without NaN
    end : of the chain before them
    """
    lines, number, before = [], end.lines, end.sha256
    for record in records:
        number += 1
        body = json.dumps({"line": number, **record}, allow_nan=False)
        before = _sha256(before, body)
        lines.append(f'{body[:-1]}{HASH}{before}"}}\n')
    text = "".join(lines).encode()
    return text, End(number, end.n_bytes + len(text), before)


def read(text: bytes, end: End, file: str) -> tuple[list[str], Broken | None]:
    """Read a chain and check every line of it; what is in the lines is not looked at, which takes most of the time.

    Parameters
    ----------
    text : the first `end.n_bytes` bytes of the file, or what there is of them
    end : where the chain was left
    file : name to call it by

    Returns
    -------
    JSON of the records up to the first broken line, without their hashes, and that line; None where all is as written
    """
    records: list[str] = []
    before = ""
    for number, line in enumerate(text.decode(errors="replace").splitlines(keepends=True), start=1):
        body, _, told = line.rpartition(HASH)
        body += "}"
        if told != f'{_sha256(before, body)}"}}\n':
            return records, Broken(file, number, "was altered, or does not follow from the line before it")
        before = told[:64]
        records.append(body)
    if (len(records), len(text), before) != (end.lines, end.n_bytes, end.sha256):
        return records, Broken(file, len(records) + 1, f"is missing: {end.lines} lines were written")
    return records, None


def _sha256(before: str, body: str) -> str:
    return hashlib.sha256(f"{before}{body}".encode()).hexdigest()
