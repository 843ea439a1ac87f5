"""A process that answers with one version: loads it, checks it, says so, and serves until it is told to go.

Two versions in one process would run the first one's code; so a new one gets a new process.
"""

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.errors import ServingError
from serving.service.engine import Engine, load_engine
from serving.service.registry import Registry, RegistryError
from serving.service.settings import STORE, TOKENS, ServeConfig

CHAMPION, READY, FAILED, REGISTRY = "champion", "ready", "failed", "registry"
"""What a worker tells its parent."""

TOKENS_S = 1.0
"""Seconds after which a token that was revoked opens nothing any more."""


@dataclass
class Standing:
    """What of the service is not as it should be, by who said so."""

    faults: dict[str, str] = field(default_factory=dict)

    def why(self) -> Sequence[str]:
        """Give what is wrong, in words."""
        return [each for each in self.faults.values() if each]


@dataclass(frozen=True)
class Parent:
    """The lines to and from the parent.

    Attributes
    ----------
    told : where the worker writes, a JSON object a line
    heard : where it reads; it ends when the parent does
    """

    told: int
    heard: int

    def tell(self, kind: str, value: str) -> None:
        """Tell the parent; a parent that has gone is noticed elsewhere."""
        with suppress(OSError):
            os.write(self.told, json.dumps({"kind": kind, "value": value}).encode() + b"\n")


def main(words: Sequence[str]) -> int:
    """Serve: settings as JSON, version or '', whether tokens are asked for, listening socket, two pipes."""
    settings, version, guarded, listening, told, heard = words
    config, parent = ServeConfig.model_validate_json(settings), Parent(int(told), int(heard))
    registry, standing = Registry(config.model, config.alias, config.state), Standing()
    try:
        version = version or _chosen(registry, standing)
        engine = load_engine(config.model, version, registry.copy_of(version))
    except ServingError as error:
        parent.tell(FAILED, str(error))
        return 2
    return _serve(engine, config, registry, standing, parent, guarded == "guarded", int(listening))


def _chosen(registry: Registry, standing: Standing) -> str:
    """Ask for the champion; where nobody answers, take the last good one and say so."""
    try:
        return registry.champion()
    except RegistryError as error:
        last = registry.last_good()
        if last is None:
            raise
        standing.faults[REGISTRY] = f"{error}; version {last} goes on, the last good one"
        return last


def _serve(
    engine: Engine, config: ServeConfig, registry: Registry, standing: Standing, parent: Parent, guarded: bool, listening: int
) -> int:
    import uvicorn

    from serving.service.app import make_app  # after the model: what they share with the logged code must come from there
    from serving.service.gate import Limits
    from serving.service.limits import Rate
    from serving.service.store import Store

    asked = config.limits
    try:
        app = make_app(
            engine,
            Store(config.state / STORE),
            tokens=TokenReader(config.state / TOKENS) if guarded else None,
            rate=Rate(asked.per_minute, asked.burst),
            limits=Limits(asked.body_bytes, asked.rows, asked.timeout_s),
            ready=standing.why,
        )
    except ServingError as error:
        parent.tell(FAILED, str(error))
        return 2
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=int(config.drain_s) or 1)
    )
    threading.Thread(target=_listen, args=(parent, standing, server), daemon=True).start()
    threading.Thread(target=_watch, args=(registry, config.watch_s, parent, standing), daemon=True).start()
    registry.remember(engine.served.version)
    parent.tell(READY, engine.served.version)
    server.run(sockets=[socket.socket(fileno=listening)])
    return 0


def _listen(parent: Parent, standing: Standing, server: Any) -> None:
    """Take in what the parent says; go when it has gone."""
    with os.fdopen(parent.heard, encoding="utf-8") as lines:
        for line in lines:
            standing.faults |= json.loads(line)
    server.should_exit = True


def _watch(registry: Registry, every_s: float, parent: Parent, standing: Standing) -> None:
    """Tell the parent which version is champion, as often as it should be looked at."""
    while True:
        time.sleep(every_s)
        try:
            parent.tell(CHAMPION, registry.champion())
            standing.faults[REGISTRY] = ""
        except RegistryError as error:
            standing.faults[REGISTRY] = f"{error}; this version goes on, the last good one"
        except Exception as error:
            standing.faults[REGISTRY] = f"registry: {type(error).__name__}; this version goes on, the last good one"


class TokenReader:
    """Tokens as the file has them now; read again where it was written, looked at once a second.

    A file that cannot be read opens nothing.
    """

    def __init__(self, path: Path) -> None:
        from serving.service.tokens import Token, TokenFile

        self._file, self._tokens, self._mark, self._next = TokenFile(path), tuple[Token, ...](), (0, 0), 0.0

    def __call__(self) -> Sequence[Any]:
        """Give the tokens that hold."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + TOKENS_S
            try:
                seen = self._file.path.stat()
                mark = (seen.st_mtime_ns, seen.st_ino)
                if mark != self._mark:
                    self._tokens, self._mark = self._file.read(), mark
            except (OSError, ServingError):
                self._tokens, self._mark = (), (0, 0)
        return self._tokens


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
