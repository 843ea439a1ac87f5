"""Append-only files with one commit point: what is appended to them is there whole or not at all.

The files hold chained lines; `head.json` says how far they count. Lines are forced to the disk before the
head that counts them takes the place of the one before, so a writer that dies at any moment leaves the state before or the state after.
What lies beyond the head was never acknowledged nor read; the next writer cuts it off. The head also tells when lines are missing
at the end, which a chain by itself cannot.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from serving.chain import Broken, End, append, read
from serving.lock import WAIT_S, locked

HEAD = "head.json"
FORMAT = 1


@dataclass(frozen=True)
class Kind:
    """What a journal holds, and how its faults are told.

    Attributes
    ----------
    noun : in the plural
    files : names of its files
    root : environment variable that says where journals of the kind lie
    way_out : what to do where a line is not as it was written
    error : a `ValueError`, raised for every fault
    """

    noun: str
    files: tuple[str, ...]
    root: str
    way_out: str
    error: type[ValueError]

    def fault(self, folder: Path, words: str) -> ValueError:
        """Make the error of a folder."""
        return self.error(f"{self.noun} '{folder}': {words}")


@dataclass(frozen=True)
class Journal:
    """The files of one folder.

    Attributes
    ----------
    folder : made by the first writer
    of : what they are of, JSON-able; a folder that says otherwise is refused
    kind : what they hold
    """

    folder: Path
    of: Mapping[str, Any]
    kind: Kind

    def read(self, *names: str) -> dict[str, list[str]]:
        """Give the records of these files, or all, as JSON; every line is checked.

        Raises
        ------
        ServingError
            Of the kind's own, where a line is not as it was written, or the folder is another's.
        """
        records, broken = self._check(names or self.kind.files)
        if broken is not None:
            raise self.kind.fault(self.folder, f"{broken.words()}; {self.kind.way_out}")
        return records

    def first_broken(self) -> Broken | None:
        """Name the first line that is not as it was written."""
        return self._check(self.kind.files)[1]

    @contextmanager
    def writing(self, wait_s: float = WAIT_S) -> Iterator[None]:
        """Hold the folder, which is made when needed, for `read` and `append` to be one step."""
        with _told(self.folder, self.kind):
            _make_folder(self.folder)
            with locked(self.folder, self.kind.noun, self.kind.error, wait_s):
                if not (self.folder / HEAD).exists() and not any((self.folder / name).exists() for name in self.kind.files):
                    self._commit(dict.fromkeys(self.kind.files, End()))  # before any line: a head that is missing later was taken away
                yield

    def append(self, records: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Append records to the files they are named by; inside of `writing`, and acknowledged when it returns."""
        ends = self._ends()
        for name, new in records.items():
            if new:
                lines, end = append(new, ends[name])
                _append_at(self.folder / name, lines, ends[name].n_bytes)
                ends[name] = end
        _sync(self.folder)
        self._commit(ends)

    def _check(self, names: Sequence[str]) -> tuple[dict[str, list[str]], Broken | None]:
        out: dict[str, list[str]] = {name: [] for name in names}
        with _told(self.folder, self.kind):
            if not (self.folder / HEAD).exists():
                left = [name for name in self.kind.files if (self.folder / name).exists()]
                return out, Broken(HEAD, 0, f"is missing, and '{left[0]}' is there") if left else None
            ends = self._ends()
            for name in names:
                out[name], broken = read(_first_bytes(self.folder / name, ends[name].n_bytes), ends[name], name)
                if broken is not None:
                    return out, broken
        return out, None

    def _ends(self) -> dict[str, End]:
        told = read_head(self.folder, self.kind)
        if told["of"] != self.of:
            raise self.kind.fault(
                self.folder,
                f"they are those of {_words(told['of'])}, not of {_words(self.of)}; rule: a folder each, and none is "
                f"moved into another's place; move it back, or name another root in {self.kind.root}",
            )
        return dict(told["ends"])

    def _commit(self, ends: Mapping[str, End]) -> None:
        told = {"format": FORMAT, "of": dict(self.of), "ends": {name: asdict(end) for name, end in ends.items()}}
        part = self.folder / f"{HEAD}.part"
        with part.open("w", encoding="utf-8") as stream:
            json.dump(told, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(self.folder / HEAD)
        _sync(self.folder)


def read_head(folder: Path, kind: Kind) -> dict[str, Any]:
    """Read what a folder is of, and how far its files count.

    Raises
    ------
    ValueError
        Of the kind's own, where the head is damaged, or of another version of the format.
    """
    with _told(folder, kind):
        text = (folder / HEAD).read_bytes()
    try:
        told: dict[str, Any] = json.loads(text)
        written = told["format"]
        if written == FORMAT:
            told["ends"] = {name: End(**told["ends"][name]) for name in kind.files}
            told["of"] = dict(told["of"])
    except (ValueError, KeyError, TypeError) as error:
        raise kind.fault(folder, f"'{HEAD}' was altered or is damaged ({error}); {kind.way_out}") from None
    if written != FORMAT:
        raise kind.fault(folder, f"they have format {written}; rule: {FORMAT}. Read them with the version that wrote them")
    return told


def _words(of: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in of.items())


@contextmanager
def _told(folder: Path, kind: Kind) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f": '{error.filename}'" if error.filename else ""
        raise kind.fault(
            folder,
            f"they cannot be read or written ({error.strerror or error}{where}); rule: a folder that may be "
            f"written to, on a disk with room. Make it so, or name another root in {kind.root}",
        ) from None


def _first_bytes(path: Path, n_bytes: int) -> bytes:
    if not n_bytes or not path.exists():
        return b""
    with path.open("rb") as stream:
        return stream.read(n_bytes)


def _append_at(path: Path, lines: bytes, n_bytes: int) -> None:
    """Cut off what lies beyond the end that counts, and write after it."""
    with path.open("ab") as stream:
        stream.truncate(n_bytes)
        stream.write(lines)
        stream.flush()
        os.fsync(stream.fileno())


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
