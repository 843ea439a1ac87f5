"""How much one holder of a token may ask."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Bucket:
    """Requests that are left, filled up as time goes by."""

    left: float
    at: float


@dataclass(frozen=True)
class Rate:
    """A limit of requests by name.

    Attributes
    ----------
    per_minute : requests in the long run
    burst : requests at once
    clock : seconds that never go back
    """

    per_minute: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def wait_s(self, name: str) -> float:
        """Count a request; give 0 where it may go on, else the seconds after which it may."""
        now = self.clock()
        bucket = self._buckets.setdefault(name, Bucket(self.burst, now))
        bucket.left = min(self.burst, bucket.left + (now - bucket.at) * self.per_minute / 60.0)
        bucket.at = now
        if bucket.left < 1.0:
            return (1.0 - bucket.left) * 60.0 / self.per_minute
        bucket.left -= 1.0
        return 0.0
