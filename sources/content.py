"""What a body is by its first bytes, whatever its name or its headers say."""

import re
from collections.abc import Iterator
from typing import Literal, get_args

Kind = Literal["csv", "json", "zip", "workbook"]

HEAD = 2048
"""Bytes that are looked at."""

OLE, ZIP, GZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04", b"\x1f\x8b"
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
TITLE = re.compile(r"<title[^>]*>\s*([^<]{1,80})", re.IGNORECASE)


def found(head: bytes) -> str:
    """Name what a body is: web page, XML workbook, XML, OLE, zip, gzip, binary, JSON, empty or text."""
    text = _text(head)
    start = text[:200].lower()
    if not head.strip():
        return "empty"
    for magic, name in ((OLE, "OLE"), (ZIP, "zip"), (b"PK\x05\x06", "zip"), (GZIP, "gzip")):
        if head.startswith(magic):
            return name
    if start.startswith(("<!doctype html", "<html", "<head", "<body", "<script", "<!--")) or (
        start.startswith("<?xml") and "<html" in text
    ):
        return "web page"
    if start.startswith("<"):
        return "XML workbook" if re.search(r"<(\w+:)?Workbook[\s>]", text) else "XML"
    if "\x00" in text:
        return "binary"
    return "JSON" if start.startswith(("{", "[")) else "text"


WANTED = {"csv": ("text",), "json": ("JSON",), "zip": ("zip",), "workbook": ("OLE", "zip", "XML workbook")}


def refusal(kind: Kind, head: bytes, content_type: str = "") -> str | None:
    """Say why a body that begins with `head` is no `kind`; None where it is one.

    Parameters
    ----------
    head : first `HEAD` bytes, fewer only where the body is shorter
    content_type : header of that name; tables and JSON that call themselves web pages are refused, too

    Raises
    ------
    ValueError
        For a kind that is unknown.
    """
    if kind not in WANTED:
        raise ValueError(f"kind is {kind!r}; rule: one of {', '.join(get_args(Kind))}")
    name = found(head)
    if kind in ("csv", "json") and content_type.lower().startswith(("text/html", "application/xhtml")):
        name = "web page"
    if name in WANTED[kind]:
        return None
    title = TITLE.search(_text(head)) if name == "web page" else None
    called = f", '{' '.join(title[1].split())}'" if title else ""
    return f"a {kind} was wanted and the body is {_article(name)}{called}"


def checked(chunks: Iterator[bytes], kind: Kind, content_type: str, refuse: type[Exception], place: str) -> Iterator[bytes]:
    """Pass chunks on once the first bytes are seen to be of the kind; raise `refuse` before any is passed on if not."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            break
    reason = refusal(kind, head[:HEAD], content_type)
    if reason:
        raise refuse(f"{place}: {reason}; look at the address in a browser: it may ask for a login, have moved, or refuse programs")
    yield head
    yield from chunks


def _text(head: bytes) -> str:
    if head.startswith(BYTE_ORDER_MARKS[1:]):
        return head.decode("utf-16", errors="replace").lstrip()
    return head.decode("latin-1").replace("\xef\xbb\xbf", "").lstrip()


def _article(name: str) -> str:
    return {"OLE": "an OLE file", "zip": "a zip archive", "gzip": "gzip", "text": "text", "JSON": "JSON", "empty": "empty"}.get(
        name, f"{'an' if name.startswith('X') else 'a'} {name}" + (" file" if name in ("XML", "binary") else "")
    )
