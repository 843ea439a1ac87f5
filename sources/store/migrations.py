"""From older versions of the files to the present one, a step at a time."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from features.errors import DataError
from sources.store.lock import WAIT_S, writing
from sources.store.manifest import read_manifests
from sources.store.root import SCHEMA, Root, read_root, write_root
from sources.store.tables import whole

Step = Callable[[Path], None]


def to_version_2(path: Path) -> None:
    """Check that every file is there, and change none: what version 1 wrote is as version 2 writes it.

    Version 2 adds kinds (`quotes`, `actions`), tables (`withdrawn/`) and manifests of compactions. A program of version 1 would not see
    them and answer without them, which the raised version prevents.

    Raises
    ------
    DataError
        Where a manifest or a file is missing or altered; the store then keeps its version.
    """
    for manifest in read_manifests(path):
        for file in manifest.files:
            whole(path, file)


STEPS: Mapping[int, Step] = {1: to_version_2}
"""Steps by the version they start from.

A step gets the root's path and holds the lock. The root file tells the new version only after the step has ended, so a step
that was interrupted runs again from its start: write new files beside the old ones, publish them last, and bear finding your
own leftovers.
"""


def migrate(path: Path, *, wait_s: float = WAIT_S, steps: Mapping[int, Step] = STEPS, target: int = SCHEMA) -> Root:
    """Bring a store to version `target`; nothing happens where it has it already.

    Raises
    ------
    DataError
        Where a step is missing, the store is newer than `target`, or the disk refuses.
    """
    read_root(path, target)  # before a lock is left in a folder that holds no store
    try:
        with writing(path, wait_s):
            return _migrated(path, steps, target)
    except OSError as error:
        raise DataError(f"store '{path}': cannot be written: {error.strerror or error}; it has the version it had") from None


def _migrated(path: Path, steps: Mapping[int, Step], target: int) -> Root:
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
            "`appetite data migrate` (keep a copy)"
        )
