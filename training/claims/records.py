"""What not to do: every record day as an event of its own, and a t-test as if days were independent (METHODS 4)."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from models.inference import Array
from training.claims.outcomes import Positions


@dataclass(frozen=True)
class RecordDayTest:
    """A test that rejects a true null in half of all histories.

    Attributes
    ----------
    n : record days, taken for independent
    mean : of what followed them, less that of every session
    t, p : two-sided; NaN under two days
    """

    n: int
    mean: float
    t: float
    p: float


def record_day_test(forward: Array, at: Positions) -> RecordDayTest:
    """Compare what followed every record day with what followed any session, by the t-test of independent rows.

    Parameters
    ----------
    forward : (n,) forward return from each session, those over
    at : positions of the record days
    """
    excess = forward[at] - forward.mean() if len(forward) else np.empty(0)
    n = len(excess)
    if n < 2 or np.ptp(excess) == 0:
        return RecordDayTest(n, float(excess.mean()) if n else float("nan"), float("nan"), float("nan"))
    t = float(excess.mean() / (excess.std(ddof=1) / np.sqrt(n)))
    return RecordDayTest(n, float(excess.mean()), t, float(2 * student.sf(abs(t), n - 1)))
