"""Large files, fetched in one step: whole under their name, or half in a `.part` that the next call goes on with."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from features.errors import DataError
from sources.content import Kind, checked
from sources.errors import PassingError, WebError
from sources.web import WebClient


@dataclass(frozen=True)
class Part:
    """What there is of a file so far, and beside it where it comes from and which version it is."""

    target: Path

    @property
    def path(self) -> Path:
        """The bytes."""
        return self.target.with_name(self.target.name + ".part")

    @property
    def note(self) -> Path:
        """Address and entity tag."""
        return self.target.with_name(self.target.name + ".part.json")

    def state(self, url: str) -> tuple[int, str]:
        """Give the bytes there are of `url` and their entity tag; (0, "") where they cannot be gone on with."""
        try:
            noted = json.loads(self.note.read_text(encoding="utf-8"))
            size = self.path.stat().st_size
        except (OSError, ValueError):
            return 0, ""
        if not isinstance(noted, dict) or noted.get("url") != url or not noted.get("etag") or not size:
            return 0, ""
        return size, str(noted["etag"])

    def begin(self, url: str, etag: str) -> None:
        """Start again from nothing. The old bytes go first: a note never stands beside bytes of another version."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.discard()
        if etag:
            self.note.write_text(json.dumps({"url": url, "etag": etag}), encoding="utf-8")

    def finish(self) -> None:
        """Give the file its name, once its bytes are on the disk."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        self.path.replace(self.target)
        self.note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Leave nothing."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def download(client: WebClient, url: str, path: str | Path, kind: Kind, *, max_bytes: int = 4 << 30, seconds: float = 1800.0) -> Path:
    """Fetch `url` to `path`: the old file stays until the new one is whole.

    An attempt that breaks off is gone on with by range requests, in this call and in later ones, as long as the server
    says by its entity tag that the file is the same (RFC 9110, 13.1.5 and 14.2); without one the file is fetched anew.
    One process at a time may fetch to one path.

    Parameters
    ----------
    kind : what the file must be by its first bytes
    max_bytes, seconds : for the whole file, with all attempts

    Returns
    -------
    Path of the file

    Raises
    ------
    WebError
        One line. Bytes that can be gone on with are kept beside `path`, and the line says so; else nothing is left.
    DataError
        Where the disk cannot be written.
    """
    part = Part(Path(path))
    try:
        client.repeated(url, _attempt(client, url, part, kind, max_bytes), seconds)
        part.finish()
    except WebError as error:
        size, _ = part.state(url)
        if not size:
            part.discard()
            raise
        raise WebError(f"{error}; {size} bytes are kept in '{part.path.name}', and the next call goes on with them", error.status) from None
    except OSError as error:
        raise DataError(f"'{part.target}' cannot be written: {error.strerror or error}; make room, or name another folder") from None
    return part.target


def _attempt(client: WebClient, url: str, part: Part, kind: Kind, max_bytes: int) -> Callable[[float], None]:
    def attempt(deadline: float) -> None:
        size, etag = part.state(url)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={size}-", "If-Range": etag} if size else {})
        with client.opened(url, headers, deadline) as response:
            goes_on = response.status_code == 206
            if response.status_code == 416 or (goes_on and not _continues(response, size, etag)):
                part.discard()
                raise PassingError("the rest of the file does not fit what there is of it", status=response.status_code)
            chunks = client.body(response, deadline, max_bytes - size if goes_on else max_bytes)
            if not goes_on:
                part.begin(url, _strong(response))
                chunks = checked(chunks, kind, response.headers.get("Content-Type", ""), WebError, url)
            _write(part, chunks)

    return attempt


def _write(part: Part, chunks: Iterator[bytes]) -> None:
    try:
        with part.path.open("ab") as file:
            for chunk in chunks:
                file.write(chunk)
    except WebError:  # it will not get better by going on
        part.discard()
        raise


def _continues(response: requests.Response, size: int, etag: str) -> bool:
    starts = response.headers.get("Content-Range", "").startswith(f"bytes {size}-")
    return bool(size) and starts and response.headers.get("ETag") == etag


def _strong(response: requests.Response) -> str:
    """Give the entity tag if equal tags mean equal bytes; a weak one does not."""
    etag = response.headers.get("ETag", "")
    with suppress(UnicodeEncodeError):
        etag.encode("ascii")
        return etag if etag.startswith('"') else ""
    return ""
