"""Whether the files are still what was written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.errors import DataError
from sources.store.disk import inside, sha256_of
from sources.store.manifest import File, Manifest, follow, manifest_paths, next_number, path_of, read_manifest
from sources.store.sweep import leftovers, number_of

UNLISTED = "no readable manifest lists it"
HARMLESS = "left by a writer that died or is at work; the next write removes it"


@dataclass(frozen=True)
class Difference:
    """A file that is not as it was written.

    Attributes
    ----------
    path : below the root
    what : in words
    harmless : a leftover of a writer that died, or of one at work; nobody reads it
    """

    path: str
    what: str
    harmless: bool = False


def verify(root: Path) -> list[Difference]:
    """Hash every file anew and compare it with its manifest, and the manifests with each other.

    Returns
    -------
    list of Difference, empty where all is as it was written
    """
    manifests: list[Manifest] = []
    found: list[Difference] = []
    names = {path.name: path for path in manifest_paths(root)}
    numbers = sorted(int(name.split(".")[0]) for name in names if name.split(".")[0].isdecimal())
    before: str | None = ""
    for number, previous in zip(numbers, [0, *numbers], strict=False):
        path = names.pop(Path(path_of(number)).name, None)
        if number > previous + 1:
            found.append(_missing(previous + 1, number - 1))
            before = None
        try:
            if path is None:
                continue
            manifest, own = read_manifest(root, path)
            if before is not None:
                follow(root, before, manifest)
        except DataError as error:
            found.append(Difference(path_of(number), str(error)))
            before = None
            continue
        manifests.append(manifest)
        before = own
    found += [Difference(f"manifests/{name}", "no batch has this number") for name in sorted(names)]
    counting = _counting(manifests)
    found += [difference for manifest in counting for file in manifest.files for difference in _compare(root, file)]
    unread = bool(found) and len(manifests) < max(numbers, default=0)
    left = leftovers(root, counting)
    lost = unread or any(number_of(path) > next_number(counting) for path in left)
    return found + [Difference(str(path.relative_to(root)), UNLISTED if lost else HARMLESS, harmless=not lost) for path in left]


def _missing(first: int, last: int) -> Difference:
    more = f", and all to '{path_of(last)}'" if last > first else ""
    return Difference(path_of(first), f"manifest '{path_of(first)}' is missing{more}")


def _counting(manifests: Sequence[Manifest]) -> Sequence[Manifest]:
    """Leave out what a compaction has taken the place of: those files were removed, or are about to be."""
    compactions = [place for place, manifest in enumerate(manifests) if manifest.replaced is not None]
    return manifests[compactions[-1] :] if compactions else manifests


def _compare(root: Path, file: File) -> Iterator[Difference]:
    try:
        path = inside(root, file.path)
        size, sha256 = path.stat().st_size, sha256_of(path)
    except DataError as error:
        yield Difference(file.path, str(error))
    except OSError as error:
        yield Difference(file.path, f"cannot be read: {error.strerror or error}")
    else:
        if size != file.n_bytes:
            yield Difference(file.path, f"has {size} bytes; its manifest says {file.n_bytes}")
        elif sha256 != file.sha256:
            yield Difference(file.path, f"has the hash {sha256[:12]}...; its manifest says {file.sha256[:12]}...")
