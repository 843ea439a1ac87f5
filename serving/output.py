"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from serving.errors import ServingError

FORMATS = (".parquet", ".csv")


def check_out(out: Path) -> None:
    """Refuse an output that could not be written, before any work is done."""
    if out.suffix not in FORMATS:
        raise ServingError(f"out '{out}': ends in '{out.suffix}'; rule: one of {', '.join(FORMATS)}")
    check_file(out)


def check_page(out: Path) -> None:
    """Refuse a page that could not be written, before any work is done."""
    if out.suffix != ".html":
        raise ServingError(f"out '{out}': ends in '{out.suffix}'; rule: .html")
    check_file(out)


def check_file(out: Path) -> None:
    """Refuse a file that could not be written, before any work is done."""
    check_folder(out)
    if out.is_dir():
        raise ServingError(f"out '{out}' is a folder; name a file")


def check_folder(out: Path) -> None:
    """Refuse a name that names nothing, or whose folder is not there or cannot be written to, before any work is done."""
    folder = out.parent
    if out.name in ("", ".."):
        raise ServingError(f"out '{out}' names no file; name one, say '{folder / 'answer'}'")
    if not folder.is_dir():
        raise ServingError(f"out '{out}': the folder '{folder}' does not exist; make it first")
    if not takes_files(folder):
        raise ServingError(f"out '{out}': the folder '{folder}' cannot be written to; name another")


def takes_files(folder: Path) -> bool:
    """Whether a file can be made in a folder: tried, for permissions do not tell of a read-only disk."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def as_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give rows as JSON takes them: numbers in full, dates as YYYY-MM-DD, what is missing as None."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else value


def write_table(table: pd.DataFrame, out: Path) -> None:
    """Write a table as Parquet or CSV, by the ending of `out`, in one step."""
    with _in_one_step(out) as beside:
        table.to_parquet(beside) if out.suffix == ".parquet" else table.to_csv(beside, index=False)


def write_text(text: str, out: Path) -> None:
    """Write text in one step."""
    with _in_one_step(out) as beside:
        beside.write_text(text, encoding="utf-8")


def write_whole(source: Path, target: Path) -> None:
    """Put a finished file in its place in one step: a reader sees the old one or the new one."""
    with _in_one_step(target) as beside:
        beside.write_bytes(source.read_bytes())


@contextmanager
def _in_one_step(path: Path) -> Iterator[Path]:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
