"""A server on this machine, and a client that does not wait."""

from collections.abc import Iterator

import pytest

from sources.web import WebClient
from tests.sources.local_server import Clock, Server, local_server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is asked itself, whatever stands between it and others."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    with local_server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> WebClient:
    return WebClient("Jane Doe jane@example.org", per_second=1e6, clock=clock.now, sleep=clock.sleep)
