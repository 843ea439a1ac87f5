"""A small service on a free port of this machine, with a model of two states."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import uvicorn

from models.scoring import Scorer
from serving.service.app import make_app
from serving.service.engine import Engine, Served
from serving.service.gate import Limits
from serving.service.limits import Rate
from serving.service.store import Store
from serving.service.tokens import READ, WRITE, Token, digest
from tests.models.test_scoring import DAYS, N_PUBLISHED
from tests.serving.test_card import facts_of

READER, WRITER = "reader-secret", "writer-secret"
TOKENS = (Token("desk", READ, digest(READER), ""), Token("feed", WRITE, digest(WRITER), ""))


def engine_of(scorer: Scorer, version: str = "3") -> Engine:
    trained_to = f"{DAYS[N_PUBLISHED - 1]:%Y-%m-%d}"
    facts = facts_of(trained_to=trained_to)
    return Engine(Served("appetite", version, "run", "code"), scorer, facts | {"today": facts["today"] | {"session": trained_to}})


class Client:
    """Asks a service with a token."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, requests.Session()

    def get(self, path: str, token: str | None = READER, **more) -> requests.Response:
        return self.session.get(self.url + path, headers=_headers(token), timeout=10, **more)

    def post(self, path: str, token: str | None = WRITER, headers: dict[str, str] | None = None, **more) -> requests.Response:
        return self.session.post(self.url + path, headers=_headers(token) | (headers or {}), timeout=10, **more)


def _headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@contextmanager
def running(engine: Engine, path: Path, *, limits: Limits | None = None, rate: Rate | None = None) -> Iterator[Client]:
    store = Store(path)
    app = make_app(engine, store, tokens=lambda: TOKENS, rate=rate or Rate(60_000, 10_000), limits=limits or Limits())
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    client = Client(f"http://127.0.0.1:{listening.getsockname()[1]}")
    try:
        yield client
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        client.session.close()
        listening.close()
        store.close()
