"""The root of a store: the file that says what it is, and which version its files have."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from features.errors import DataError
from sources.store.disk import PART, make_folder, write_durably
from sources.store.lock import LOCK, WAIT_S, writing

ROOT_FILE = "store.json"
FORMAT = "appetite point-in-time store"
SCHEMA = 2
"""Version of the files that this code reads and writes."""


@dataclass(frozen=True)
class Root:
    """What the root file says.

    Attributes
    ----------
    schema : version of the files
    simulated : whether the records are simulated; a store holds one or the other
    """

    schema: int
    simulated: bool
    format: str = FORMAT


def create_root(path: Path, *, simulated: bool, wait_s: float = WAIT_S) -> Root:
    """Make a new store in a folder that is empty or absent; where there is one already, open it.

    Raises
    ------
    DataError
        Where the folder holds something else, or a store of the other sort.
    """
    refuse_file(path)
    if path.is_dir() and not (path / ROOT_FILE).exists():
        _refuse_others(path, path.iterdir())
    try:
        # one that is there is opened without waiting for its writer
        if not (path / ROOT_FILE).exists():
            make_folder(path)
            with writing(path, wait_s):
                if not (path / ROOT_FILE).exists():
                    write_root(path, Root(SCHEMA, simulated))
    except OSError as error:
        raise DataError(
            f"store '{path}': cannot be made: {error.strerror or error}; name a folder that can be written to, on a disk with room"
        ) from None
    root = read_root(path)
    if root.simulated != simulated:
        kinds = {True: "simulated", False: "real"}
        raise DataError(f"store '{path}' holds {kinds[root.simulated]} records; rule: {kinds[simulated]} ones go into a store of their own")
    return root


def read_root(path: Path, newest: int = SCHEMA) -> Root:
    """Read the root file.

    Raises
    ------
    DataError
        Where there is no store, its root file cannot be read, or this program is too old for it.
    """
    refuse_file(path)
    if not (path / ROOT_FILE).is_file():
        raise DataError(f"store '{path}': there is none, '{ROOT_FILE}' is missing; make one first, or correct the path")
    try:
        told = json.loads((path / ROOT_FILE).read_text(encoding="utf-8"))
        root = Root(int(told["schema"]), bool(told["simulated"]), str(told["format"]))
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise DataError(f"store '{path}': '{ROOT_FILE}' cannot be read ({error}); restore it from a copy") from None
    if root.format != FORMAT:
        raise DataError(f"store '{path}': '{ROOT_FILE}' says '{root.format}'; rule: '{FORMAT}'")
    if root.schema > newest:
        raise DataError(
            f"store '{path}': schema version {root.schema} is newer than this program, which knows versions up to {newest}; "
            "update the program"
        )
    return root


def write_root(path: Path, root: Root) -> None:
    """Write the root file, whole or not at all."""
    text = json.dumps(asdict(root), indent=2) + "\n"
    write_durably(path / ROOT_FILE, lambda stream: stream.write(text.encode()))


def refuse_file(path: Path) -> None:
    """Refuse a root that is a file."""
    if path.exists() and not path.is_dir():
        raise DataError(f"store '{path}': this is a file; rule: the root of a store is a folder")


def _refuse_others(path: Path, entries: Iterable[Path]) -> None:
    others = sorted(entry.name for entry in entries if entry.name not in (LOCK, ROOT_FILE + PART))
    if others:
        raise DataError(f"store '{path}': the folder is no store and holds '{others[0]}'; rule: a new store begins in an empty folder")
