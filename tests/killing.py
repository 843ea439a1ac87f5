"""Writers that are there to be killed.

They are forked from a process that has imported everything, since importing takes far longer than a write. It reads lines
`WORD NUMBER FOLDER` and answers each with the id of a new process; FOLDER.told is where a writer keeps what was acknowledged.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHANGES = ("fsync", "replace", "mkdir", "unlink")
"""Functions of `os` that change the disk."""


class Writers:
    """Starts writers and waits for their end."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def start(self, word: str, number: int, folder: Path) -> int:
        self.process.stdin.write(f"{word} {number} {folder}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self, pid: int) -> None:
        self.until(lambda: not alive(pid))

    def until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not reached():
            if time.monotonic() > deadline:
                raise TimeoutError("a writer takes longer than a minute")
            time.sleep(0.001)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def writers_of(module: str) -> Iterator[Writers]:
    """Run the process that a module serves with `fork_writers`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Writers(process)
        process.stdin.close()


def told(folder: Path) -> set[int]:
    path = Path(f"{folder}.told")
    return set(map(int, path.read_text().split())) if path.exists() else set()


def fork_writers(work: Callable[[str, int, Path], None]) -> None:
    """Serve lines of standard input, each with `work` in a process of its own."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that the dead leave no trace
    for line in sys.stdin:
        word, number, folder = line.strip().split(" ", 2)
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            work(word, int(number), Path(folder))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def die_at(step: int) -> None:
    """Let the process kill itself before the step that changes the disk for the `step`-th time, counted from 0."""
    left = step

    def counted(done: Callable) -> Callable:
        def call(*args: object, **more: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return done(*args, **more)

        return call

    for name in CHANGES:
        setattr(os, name, counted(getattr(os, name)))


def write_on(folder: Path, write: Callable[[Path, int], None], numbers: range) -> None:
    """Write batch after batch, and keep the number of each that was acknowledged."""
    told = os.open(f"{folder}.told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for each in numbers:
        write(folder, each)
        os.write(told, f"{each}\n".encode())
