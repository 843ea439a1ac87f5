"""A polite client of services over HTTP: named, slow enough, patient, and never trusting a body."""

import datetime
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import requests
import urllib3

from features.errors import DataError
from sources.address import host_of, next_address
from sources.content import Kind, checked
from sources.errors import PassingError, WebError
from sources.retry import retry_after, retrying, root_cause
from sources.throttle import Throttle

T = TypeVar("T")

CHUNK = 16 * 1024
"""Bytes taken at a time; a compressed chunk is inflated by no more than this at once."""

MOST_HOPS = 5
CONTACT = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class WebClient:
    """Ask services under a name, within limits of rate, time and size. One may be shared by threads.

    Parameters
    ----------
    user_agent : who asks, with an e-mail address, e.g. "Jane Doe jane@example.org"; the SEC refuses others
    per_second : requests a second to each host (the SEC allows 10)
    attempts : for faults that may pass: no connection, half a body, 408, 429, 5xx
    silence_seconds : a connection that says nothing for so long has failed
    clock, sleep : in seconds; given by tests

    Raises
    ------
    DataError
        Where `user_agent` names nobody.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        per_second: float = 5.0,
        attempts: int = 5,
        silence_seconds: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not CONTACT.search(user_agent) or not user_agent.isascii() or not user_agent.isprintable():
            raise DataError(
                f"User-Agent is {user_agent!r}; rule: a name and an e-mail address, which services ask for (the SEC refuses others), "
                "e.g. 'Jane Doe jane@example.org'"
            )
        if per_second <= 0 or attempts < 1:
            raise ValueError(f"per_second is {per_second}, attempts is {attempts}; rule: above 0, and at least 1")
        self.attempts, self.clock, self._sleep = attempts, clock, sleep
        self._silence = silence_seconds
        self._throttle = Throttle(per_second, clock)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        # no answer depends on an earlier one, so threads may share the session
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get(
        self, url: str, kind: Kind, *, params: Mapping[str, str] | None = None, max_bytes: int = 64 << 20, seconds: float = 120.0
    ) -> bytes:
        """Fetch a body into memory.

        Parameters
        ----------
        kind : what the body must be by its first bytes (`sources.content`)
        params : appended to the address
        max_bytes : of the body, inflated
        seconds : for the whole call with its attempts and waits

        Raises
        ------
        WebError
            One line with the host, what was wrong and the way out.
        """
        address = f"{url}?{urlencode(params)}" if params else url

        def attempt(deadline: float) -> bytes:
            with self.opened(address, {}, deadline) as response:
                body = self.body(response, deadline, max_bytes)
                kind_of = response.headers.get("Content-Type", "")
                return b"".join(checked(body, kind, kind_of, WebError, address))

        return self.repeated(address, attempt, seconds)

    def repeated(self, url: str, attempt: Callable[[float], T], seconds: float) -> T:
        """Call `attempt(deadline)` until it raises no `PassingError`, and put the last one into words."""
        began, host, count = self.clock(), host_of(url), 0

        def counted() -> T:
            nonlocal count
            count += 1
            return attempt(began + seconds)

        try:
            return retrying(self.attempts, began + seconds, self.clock, self._sleep)(counted)
        except PassingError as fault:
            asked = f", and asks to wait {fault.wait:.0f} s" if fault.wait else ""
            tried = f"{count} attempt{'s' if count > 1 else ''} in {self.clock() - began:.0f} s"
            way_out = "try again later" if fault.status else "check the network connection (or proxy) and try again"
            raise WebError(f"{host}: {fault.reason}{asked} ({tried}); {way_out}", fault.status) from None

    @contextmanager
    def opened(self, url: str, headers: Mapping[str, str], deadline: float) -> Iterator[requests.Response]:
        """Send one request, follow where it leads, and give a response of status 200, 206 or 416.

        Raises
        ------
        PassingError
            Where another attempt may help.
        WebError
            Where none will.
        """
        for _ in range(MOST_HOPS):
            response = self._send(url, headers, deadline)
            if not response.is_redirect:
                break
            response.close()
            url = next_address(url, response.headers["Location"])
        else:
            raise WebError(f"{urlsplit(url).netloc}: sends from address to address more than {MOST_HOPS} times; correct the address")
        with response:
            self._judge(url, response)
            yield response

    def body(self, response: requests.Response, deadline: float, max_bytes: int) -> Iterator[bytes]:
        """Give the body piece by piece, whole or not at all, within size and time."""
        declared, host = response.headers.get("Content-Length", ""), urlsplit(response.url).netloc
        too_big = WebError(f"{host}: the body of {response.url} is larger than {max_bytes} bytes; rule: at most that; it was not kept")
        if declared.isdigit() and int(declared) > max_bytes:
            raise too_big
        received = 0
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                received += len(chunk)
                if received > max_bytes:
                    raise too_big
                if self.clock() > deadline:
                    raise PassingError("the body did not come to its end in time")
                yield chunk
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise PassingError(f"the body broke off after {received} bytes: {root_cause(error)}") from None
        if declared.isdigit() and "Content-Encoding" not in response.headers and received != int(declared):
            raise PassingError(f"the body broke off: {received} of {declared} bytes came")

    def _send(self, url: str, headers: Mapping[str, str], deadline: float) -> requests.Response:
        host = urlsplit(url).netloc
        pause = self._throttle.reserve(host)
        left = deadline - self.clock() - pause
        if left <= 0:
            raise PassingError("no place came free within its rate limit before the time was up")
        if pause > 0:
            self._sleep(pause)
        silence = min(self._silence, left)
        try:
            return self._session.get(url, headers=dict(headers), stream=True, timeout=silence, allow_redirects=False)
        except (requests.exceptions.SSLError, requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise WebError(
                f"{host or url}: cannot be asked: {root_cause(error)}; correct the address, or the machine's certificates"
            ) from None
        except requests.exceptions.Timeout:
            raise PassingError(f"no answer within {silence:.0f} s") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise PassingError(f"cannot be reached: {root_cause(error)}") from None

    def _judge(self, url: str, response: requests.Response) -> None:
        status, host = response.status_code, urlsplit(url).netloc
        if status in (200, 206, 416):
            return
        reason = f"answers {status} {response.reason or ''}".rstrip()
        if status in (408, 429) or status >= 500:
            wait = retry_after(response.headers.get("Retry-After"), datetime.datetime.now(datetime.UTC))
            self._throttle.hold(host, wait)
            raise PassingError(reason, wait, status)
        way_out = {403: "check the User-Agent and the rate the host allows", 404: "correct the address"}.get(status, "check the address")
        raise WebError(f"{host}: {reason} for {url}; {way_out}", status)
