"""Manifests: what each batch wrote. A batch is there once its manifest is, and each names the one before.

A compaction has one too: it lists every file that counts from then on, so that reading begins at the last one.
"""

import datetime
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from features.errors import DataError
from sources.store.disk import refuse_climbing, write_durably

FOLDER = "manifests"
SUFFIX = ".json"


@dataclass(frozen=True)
class File:
    """A Parquet file.

    Attributes
    ----------
    path : below the root
    table : what it holds a part of: a kind, `ids`, or `quarantine/` or `withdrawn/` and a kind
    rows, n_bytes, sha256 : its size and hash
    ids : lowest and highest id
    dates : first and last date a record is about, ISO; empty for `ids`
    """

    path: str
    table: str
    rows: int
    n_bytes: int
    sha256: str
    ids: tuple[int, int]
    dates: tuple[str, str] | tuple[()]


@dataclass(frozen=True)
class Manifest:
    """One batch, or a compaction.

    Attributes
    ----------
    batch : its number, from 1 without a hole
    recorded_at : UTC; later than that of every batch before
    source : what the writer named
    previous : hash of the manifest before; empty for the first
    files : what the batch wrote; of a compaction every file that counts from then on, those it wrote among them
    replaced : of a compaction, the files that no longer count and are still there for readers at work; None for a batch
    """

    batch: int
    recorded_at: datetime.datetime
    source: str
    previous: str
    files: tuple[File, ...]
    replaced: tuple[str, ...] | None = None

    def text(self) -> str:
        """Give the content of its file: one line of JSON and, below, the line's SHA-256."""
        told = asdict(self) | {"recorded_at": self.recorded_at.isoformat()}
        if self.replaced is None:
            del told["replaced"]
        line = json.dumps(told, sort_keys=True)
        return f"{line}\n{_sha256(line)}\n"

    def sha256(self) -> str:
        """Hash by which the next manifest names this one."""
        return self.text().splitlines()[1]


def path_of(batch: int) -> str:
    """Place of a manifest below the root."""
    return f"{FOLDER}/{batch:08d}{SUFFIX}"


def publish(root: Path, manifest: Manifest) -> None:
    """Make a batch visible; its files have to be on the disk."""
    write_durably(root / path_of(manifest.batch), lambda stream: stream.write(manifest.text().encode()))


def read_manifests(root: Path) -> list[Manifest]:
    """Read what counts, in order: the last compaction where there is one, and every batch since.

    Raises
    ------
    DataError
        Where one is missing, altered, or does not follow from the one before.
    """
    paths = manifest_paths(root)
    for number, path in enumerate(paths, start=1):
        if path.name != Path(path_of(number)).name:
            raise DataError(f"store '{root}': manifest '{path_of(number)}' is missing though a later one is there; restore it from a copy")
    manifests: list[Manifest] = []
    for path in reversed(paths):
        manifest, own = read_manifest(root, path)
        if manifests:
            follow(root, own, manifests[-1])
        manifests.append(manifest)
        if manifest.replaced is not None:
            return manifests[::-1]
    if manifests:
        follow(root, "", manifests[-1])
    return manifests[::-1]


def manifest_paths(root: Path) -> list[Path]:
    """List the manifests in order; none in a store without a batch."""
    return sorted(path for path in (root / FOLDER).glob(f"*{SUFFIX}"))


def read_manifest(root: Path, path: Path) -> tuple[Manifest, str]:
    """Read one manifest, check it against its own hash, and give both."""
    name = f"{FOLDER}/{path.name}"
    try:
        line, _, told = path.read_text(encoding="utf-8").removesuffix("\n").partition("\n")
        if _sha256(line) != told:
            raise ValueError("its text and its hash differ")
        manifest = _parse(json.loads(line))
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise DataError(f"store '{root}': manifest '{name}' was altered or is damaged ({error}); restore it from a copy") from None
    if path_of(manifest.batch) != name:
        raise DataError(f"store '{root}': manifest '{name}' is that of batch {manifest.batch}; restore it from a copy")
    for file in manifest.files:
        refuse_climbing(root, file.path)
    return manifest, told


def follow(root: Path, before: str, manifest: Manifest) -> None:
    """Check that a manifest names the hash of the one before it, which is empty for the first."""
    if manifest.previous != before:
        raise DataError(
            f"store '{root}': manifest '{path_of(manifest.batch)}' does not follow from the one before it; one of the two was replaced: "
            "restore them from a copy"
        )


def until(manifests: Sequence[Manifest], recorded: datetime.datetime) -> list[Manifest]:
    """Keep the batches recorded at `recorded` or before, and a compaction.

    The files of a compaction hold records of many batches: whoever reads them has to choose by their `recorded_at`.
    """
    return [manifest for manifest in manifests if manifest.replaced is not None or manifest.recorded_at <= recorded]


def next_number(manifests: Sequence[Manifest]) -> int:
    """Give the number that comes after those of these manifests."""
    return manifests[-1].batch + 1 if manifests else 1


def files_of(manifests: Sequence[Manifest], table: str) -> list[File]:
    """List the files of one table, in the order in which they were written."""
    return [file for manifest in manifests for file in manifest.files if file.table == table]


def _parse(told: dict[str, object]) -> Manifest:
    files = told["files"]
    if not isinstance(files, list):
        raise TypeError("'files' is no list")
    parsed = tuple(File(**{**file, "ids": tuple(file["ids"]), "dates": tuple(file["dates"])}) for file in files)
    recorded = datetime.datetime.fromisoformat(str(told["recorded_at"]))
    if recorded.tzinfo is None:
        raise ValueError("'recorded_at' has no time zone")
    replaced = told.get("replaced")
    if replaced is not None and not isinstance(replaced, list):
        raise TypeError("'replaced' is no list")
    kept = None if replaced is None else tuple(map(str, replaced))
    return Manifest(int(str(told["batch"])), recorded, str(told["source"]), str(told["previous"]), parsed, kept)


def _sha256(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
