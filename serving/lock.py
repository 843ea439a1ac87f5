"""One writer of a folder at a time."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "lock"
POLL_S = 0.02
WAIT_S = 10.0
"""How long a writer waits for another one, whose work is done in a fraction of it."""


@contextmanager
def locked(folder: Path, noun: str, error: type[ValueError], wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold a folder for writing while the block runs; the kernel gives the lock back when its holder dies.

    Parameters
    ----------
    folder : on the local disk, since locks of network file systems are not to be relied on
    noun, error : what the folder holds, and the error that says so
    wait_s : seconds to wait for another writer

    Raises
    ------
    ValueError
        Of the kind given, where another process still holds it then.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _acquire(handle, wait_s):
            raise error(
                f"{noun} '{folder}': another process has them open for writing, and still had after {wait_s:g} s; rule: one writer at "
                "a time; repeat this when it has ended"
            )
        yield
    finally:
        # unlocking by name: a forked child may still have the same file open
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _acquire(handle: int, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)
        else:
            return True
