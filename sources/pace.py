"""How patiently a vendor's own client is asked, where the connection is its and not ours."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sources.errors import PassingError, WebError
from sources.retry import retrying

T = TypeVar("T")


@dataclass(frozen=True)
class Pace:
    """Limits of one question with its repetitions.

    Attributes
    ----------
    attempts : for faults that may pass
    seconds : for all attempts and the waits between them
    clock, sleep : in seconds; given by tests
    """

    attempts: int = 5
    seconds: float = 300.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.seconds <= 0:
            raise ValueError(f"attempts is {self.attempts}, seconds is {self.seconds}; rule: at least 1, and above 0")

    def repeated(self, who: str, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it raises no `PassingError`, and put the last one into words.

        Raises
        ------
        WebError
            One line with who was asked, what was wrong and the way out.
        """
        began, count = self.clock(), 0

        def counted() -> T:
            nonlocal count
            count += 1
            return attempt()

        try:
            return retrying(self.attempts, began + self.seconds, self.clock, self.sleep)(counted)
        except PassingError as fault:
            tried = f"{count} attempt{'s' if count > 1 else ''} in {self.clock() - began:.0f} s"
            way_out = "try again later" if fault.status else "check the network connection (or proxy) and try again"
            raise WebError(f"{who}: {fault.reason} ({tried}); {way_out}", fault.status) from None
