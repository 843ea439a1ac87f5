"""Before any route: who asks, whether he may, and how much; after it: headers that keep a browser from harm."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from serving.service.limits import Rate
from serving.service.tokens import READ, WRITE, Token, holder

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = frozenset({"/healthz"})
"""Routes that need no token: they say nothing but that the process is there."""

WRITES = frozenset({"/v1/observations"})
BEARER = "bearer "
NOBODY = Token("anyone", WRITE, "", "")
"""Who asks where no token is asked for, which is on loopback alone."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
CSP = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""For answers that are no page."""


@dataclass(frozen=True)
class Limits:
    """What a request may take.

    Attributes
    ----------
    body_bytes : of a request
    rows : of a request
    timeout_s : from its first byte to the last of the answer
    """

    body_bytes: int = 2_000_000
    rows: int = 10_000
    timeout_s: float = 30.0


class Gate:
    """Middleware around the application.

    Parameters
    ----------
    app : what is behind it
    tokens : gives those that hold now; None lets everyone in
    rate : of requests by holder
    limits : of a request
    """

    def __init__(self, app: App, tokens: Callable[[], Sequence[Token]] | None, rate: Rate, limits: Limits) -> None:
        self.app, self.tokens, self.rate, self.limits = app, tokens, rate, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer why not."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), *_guarding(message)]
            await send(message)

        async def refuse(status: int, why: str, *more: tuple[bytes, bytes]) -> None:
            body = to_json({"detail": why})
            head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
            await sent({"type": "http.response.start", "status": status, "headers": head})
            await sent({"type": "http.response.body", "body": body})

        refused = self._refused(scope)
        if refused is not None:
            await refuse(*refused)
            return
        try:
            async with asyncio.timeout(self.limits.timeout_s):
                body = await _whole(receive, self.limits.body_bytes)
                if body is None:
                    await refuse(*self._too_large())
                    return
                await self.app(scope, _given(body, receive), sent)
        except TimeoutError:
            if not started:
                await refuse(504, f"the request took longer than {self.limits.timeout_s:g} s")

    def _refused(self, scope: Scope) -> tuple[Any, ...] | None:
        headers = dict(scope["headers"])
        if scope["path"] not in OPEN:
            token = NOBODY if self.tokens is None else self._holder(headers)
            if token is None:
                return 401, "a token is needed: Authorization: Bearer TOKEN (appetite token add NAME)", (b"www-authenticate", b"Bearer")
            if scope["path"] in WRITES and not token.writes:
                return 403, f"token '{token.name}' may {READ}, and this needs one that may {WRITE}"
            wait = self.rate.wait_s(token.name)
            if wait:
                return 429, f"token '{token.name}' has asked too often; wait {wait:.1f} s", (b"retry-after", str(int(wait) + 1).encode())
            scope["token"] = token
        length = headers.get(b"content-length", b"0")
        return self._too_large() if length.isdigit() and int(length) > self.limits.body_bytes else None

    def _too_large(self) -> tuple[Any, ...]:
        return 413, f"the body is larger than {self.limits.body_bytes:,} bytes; send fewer rows at a time", (b"connection", b"close")

    def _holder(self, headers: dict[bytes, bytes]) -> Token | None:
        given = headers.get(b"authorization", b"").decode("latin-1")
        if self.tokens is None or not given.lower().startswith(BEARER):
            return None
        return holder(self.tokens(), given[len(BEARER) :].strip())


def _guarding(message: Message) -> list[tuple[bytes, bytes]]:
    own = {name.lower() for name, _ in message.get("headers", ())}
    return [(name, value) for name, value in (*HEADERS, (b"content-security-policy", CSP)) if name not in own]


async def _whole(receive: Receive, most: int) -> bytes | None:
    """Read a body; None where it is beyond the limit, or its sender has gone."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _given(body: bytes, receive: Receive) -> Receive:
    """Hand a body on that was read already."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return left.pop() if left else await receive()

    return given
