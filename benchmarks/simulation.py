"""Drawing the sample market."""

import time

from benchmarks.measure import Cost, Limits, cpu_seconds
from benchmarks.process import own_peak_mb
from sources import simulate_market

LIMIT_S = 3.0


def run() -> Cost:
    """Draw once: a later call in the same process finds the exchange's calendar made, and takes about a third of the time."""
    start = time.perf_counter()
    cpu_s, _ = cpu_seconds(simulate_market, 1)
    return Cost(cpu_s, time.perf_counter() - start, own_peak_mb())


WORKS = [Limits("simulate_market: 13 years, 300 stocks", {f"limit of {LIMIT_S:.0f} CPU s": (LIMIT_S, "cpu_s")}, run)]
