"""When to ask again: faults that may pass, and how long to wait for it."""

import datetime
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import tenacity

from sources.errors import PassingError

FIRST_WAIT, LONGEST_WAIT, JITTER = 1.0, 30.0, 1.0
"""Seconds: the wait doubles from the first to the longest, and up to the jitter is added so that clients do not come back together."""


def retry_after(value: str | None, now: datetime.datetime) -> float:
    """Read a `Retry-After` header: seconds, or a date after `now` (UTC); 0 where it says neither (RFC 9110, 10.2.3)."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max(0.0, (moment - now).total_seconds())


def retrying(attempts: int, deadline: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> tenacity.Retrying:
    """Repeat on `PassingError`, waiting longer each time, and never past `deadline` of `clock`.

    The wait is the longer of an exponential back-off with jitter and what the server asked for.
    """
    backoff = tenacity.wait_exponential_jitter(initial=FIRST_WAIT, max=LONGEST_WAIT, jitter=JITTER)

    def wait(state: tenacity.RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        asked = fault.wait if isinstance(fault, PassingError) else 0.0
        return max(asked, backoff(state))

    def stop(state: tenacity.RetryCallState) -> bool:
        return state.attempt_number >= attempts or clock() + state.upcoming_sleep > deadline

    return tenacity.Retrying(retry=tenacity.retry_if_exception_type(PassingError), wait=wait, stop=stop, sleep=sleep, reraise=True)


def root_cause(error: BaseException) -> str:
    """Give the innermost cause in words: the outer ones repeat it with addresses of objects."""
    seen: BaseException = error
    while True:
        inner = getattr(seen, "reason", None) or seen.__cause__ or seen.__context__ or next(iter(seen.args), None)
        if not isinstance(inner, BaseException):
            break
        seen = inner
    words = getattr(seen, "strerror", None) or str(seen) or type(seen).__name__
    return " ".join(str(words).split())
