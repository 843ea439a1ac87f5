"""Rows of an OLE or .xlsx workbook on standard input as JSON on standard output: the child process of `sources.workbook`.

It runs as a file, alone, under limits of memory and time set by the kernel: a cell in the last row and column of a sheet
makes the reader allocate all cells before them, and no check from outside can see that in an OLE file. It imports nothing of ours.
"""

import io
import json
import sys
from typing import Any


def main(memory: int, seconds: int, most_rows: int, most_columns: int) -> None:
    """Read, and write {"sheets": {name: rows}} or {"error": words}; cells are text, numbers or "" and dates are ISO text."""
    _limit(memory, seconds)
    # imported under the limits
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        sheets = {}
        for name in workbook.sheet_names:
            sheet = workbook.get_sheet_by_name(name)
            height, width = sheet.total_height + 1, sheet.total_width + 1  # the library gives the last index
            if height > most_rows or width > most_columns:
                raise ValueError(f"sheet '{name}' has {height} rows and {width} columns; rule: at most {most_rows} and {most_columns}")
            sheets[name] = [[_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
        answer: dict[str, Any] = {"sheets": sheets}
    except (CalamineError, ValueError, OSError) as error:
        answer = {"error": " ".join(str(error).split())}
    json.dump(answer, sys.stdout)


def _limit(memory: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows: there the parent's time limit is the only one
        return
    for what, limit in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _cell(value: Any) -> str | float:
    if isinstance(value, bool):  # a ticker may read TRUE
        return str(value).upper()
    if isinstance(value, (int, float, str)):
        return value
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:5]))
