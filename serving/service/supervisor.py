"""The parent: holds the socket, keeps workers, and lets a new champion take over once it has shown that it answers rightly."""

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from serving.errors import ServingError
from serving.service.child import Child, start
from serving.service.settings import TOKENS, ServeConfig
from serving.service.tokens import TokenFile

BACKLOG = 512
LONGEST_PAUSE_S = 30.0
"""Between two starts of a worker that dies again and again."""

TICK_S = 1.0
GRACE_S = 5.0
"""Beyond what requests in flight get, for a worker to go by itself."""


def check_address(config: ServeConfig, guarded: bool) -> None:
    """Refuse to answer strangers.

    Raises
    ------
    ServingError
        Where the address is not of this machine alone and no token is asked for or there is none; where tokens are asked for and there are
        none.
    """
    if not guarded and not config.on_loopback:
        raise ServingError(f"host '{config.host}': others can reach it; rule: --no-auth is for loopback (127.0.0.1, ::1) alone")
    if guarded and not TokenFile(config.state / TOKENS).read():
        raise ServingError(
            "there is no token, so nobody could ask; make one with `appetite token add NAME --role read`, or start with --no-auth on "
            "loopback"
        )


def listen(config: ServeConfig) -> socket.socket:
    """Take the address.

    Raises
    ------
    ServingError
        Where it cannot be had.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        return socket.create_server((config.host, config.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ServingError(
            f"address {config.host}:{config.port}: it cannot be had ({error.strerror or error}); name another port"
        ) from None


@dataclass
class Supervisor:
    """Keeps the workers.

    Attributes
    ----------
    config : of the service
    guarded : whether tokens are asked for
    listening : the socket that all workers share
    log : takes an event and what is known of it
    """

    config: ServeConfig
    guarded: bool
    listening: socket.socket
    log: Callable[..., None]
    serving: list[Child] = field(default_factory=list)
    candidate: Child | None = None
    going: list[Child] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    stopping: bool = False
    _wake: threading.Event = field(default_factory=threading.Event)
    _pause_s: float = 0.5
    _not_before: float = 0.0

    def run(self) -> int:
        """Serve until told to stop; give the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        first = self._start("")
        self.serving = [first]
        while not self.stopping:
            self._wake.wait(TICK_S)
            self._wake.clear()
            self._step()
            if not first.ready and first.failed:  # nothing was ever served
                self.log("failed", why=first.failed)
                self._end()
                raise ServingError(first.failed)
        self._end()
        return 0

    def _stop(self, *_: object) -> None:
        self.stopping = True
        self._wake.set()

    def _step(self) -> None:
        self._judge_candidate()
        self._replace_dead()
        self._fill_up()
        self._look_for_champion()
        self._drain()

    def _start(self, version: str) -> Child:
        self.log("worker starts", version=version or self.config.alias)
        return start(self.config, version, self.guarded, self.listening.fileno(), self._wake.set)

    def _judge_candidate(self) -> None:
        """Let a candidate take over, or say why it may not."""
        new = self.candidate
        if new is None:
            return
        late = time.monotonic() - new.started > self.config.start_s
        if new.ready:
            self.log("takes over", version=new.version, before=self.serving[0].version if self.serving else "")
            old, self.serving, self.candidate = self.serving, [new], None
            self._send_away(old)
            self.refused.clear()
            self._tell()
        elif new.failed or not new.alive or late:
            why = new.failed or (f"it was not ready in {self.config.start_s:g} s" if late else f"it ended with {new.process.returncode}")
            self.refused[new.version] = f"version {new.version} is champion and may not take over: {why}"
            self.log("refused", version=new.version, why=why)
            self.candidate = None
            self._send_away([new])
            self._tell()

    def _replace_dead(self) -> None:
        dead = [each for each in self.serving if not each.alive]
        if not dead or time.monotonic() < self._not_before:
            return
        for child in dead:
            self.log("worker died", version=child.version, code=child.process.returncode, why=child.failed)
            child.send_away()
            self.serving[self.serving.index(child)] = self._start(child.version)
        lived_s = time.monotonic() - max(child.started for child in dead)
        self._pause_s = 0.5 if lived_s > LONGEST_PAUSE_S else min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._not_before = time.monotonic() + self._pause_s
        self._tell()

    def _fill_up(self) -> None:
        """Start the other workers once the first one has shown that its version answers."""
        if self.serving and self.serving[0].ready and len(self.serving) < self.config.workers:
            missing = self.config.workers - len(self.serving)
            self.serving += [self._start(self.serving[0].version) for _ in range(missing)]

    def _look_for_champion(self) -> None:
        told = next((each.champion for each in self.serving if each.champion), "")
        served = self.serving[0].version if self.serving else ""
        if not told or not served or told == served or self.candidate is not None:
            if told == served and self.refused:  # taken back
                self.refused.clear()
                self._tell()
            return
        if told not in self.refused:
            self.candidate = self._start(told)

    def _send_away(self, children: list[Child]) -> None:
        for child in children:
            child.send_away()
        self.going += children

    def _drain(self) -> None:
        """Let those that go end what they have begun, and no longer than they may."""
        for child in list(self.going):
            if not child.alive:
                self.going.remove(child)
                self.log("worker went", version=child.version)
            elif time.monotonic() > child.sent_away + self.config.drain_s + GRACE_S:
                self.log("worker killed", version=child.version, why="it did not go")
                child.process.kill()

    def _tell(self) -> None:
        for child in self.serving:
            child.tell({"refused": "; ".join(self.refused.values())})

    def _end(self) -> None:
        """Send all away, and end those that do not go."""
        self.log("stops")
        self.listening.close()
        every = [*self.serving, *self.going, *([self.candidate] if self.candidate else [])]
        for child in every:
            child.send_away()
        deadline = time.monotonic() + self.config.drain_s + GRACE_S
        for child in every:
            try:
                child.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
