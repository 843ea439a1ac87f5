"""A server on this machine that answers as it is told: throttling, faults, half bodies, slow bodies, ranges."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What to send: `cut` bytes of the body only, `slow` seconds between its pieces of `piece` bytes."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    slow: float = 0.0
    piece: int = 1 << 16
    length: bool = True


@dataclass
class Server:
    """Answers by path, in order, the last one for ever; `seen` holds path and headers of every request."""

    url: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def on(self, path: str, *answers: Answer) -> str:
        self.answers[path] = list(answers)
        return self.url + path

    def serve_file(self, path: str, body: bytes, etag: str, cuts: tuple[int | None, ...] = (None,)) -> str:
        """Answer ranges of one file as RFC 9110 says, breaking off after so many bytes at each request."""
        left = list(cuts)

        def answer(headers: dict[str, str]) -> Answer:
            cut = left.pop(0) if len(left) > 1 else left[0]
            tags = {"ETag": etag, "Content-Type": "application/octet-stream"}
            asked = headers.get("Range", "")
            if asked and headers.get("If-Range") == etag:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                if start >= len(body):
                    return Answer(status=416, headers=tags)
                return Answer(body[start:], 206, tags | {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}, cut)
            return Answer(body, 200, tags, cut)

        self.dynamic[path] = answer
        return self.url + path

    dynamic: dict[str, Callable[[dict[str, str]], Answer]] = field(default_factory=dict)


@contextmanager
def local_server() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = dict(self.headers)
            server.seen.append((self.path, headers))
            path = self.path.split("?")[0]
            if path in server.dynamic:
                answer = server.dynamic[path](headers)
            else:
                queue = server.answers.get(path, [Answer(b"nothing here", 404)])
                answer = queue.pop(0) if len(queue) > 1 else queue[0]
            self._send(answer)

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.length:
                self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            body = answer.body if answer.cut is None else answer.body[: answer.cut]
            try:
                for start in range(0, len(body), answer.piece):
                    self.wfile.write(body[start : start + answer.piece])
                    self.wfile.flush()
                    if answer.slow and server.stop.wait(answer.slow):
                        return
            except (BrokenPipeError, ConnectionResetError):
                pass

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop.set()
        http.shutdown()
        http.server_close()
        thread.join()


class Clock:
    """A clock that moves when somebody sleeps, and with the real one besides."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            return time.monotonic() - self._began + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
