"""Files below the root that a market file names one by one or by a pattern."""

from collections.abc import Sequence
from pathlib import Path

from features.errors import DataError
from sources.table import Folder

MOST_FILES = 100_000


def files_below(folder: Folder, names: str | Sequence[str]) -> dict[str, Path]:
    """Find files: a name with `*` or `?` stands for every one that matches, `**` for folders of any depth.

    Returns
    -------
    dict of full paths by the path below the root, in the order of the names, and of the alphabet within a pattern

    Raises
    ------
    DataError
        Where a name leads out of the root, by a link too, nothing is there, or a file is named twice.
    """
    found: dict[str, Path] = {}
    for name in [names] if isinstance(names, str) else names:
        for path in _matches(folder, name) if set("*?[") & set(name) else [name]:
            if path in found:
                raise DataError(f"file '{path}' is named twice; rule: each file once")
            found[path] = folder.file(path)
    return found


def _matches(folder: Folder, pattern: str) -> list[str]:
    folder.below(pattern)  # its words must not climb
    paths: list[str] = []
    for each in folder.root.glob(pattern):
        if each.is_file():
            paths.append(each.relative_to(folder.root).as_posix())
        if len(paths) > MOST_FILES:
            raise DataError(f"pattern '{pattern}' matches more than {MOST_FILES} files; rule: at most that")
    if not paths:
        raise DataError(f"no file below the root '{folder.root}' matches '{pattern}'; correct it in the market file, or remove its section")
    return sorted(paths)
