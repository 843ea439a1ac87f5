"""What a writer that died left behind, and what nobody reads any more."""

import re
from collections.abc import Sequence
from pathlib import Path

from features.errors import DataError
from sources.store.disk import PART
from sources.store.kinds import KINDS
from sources.store.manifest import FOLDER, Manifest, next_number

OURS = re.compile(rf"(\d{{8}}\.parquet|\d{{8}}\.json{re.escape(PART)}|\d{{8}}\.parquet{re.escape(PART)}|store\.json{re.escape(PART)})")
"""Names that the store gives; a file with another name is not ours to remove."""

FOLDERS = (".", FOLDER, "ids", *(f"{part}{kind}" for part in ("", "quarantine/", "withdrawn/") for kind in KINDS))


def leftovers(root: Path, manifests: Sequence[Manifest]) -> list[Path]:
    """List files of batches that were never published, and those that a compaction before the last one replaced, in order."""
    listed = {root / file.path for manifest in manifests for file in manifest.files}
    listed |= {root / path for manifest in manifests for path in manifest.replaced or ()}
    found = [path for folder in FOLDERS for path in (root / folder).glob("*") if OURS.fullmatch(path.name) and path.is_file()]
    return sorted(set(found) - listed)


def number_of(path: Path) -> int:
    """Give the number of the batch that a whole file of records says it is of; 0 for others."""
    return int(path.stem) if path.suffix == ".parquet" and path.stem.isdecimal() else 0


def sweep(root: Path, manifests: Sequence[Manifest]) -> int:
    """Remove them and say how many they were. Only a writer may: what is half written by a living one looks the same.

    Raises
    ------
    DataError
        For a file of a batch after the next one: no writer left that, a manifest is lost. Nothing is removed then.
    """
    found = leftovers(root, manifests)
    orphans = [path.relative_to(root) for path in found if number_of(path) > next_number(manifests)]
    if orphans:
        raise DataError(
            f"store '{root}': file '{orphans[0]}' is of a batch that no manifest lists, nor the one before it; restore the folder "
            f"'{FOLDER}' from a copy, nothing was removed"
        )
    for path in found:
        path.unlink()
    return len(found)
