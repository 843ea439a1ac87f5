"""One writer of a series of labels at a time."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.errors import LabelError

LOCK = "lock"
POLL_S = 0.02
WAIT_S = 10.0
"""How long a writer waits for another one, whose work is done in a fraction of it."""


@contextmanager
def locked(folder: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold a folder for writing while the block runs; the kernel gives the lock back when its holder dies.

    Parameters
    ----------
    folder : on the local disk, since locks of network file systems are not to be relied on
    wait_s : seconds to wait for another writer

    Raises
    ------
    LabelError
        Where another process still holds it then.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(folder, handle, wait_s)
        yield
    finally:
        # unlocking by name: a forked child may still have the same file open
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _acquire(folder: Path, handle: int, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LabelError(
                    f"labels '{folder}': another process has them open for writing, and still had after {wait_s:g} s; rule: one writer at "
                    "a time; repeat this when it has ended"
                ) from None
            time.sleep(POLL_S)
        else:
            return
