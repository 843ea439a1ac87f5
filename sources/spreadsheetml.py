"""Workbooks in XML (SpreadsheetML 2003), which issuers serve under the name .xls: a hardened parser of rows."""

import html.entities
import re
from xml.parsers import expat

from features.errors import DataError

Cell = str | float
"""Text, a number, or "" where there is nothing; dates are ISO text."""

MOST_CELLS = 2_000_000
ENCODINGS = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252")
DECLARATION = re.compile(r"^<\?xml[^>]*?(?:encoding=[\"']([\w-]+)[\"'])?[^>]*\?>")
REFERENCE = re.compile(r"&(#\d{1,7};|#x[0-9a-fA-F]{1,6};|[A-Za-z]\w{1,31};)?")
XML_NAMES = ("amp;", "lt;", "gt;", "quot;", "apos;")


def read_spreadsheetml(data: bytes, name: str, most_rows: int, most_columns: int) -> dict[str, list[list[Cell]]]:
    """Read the rows of every sheet.

    Parameters
    ----------
    data : UTF-8, UTF-16 with a byte order mark, or another of `ENCODINGS` that the file declares
    name : of the file, for error texts

    Raises
    ------
    DataError
        For what is no such workbook, for a document type (which could define entities), and beyond the limits.

    Notes
    -----
    Issuers' files are often not well-formed: closing tags of styles without their prefix, HTML entities, bare ampersands.
    Those three are mended; anything else is an error.
    """
    reader = _Reader(name, most_rows, most_columns)
    parser = expat.ParserCreate(namespace_separator="|")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(_mended(_decoded(data, name)), True)
    except expat.ExpatError as error:
        raise DataError(f"{name}: the XML breaks off or is damaged: {error}; download it again") from None
    return reader.sheets


class _Reader:
    """Gather cells as the parser comes by them."""

    def __init__(self, name: str, most_rows: int, most_columns: int) -> None:
        self.name, self.most_rows, self.most_columns = name, most_rows, most_columns
        self.sheets: dict[str, list[list[Cell]]] = {}
        self._rows: list[list[Cell]] | None = None
        self._words: list[str] | None = None
        self._type, self._column, self._cells = "String", 0, 0

    def doctype(self, *_: object) -> None:
        raise DataError(f"{self.name}: the XML declares a document type; rule: none, since it could define entities; do not open it")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        own = {key.rpartition("|")[2]: value for key, value in attributes.items()}
        match tag.rpartition("|")[2]:
            case "Worksheet":
                self._rows = self.sheets.setdefault(own.get("Name", f"sheet {len(self.sheets) + 1}"), [])
            case "Row" if self._rows is not None:
                self._skip_to(self._place("Row", own, len(self._rows) + 1, self.most_rows) - 1)
                self._rows.append([])
                self._column = 0
            case "Cell" if self._rows:
                self._column = self._place("Cell", own, self._column + 1, self.most_columns)
            case "Data" if self._rows and self._column:
                self._type, self._words = own.get("Type", "String"), []

    def text(self, words: str) -> None:
        if self._words is not None:
            self._words.append(words)

    def end(self, tag: str) -> None:
        match tag.rpartition("|")[2]:
            case "Data" if self._words is not None and self._rows:
                row = self._rows[-1]
                self._count(self._column - len(row))
                row.extend([""] * (self._column - len(row)))
                row[self._column - 1] = self._value("".join(self._words))
                self._words = None
            case "Worksheet":
                self._rows = None

    def _value(self, text: str) -> Cell:
        if self._type == "Number":
            try:
                return float(text)
            except ValueError:
                return text
        return text.removesuffix("T00:00:00.000") if self._type == "DateTime" else text

    def _place(self, what: str, own: dict[str, str], following: int, most: int) -> int:
        index = own.get("Index", "")
        place = int(index) if index.isascii() and index.isdigit() and len(index) < 10 else following
        if place > most or place < following:
            raise DataError(f"{self.name}: {what} {place} of a sheet; rule: at most {most}, in order")
        return place

    def _skip_to(self, count: int) -> None:
        rows = self._rows
        if rows is not None:
            rows.extend([] for _ in range(count - len(rows)))

    def _count(self, new: int) -> None:
        self._cells += max(new, 0)
        if self._cells > MOST_CELLS:
            raise DataError(f"{self.name}: more than {MOST_CELLS} cells; rule: at most that")


def _decoded(data: bytes, name: str) -> str:
    declared = re.search(rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding=[\"']([\w-]+)", data[:200])
    encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif encoding not in ENCODINGS:
        raise DataError(f"{name}: the encoding is '{encoding}'; rule: one of {', '.join(ENCODINGS)}, or UTF-16 with a byte order mark")
    try:
        return str(data, encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: byte {error.start} is no {encoding}; save the file as UTF-8, or download it again") from None


def _mended(text: str) -> str:
    text = DECLARATION.sub("", text.replace("\ufeff", "").lstrip(), count=1)
    if "<ss:Style" in text:
        text = text.replace("</Style>", "</ss:Style>")
    return REFERENCE.sub(_reference, text)


def _reference(match: re.Match[str]) -> str:
    name = match[1] or ""
    if name.startswith("#") or name in XML_NAMES:
        return match[0]
    meant = html.entities.html5.get(name) if name else None
    return "".join(f"&#{ord(letter)};" for letter in meant) if meant else f"&amp;{name}"
