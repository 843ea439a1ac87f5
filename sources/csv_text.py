"""Rows of a CSV file as text, once the file is seen to be one and to fit into memory."""

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pandas as pd

from features.errors import DataError
from sources.content import BYTE_ORDER_MARKS, HEAD, found

MOST_BYTES = 512 << 20
"""Of text, inflated."""

MOST_COLUMNS = 20_000
"""A panel of all securities that ever were listed in a country has about so many."""

MOST_CELLS = 64_000_000
"""Lines times columns: 6,500 sessions of 7,500 securities have 49 million."""

STEP = 1 << 20
"""Bytes read at a time; the first line has fewer."""


def read_csv_text(file: Path, name: str) -> pd.DataFrame:
    """Read a CSV file, plain or gzipped (`.gz`), in UTF-8.

    Parameters
    ----------
    file : path
    name : for error texts

    Returns
    -------
    DataFrame of str; its index is the line in the file, the header being line 1; empty rows are left out

    Raises
    ------
    DataError
        For another format or encoding, and beyond `MOST_BYTES`, `MOST_COLUMNS` or `MOST_CELLS`: found by reading the file once, a megabyte
        at a time, before anything is kept of it.
    """
    try:
        with _text_of(file) as stream:
            _weigh(stream, name)
        rows = pd.read_csv(file, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataError(f"{name}: this is no CSV file in UTF-8: byte 0x{byte:02x} is none of it; save it as 'CSV UTF-8'") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: this is no CSV file: {' '.join(str(error).split()) or type(error).__name__}") from None
    if not isinstance(rows.index, pd.RangeIndex):
        raise DataError(f"{name}: rows have more cells than the header has names; rule: one name a column")
    rows.index = pd.RangeIndex(2, len(rows) + 2)
    rows.columns = rows.columns.str.strip()
    return rows[(rows != "").any(axis=1).to_numpy()]


@contextmanager
def _text_of(file: Path) -> Iterator[IO[bytes]]:
    if file.suffix == ".gz":
        with gzip.open(file) as inflated:
            yield inflated  # type: ignore[misc]  # it reads bytes as a file does
    else:
        with file.open("rb") as plain:
            yield plain


def _weigh(stream: IO[bytes], name: str) -> None:
    piece = stream.read(STEP)
    _refuse_others(piece[:HEAD], name)
    columns = _columns(piece, name)
    n_bytes = lines = 0
    while piece:
        if b"\0" in piece:
            place = n_bytes + piece.index(b"\0")
            raise DataError(f"{name}: this is no CSV file: byte {place} is NUL; rule: text in UTF-8; save it anew, or download it again")
        n_bytes += len(piece)
        lines += piece.count(b"\n")
        if n_bytes > MOST_BYTES:
            raise DataError(f"{name}: holds more than {MOST_BYTES} bytes of text; rule: at most that; split it by years")
        if lines * columns > MOST_CELLS:
            raise DataError(f"{name}: more than {MOST_CELLS} cells; rule: at most that; split it by years, or keep it as Parquet")
        piece = stream.read(STEP)


def _columns(start: bytes, name: str) -> int:
    """Count the names in the first line."""
    line, end, rest = start.partition(b"\n")
    second = rest.partition(b"\n")[0]  # a longer one would make the reader take the first cells for names of rows
    if line.count(b",") >= MOST_COLUMNS or (not end and len(start) == STEP):
        raise DataError(f"{name}: the first line has more than {MOST_COLUMNS} cells or no end; rule: at most that many columns")
    try:
        names = [each.strip() for each in next(csv.reader([line.decode("utf-8-sig")]), [])]
        cells = len(next(csv.reader([second.decode("utf-8", errors="replace")]), []))
    except csv.Error as error:
        raise DataError(f"{name}: this is no CSV file: {error} in the first two lines") from None
    counts = Counter(names)
    twice = [each for each in names if each and counts[each] > 1]
    if twice:
        raise DataError(f"{name}: column '{twice[0]}' is there twice; rule: one column of a name")
    if cells > len(names):
        raise DataError(f"{name}: line 2 has more cells than the header has names; rule: one name a column")
    return max(len(names), 1)


def _refuse_others(head: bytes, name: str) -> None:
    if head.startswith(BYTE_ORDER_MARKS[1:]):
        raise DataError(f"{name}: this is no CSV file in UTF-8: it begins as UTF-16 does; save it as 'CSV UTF-8'")
    kind = found(head)
    if kind == "web page" or head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise DataError(f"{name}: this is a web page, not a table; download the file again, most likely the vendor asked for a login")
    if kind in ("OLE", "zip", "gzip"):
        way_out = "give it the ending .gz" if kind == "gzip" else "unpack it, or save the sheet as CSV"
        raise DataError(f"{name}: this is no CSV file: it is {kind}; {way_out}")
