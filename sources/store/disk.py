"""Files that are there whole or not at all."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from features.errors import DataError

PART = ".part"
"""Ending of a file that is being written; one that is left over belongs to a writer that died."""


@dataclass(frozen=True)
class Written:
    """Size in bytes and SHA-256 of a file."""

    n_bytes: int
    sha256: str


def write_durably(path: Path, fill: Callable[[BinaryIO], object]) -> Written:
    """Write a file beside its place, force it to the disk, and only then give it its name.

    Parameters
    ----------
    path : final place; its folder is made when needed
    fill : writes the content to the open file

    Returns
    -------
    Written; after it the name too has been forced to the disk
    """
    make_folder(path.parent)
    part = path.with_name(path.name + PART)
    with part.open("wb") as stream:
        fill(stream)
        stream.flush()
        os.fsync(stream.fileno())
    written = Written(part.stat().st_size, sha256_of(part))
    part.replace(path)
    sync_folder(path.parent)
    return written


def make_folder(folder: Path) -> None:
    """Make a folder and force its name to the disk."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Hash a file's content, 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def refuse_climbing(root: Path, path: str) -> None:
    """Refuse a path that by its words leads out of the root."""
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise DataError(f"store '{root}': path '{path}' leaves the root; rule: every file lies below it, without '..' and links")


def inside(root: Path, path: str) -> Path:
    """Give the full path of a file of the store.

    Raises
    ------
    DataError
        Where the path, or a link on its way, leads out of the root.
    """
    refuse_climbing(root, path)
    full = (root / path).resolve()
    if not full.is_relative_to(root.resolve()):
        raise DataError(f"store '{root}': path '{path}' leads to '{full}'; rule: every file lies below the root, without '..' and links")
    return full
