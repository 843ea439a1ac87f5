"""From older versions of the files to the present one, a step at a time."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from features.errors import DataError
from sources.store.lock import WAIT_S, writing
from sources.store.root import SCHEMA, Root, read_root, write_root

Step = Callable[[Path], None]

STEPS: Mapping[int, Step] = {}
"""Steps by the version they start from: `{1: migrate_1_to_2}`.

A step gets the root's path and holds the lock. The root file tells the new version only after the step has ended, so a step
that was interrupted runs again from its start: write new files beside the old ones, publish them last, and bear finding your
own leftovers. Version 1 is the first, so there is no step yet.
"""


def migrate(path: Path, *, wait_s: float = WAIT_S, steps: Mapping[int, Step] = STEPS, target: int = SCHEMA) -> Root:
    """Bring a store to version `target`; nothing happens where it has it already.

    Raises
    ------
    DataError
        Where a step is missing, or the store is newer than `target`.
    """
    read_root(path, target)  # before a lock is left in a folder that holds no store
    with writing(path, wait_s):
        root = read_root(path, target)
        missing = [version for version in range(root.schema, target) if version not in steps]
        if missing:
            raise DataError(f"store '{path}': nothing leads from schema version {missing[0]} to {missing[0] + 1}; fetch the data anew")
        while root.schema < target:
            steps[root.schema](path)
            root = dataclasses.replace(root, schema=root.schema + 1)
            write_root(path, root)
    return root


def refuse_old(path: Path, root: Root, target: int = SCHEMA) -> None:
    """Refuse files of an older version, saying how to bring them up."""
    if root.schema < target:
        raise DataError(
            f"store '{path}': schema version {root.schema} is older than this program's {target}; bring it up with "
            "sources.store.migrate (keep a copy)"
        )
