"""A worker as its parent sees it: started with the listening socket, heard, told and sent away."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from serving.service.settings import ServeConfig


@dataclass
class Child:
    """One worker.

    Attributes
    ----------
    version : that it is to serve; empty until it has chosen the champion itself
    process : the worker
    ready, failed : whether it answers, or why it never will
    champion : version that it says carries the alias
    started, sent_away : seconds on the monotonic clock
    """

    version: str
    process: subprocess.Popen[bytes]
    told: int
    started: float
    ready: bool = False
    failed: str = ""
    champion: str = ""
    sent_away: float = float("inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def tell(self, faults: Mapping[str, str]) -> None:
        """Tell the worker what is wrong besides; one that has gone is noticed elsewhere."""
        with self._lock:
            try:
                os.write(self.told, json.dumps(faults).encode() + b"\n")
            except OSError:
                return

    def send_away(self) -> None:
        """Ask it to end what it has begun, and go."""
        with self._lock:
            if self.told >= 0:
                self.sent_away = time.monotonic()
                os.close(self.told)
                self.told = -1

    def hear(self, line: Mapping[str, str]) -> None:
        """Take in what the worker says."""
        kind, value = line["kind"], line["value"]
        if kind == "ready":
            self.version, self.ready = value, True
        elif kind == "failed":
            self.failed = value
        else:
            self.champion = value


def start(config: ServeConfig, version: str, guarded: bool, listening: int, wake: Callable[[], None]) -> Child:
    """Start a worker.

    Parameters
    ----------
    version : to serve; empty for the champion
    guarded : whether tokens are asked for
    listening : descriptor of the socket
    wake : called when the worker has said something, or has gone
    """
    heard_here, told_there = os.pipe()
    heard_there, told_here = os.pipe()
    words = [config.model_dump_json(), version, "guarded" if guarded else "open", str(listening), str(told_there), str(heard_there)]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "serving.service.worker", *words],
        pass_fds=(listening, told_there, heard_there),
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # a terminal's Ctrl-C is for the parent, which lets requests in flight end
    )
    os.close(told_there)
    os.close(heard_there)
    child = Child(version, process, told_here, time.monotonic())
    threading.Thread(target=_listen, args=(child, heard_here, wake), daemon=True).start()
    return child


def _listen(child: Child, heard: int, wake: Callable[[], None]) -> None:
    with os.fdopen(heard, encoding="utf-8") as lines:
        for line in lines:
            child.hear(json.loads(line))
            wake()
    child.process.wait()
    wake()
