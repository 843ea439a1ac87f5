"""Manifests: what each batch wrote. A batch is there once its manifest is, and each names the one before."""

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
    """A Parquet file of a batch.

    Attributes
    ----------
    path : below the root
    table : what it holds a part of: a kind, `ids`, or `quarantine/` and a kind
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
    """One batch.

    Attributes
    ----------
    batch : its number, from 1 without a hole
    recorded_at : UTC; later than that of every batch before
    source : what the writer named
    previous : hash of the manifest before; empty for the first
    files : what the batch wrote
    """

    batch: int
    recorded_at: datetime.datetime
    source: str
    previous: str
    files: tuple[File, ...]

    def text(self) -> str:
        """Give the content of its file: one line of JSON and, below, the line's SHA-256."""
        told = asdict(self) | {"recorded_at": self.recorded_at.isoformat()}
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
    """Read every manifest, in order.

    Raises
    ------
    DataError
        Where one is missing, altered, or does not follow from the one before.
    """
    manifests: list[Manifest] = []
    before = ""
    for number, path in enumerate(manifest_paths(root), start=1):
        if path.name != Path(path_of(number)).name:
            raise DataError(f"store '{root}': manifest '{path_of(number)}' is missing though a later one is there; restore it from a copy")
        manifest, own = read_manifest(root, path)
        follow(root, before, manifest)
        manifests.append(manifest)
        before = own
    return manifests


def manifest_paths(root: Path) -> list[Path]:
    """List the manifests in order; none in a store without a batch."""
    return sorted(path for path in (root / FOLDER).glob(f"*{SUFFIX}"))


def read_manifest(root: Path, path: Path) -> tuple[Manifest, str]:
    """Read one manifest, check it against its own hash, and give both."""
    name = f"{FOLDER}/{path.name}"
    try:
        line, told = path.read_text(encoding="utf-8").split("\n")[:2]
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
    """Keep the batches recorded at `recorded` or before."""
    return [manifest for manifest in manifests if manifest.recorded_at <= recorded]


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
    return Manifest(int(str(told["batch"])), recorded, str(told["source"]), str(told["previous"]), parsed)


def _sha256(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
