"""One writer at a time."""

import datetime
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import DataError

LOCK = "lock"
POLL_S = 0.02
WAIT_S = 30.0
"""How long a writer waits for another one unless told otherwise."""


class StoreBusyError(DataError):
    """Another process is writing; trying again later may help."""


@contextmanager
def writing(root: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the store for writing while the block runs. The kernel gives the lock back when its holder dies.

    Parameters
    ----------
    root : folder of the store; on the local disk, since locks of network file systems are not to be relied on
    wait_s : seconds to wait for another writer

    Raises
    ------
    StoreBusyError
        Where another writer still holds it then, saying which.
    """
    handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(root, handle, fcntl.LOCK_EX, wait_s)
        _sign(handle)
        yield
    finally:
        # unlocking by name: a forked child may still have the same file open
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


@contextmanager
def quiet(root: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Wait until nobody writes, and keep writers waiting while the block runs."""
    if not (root / LOCK).exists():
        yield
        return
    handle = os.open(root / LOCK, os.O_RDONLY)
    try:
        _acquire(root, handle, fcntl.LOCK_SH, wait_s)
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _acquire(root: Path, handle: int, mode: int, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise StoreBusyError(
                    f"store '{root}': {_holder(handle)} has it open for writing, and still had after {wait_s:g} s; rule: one writer at a "
                    "time; wait for it to end, or allow more time"
                ) from None
            time.sleep(POLL_S)
        else:
            return


def _sign(handle: int) -> None:
    """Say in the lock who holds it: for people, nothing depends on it."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now})
    os.ftruncate(handle, 0)
    os.pwrite(handle, text.encode(), 0)


def _holder(handle: int) -> str:
    try:
        told = json.loads(os.pread(handle, 4096, 0))
        return f"process {told['pid']} on {told['host']}, since {told['since']},"
    except (ValueError, KeyError, TypeError):
        return "another process"
