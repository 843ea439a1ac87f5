"""What a writer that died left behind, and what nobody reads any more."""

import re
from collections.abc import Sequence
from pathlib import Path

from sources.store.disk import PART
from sources.store.kinds import KINDS
from sources.store.manifest import FOLDER, Manifest

OURS = re.compile(rf"(\d{{8}}\.parquet|\d{{8}}\.json{re.escape(PART)}|\d{{8}}\.parquet{re.escape(PART)}|store\.json{re.escape(PART)})")
"""Names that the store gives; a file with another name is not ours to remove."""

FOLDERS = (".", FOLDER, "ids", *(f"{part}{kind}" for part in ("", "quarantine/", "withdrawn/") for kind in KINDS))


def leftovers(root: Path, manifests: Sequence[Manifest]) -> list[Path]:
    """List files of batches that were never published, and those that a compaction before the last one replaced, in order."""
    listed = {root / file.path for manifest in manifests for file in manifest.files}
    listed |= {root / path for manifest in manifests for path in manifest.replaced or ()}
    found = [path for folder in FOLDERS for path in (root / folder).glob("*") if OURS.fullmatch(path.name) and path.is_file()]
    return sorted(set(found) - listed)


def sweep(root: Path, manifests: Sequence[Manifest]) -> int:
    """Remove them and say how many they were. Only a writer may: what is half written by a living one looks the same."""
    found = leftovers(root, manifests)
    for path in found:
        path.unlink()
    return len(found)
