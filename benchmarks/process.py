"""CPU time and memory as the operating system counts them."""

import resource
import sys

UNIT_MB = 2**-20 if sys.platform == "darwin" else 2**-10
"""`ru_maxrss` is in bytes there and in KB elsewhere."""


def own_peak_mb() -> float:
    """Most memory this process has held: its imports and inputs count."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT_MB


def children_cost() -> tuple[float, float]:
    """CPU seconds of all ended children together, and the most memory that one of them has held, in MB."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, used.ru_maxrss * UNIT_MB
