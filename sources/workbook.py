"""Workbooks of any form a spreadsheet is served in, as rows of cells: the form is told by the bytes, not by the name."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.errors import DataError
from sources.archive import check_archive
from sources.content import HEAD, found, refusal
from sources.spreadsheetml import Cell, read_spreadsheetml
from sources.table import Table

MOST_BYTES = 32 << 20
MOST_ROWS, MOST_COLUMNS = 100_000, 256
MEMORY, SECONDS = 1 << 30, 20
"""Bytes and processor seconds that reading an OLE or .xlsx file may take."""

PREAMBLE = 50
"""Rows in which a header is looked for."""

CHILD = Path(__file__).with_name("calamine_rows.py")


@dataclass(frozen=True)
class Workbook:
    """Sheets of one file.

    Attributes
    ----------
    name : of the file, for error texts
    sheets : rows of cells by sheet; rows may differ in length
    """

    name: str
    sheets: dict[str, list[list[Cell]]]

    def rows(self, sheet: str) -> list[list[Cell]]:
        """Give the rows of a sheet.

        Raises
        ------
        DataError
            Where there is no such sheet.
        """
        if sheet not in self.sheets:
            raise DataError(f"{self.name}: sheet '{sheet}' is missing; the file has {', '.join(self.sheets) or 'none'}")
        return self.sheets[sheet]

    def table(self, sheet: str, columns: tuple[str, ...]) -> Table:
        """Give what stands below the first row that holds all of `columns`, as text; its index is the row in the sheet.

        Raises
        ------
        DataError
            Where no row holds them, naming the first that is missing in the row which comes closest.
        """
        place, rows = f"{self.name}, sheet '{sheet}'", self.rows(sheet)
        heads = [[str(cell).strip() for cell in row] for row in rows[:PREAMBLE]]
        held = [len(set(columns) & set(head)) for head in heads]
        most = max(held, default=0)
        if most < len(columns):
            closest = heads[held.index(most)] if most else []
            missing = next(column for column in columns if column not in closest)
            shown = ", ".join(cell for cell in closest[:30] if cell) or f"no header in its first {PREAMBLE} rows"
            raise DataError(f"{place}: column '{missing}' is missing; the sheet has {shown}")
        at = held.index(len(columns))
        head = heads[at]
        twice = [column for column in columns if head.count(column) > 1]
        if twice:
            raise DataError(f"{place}: column '{twice[0]}' is there twice; rule: one column of a name")
        wide = [[_text(cell) for cell in row[: len(head)]] + [""] * (len(head) - len(row)) for row in rows[at + 1 :]]
        frame = pd.DataFrame(wide, columns=head, index=pd.RangeIndex(at + 2, at + 2 + len(wide)), dtype=str)
        frame = frame.loc[:, [column != "" for column in head]]
        return Table(place, frame[(frame != "").any(axis=1).to_numpy()])


def read_workbook(path: str | Path) -> Workbook:
    """Read a workbook: OLE (.xls of Excel 97), .xlsx, or SpreadsheetML 2003.

    OLE and .xlsx files are read in a process of their own with at most `MEMORY` and `SECONDS` (no limit of memory on Windows),
    and an archive is weighed before.

    Raises
    ------
    DataError
        For any other file, one that is damaged, and one beyond the limits.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"workbook '{path}' does not exist; correct its path, or download it")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(f"{path.name}: has {size} bytes; rule: a workbook has at most {MOST_BYTES}")
    data, name = path.read_bytes(), path.name
    reason = refusal("workbook", data[:HEAD])
    if reason:
        raise DataError(f"{name}: {reason}; rule: an .xls, .xlsx or XML workbook; download it again")
    form = found(data[:HEAD])
    if form == "XML workbook":
        return Workbook(name, read_spreadsheetml(data, name, MOST_ROWS, MOST_COLUMNS))
    if form == "zip":
        check_archive(data, name)
    return Workbook(name, _from_child(data, name))


def _from_child(data: bytes, name: str) -> dict[str, list[list[Cell]]]:
    command = [sys.executable, "-I", str(CHILD), *map(str, (MEMORY, SECONDS, MOST_ROWS, MOST_COLUMNS))]
    try:
        # twice the processor's seconds: other work may hold it up
        done = subprocess.run(command, input=data, capture_output=True, timeout=2 * SECONDS, check=False)
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError):
        answer = {}
    if "sheets" in answer:
        sheets: dict[str, list[list[Cell]]] = answer["sheets"]
        return sheets
    why = answer.get("error") or f"reading it takes more than {MEMORY >> 20} MB or {SECONDS} s, or ends in a fault"
    raise DataError(f"{name}: cannot be read as a workbook: {why}; download it again, or save it anew with a spreadsheet program")


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else repr(cell)
