"""So many requests a second to one host, whoever in this process asks."""

import threading
from collections.abc import Callable


class Throttle:
    """Hand out instants at which a host may be asked, evenly spaced.

    Parameters
    ----------
    per_second : requests a second to each host
    clock : seconds of a clock that never goes back
    """

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._gap = 1.0 / per_second
        self._clock = clock
        self._free: dict[str, float] = {}
        self._lock = threading.Lock()

    def reserve(self, host: str) -> float:
        """Take the next free place at `host`, and give the seconds until it comes."""
        with self._lock:
            now = self._clock()
            place = max(now, self._free.get(host, now))
            self._free[host] = place + self._gap
        return place - now

    def hold(self, host: str, seconds: float) -> None:
        """Let nobody ask `host` for `seconds`: it said so."""
        with self._lock:
            self._free[host] = max(self._free.get(host, 0.0), self._clock() + seconds)
