"""Whether the files are still what was written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.errors import DataError
from sources.store.disk import inside, sha256_of
from sources.store.manifest import File, Manifest, follow, manifest_paths, path_of, read_manifest
from sources.store.sweep import leftovers


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
    last = max((int(name.split(".")[0]) for name in names if name.split(".")[0].isdigit()), default=0)
    before: str | None = ""
    for number in range(1, last + 1):
        path = names.pop(Path(path_of(number)).name, None)
        try:
            if path is None:
                raise DataError(f"manifest '{path_of(number)}' is missing")
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
    unread = bool(found) and len(manifests) < last
    told = "no readable manifest lists it" if unread else "left by a writer that died or is at work; the next write removes it"
    found += [Difference(str(path.relative_to(root)), told, harmless=not unread) for path in leftovers(root, counting)]
    return found


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
