"""What a handful of events allows one to say: counts of rises, exactly, and no more (METHODS 4)."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from models.inference import Array


@dataclass(frozen=True)
class Rises:
    """Rises among events against the base rate.

    Attributes
    ----------
    n, up : events, and how many of them were followed by a rise
    p : probability of as many rises or more at the base rate, exact binomial; NaN without events or base rate
    low, high : 95% interval of the share of rises (Clopper, Pearson 1934)
    """

    n: int
    up: int
    p: float
    low: float
    high: float


def count_rises(outcomes: Array, base: float) -> Rises:
    """Count rises and compare them with the share of rises from any session.

    Parameters
    ----------
    outcomes : (n,) log returns after the events
    base : share of rises from any session
    """
    n, up = len(outcomes), int(np.sum(outcomes > 0))
    if n == 0 or np.isnan(base):
        return Rises(n, up, float("nan"), 0.0, 1.0)
    test = binomtest(up, n, base, alternative="greater")
    interval = binomtest(up, n, base).proportion_ci(0.95, method="exact")
    return Rises(n, up, float(test.pvalue), float(interval.low), float(interval.high))
