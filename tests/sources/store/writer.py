"""A process that starts writers to be killed. It reads lines `WORD NUMBER ROOT` and answers each with the id of a new process.

It imports everything once and then forks, since importing takes far longer than a write. The words:

- `on`: write batch after batch from NUMBER, and append to ROOT.told the number of each that was acknowledged
- `die`: write batch 0, and die without a word before the step NUMBER of those that change the disk
- `five`: write five batches from NUMBER
- `compact` and `migrate`: put files together, or bring the store up, and die before the step NUMBER
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from features.schemas import checked
from sources.calendar import sessions
from sources.store import Store, migrate
from tests.sources.store.batches import macro, prices

DAYS = sessions("2024-01-02", "2024-03-28")


def write(root: Path, number: int) -> None:
    """Write batch `number`: three macro records and four prices, which have to be there together."""
    name = f"batch {number}"
    rows = [(name, f"2024-01-0{day}", float(number), "2024-02-01") for day in (2, 3, 4)]
    Store.open(root).write({"macro": macro(*rows), "prices": prices(name, DAYS[:4])}, source=name)


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

    os.fsync, os.replace, os.mkdir, os.unlink = (counted(done) for done in (os.fsync, os.replace, os.mkdir, os.unlink))


def work(word: str, number: int, root: Path) -> None:
    if word == "die":
        die_at(number)
        write(root, 0)
        Path(f"{root}.told").write_text("0\n")
    elif word == "five":
        for each in range(number, number + 5):
            write(root, each)
    elif word in ("compact", "migrate"):
        die_at(number)
        Store.open(root).compact() if word == "compact" else migrate(root)
        Path(f"{root}.told").write_text("0\n")
    else:
        told = os.open(f"{root}.told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for each in range(number, number + 1000):
            write(root, each)
            os.write(told, f"{each}\n".encode())


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that the dead leave no trace
    # what is slow the first time, done once; polars has threads, which a fork would lose, so it is left alone
    checked("macro", macro(("a", "2024-01-02", 1.0, "2024-01-03")), {})
    checked("prices", prices("a", DAYS[:4]), {})
    for line in sys.stdin:
        word, number, root = line.strip().split(" ", 2)
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            work(word, int(number), Path(root))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
