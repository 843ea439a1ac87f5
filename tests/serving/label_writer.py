"""A process that starts writers of labels to be killed. It reads lines `WORD NUMBER FOLDER` and answers each with a new process's id.

It imports everything once and then forks, since importing takes far longer than a write. The words:

- `on`: publish batch after batch from NUMBER, and append to FOLDER.told the number of each that was acknowledged
- `die`: publish batch 1 after batch 0, and die without a word before the step NUMBER of those that change the disk
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.serving.labels import said, series_in

DAYS = 3
"""Sessions that a batch publishes; it besides revises the last one of the batch before, so that both files change."""


def write(folder: Path, number: int) -> None:
    """Publish batch `number`, by a version of its own."""
    first = number * DAYS
    new = [said(day % 400, 0.9) for day in range(first, first + DAYS)]
    old = [said(first - 1, 0.3)] if number else []
    series_in(folder).publish(str(number), [*old, *new])


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

    os.fsync, os.replace, os.mkdir = (counted(done) for done in (os.fsync, os.replace, os.mkdir))


def work(word: str, number: int, folder: Path) -> None:
    if word == "die":
        die_at(number)
        write(folder, 0)
        write(folder, 1)
        Path(f"{folder}.told").write_text("0\n1\n")
        return
    told = os.open(f"{folder}.told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for each in range(number, 400 // DAYS):
        write(folder, each)
        os.write(told, f"{each}\n".encode())


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that the dead leave no trace
    for line in sys.stdin:
        word, number, folder = line.strip().split(" ", 2)
        child = os.fork()
        if child == 0:
            work(word, int(number), Path(folder))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
