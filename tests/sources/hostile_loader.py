"""Load market files one after the other under a limit of memory, and tell how each was refused: a process of its own."""

import json
import sys
import time
import traceback
from pathlib import Path

from features.errors import DataError
from sources import load_market

ROOM = 1 << 30
"""Bytes that loading may take beyond what the program has once it has loaded a market: its libraries reserve some at their first use."""


def main(good: str) -> None:
    """Read {name: market file} on standard input and write {name: [kind of error, its text, seconds]}; `good` is one without a fault."""
    load_market(good)
    _limit()
    answers = {}
    for name, path in json.load(sys.stdin).items():
        begin = time.perf_counter()
        try:
            load_market(path)
            kind, text = "none", ""
        except DataError as error:
            kind, text = "DataError", str(error)
        except BaseException as error:
            kind, text = type(error).__name__, traceback.format_exc()[-700:]
        answers[name] = [kind, text, time.perf_counter() - begin]
    json.dump(answers, sys.stdout)


def _limit() -> None:
    status = Path("/proc/self/status")
    if not status.is_file():  # only Linux tells what is taken already
        return
    import resource

    taken = int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmSize"))) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1])
