"""The exponential function over a block, in vectors: a call of the C library for each number is five times slower."""

import math

import numpy as np

from models.engine.compile import compiled

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""ln 2 in two parts, the first exact in 33 bits, so that the remainder below keeps its digits (Cody and Waite 1980)."""

LEAST = -200.0
"""Anything lower is given as e to this power, 1e-87: nothing beside 1, and products of three are still normal numbers, which are fast."""


@compiled
def exponentiate(x, bits, n):
    """Replace the first `n` values of `x`, none above 0, by their exponentials.

    exp(x) = 2^k exp(r) with abs(r) <= ln(2) / 2, exp(r) by its Taylor polynomial of degree 12. Relative error under
    1e-15 (1 + abs(x) / 25), the second part because reordered sums undo the two parts of ln 2.

    Parameters
    ----------
    x : (block,) values, replaced
    bits : (block,) int64, scratch
    """
    for t in range(n):
        v = max(x[t], LEAST)
        k = math.floor(v * LOG2_E + 0.5)
        r = (v - k * LN2_HIGH) - k * LN2_LOW
        p = r / 479001600.0 + 1.0 / 39916800.0
        p = p * r + 1.0 / 3628800.0
        p = p * r + 1.0 / 362880.0
        p = p * r + 1.0 / 40320.0
        p = p * r + 1.0 / 5040.0
        p = p * r + 1.0 / 720.0
        p = p * r + 1.0 / 120.0
        p = p * r + 1.0 / 24.0
        p = p * r + 1.0 / 6.0
        p = p * r + 0.5
        p = p * r + 1.0
        bits[t] = (np.int64(k) + 1023) << 52  # 2^k, as its bits
        x[t] = p * r + 1.0
    powers = bits.view(np.float64)
    for t in range(n):
        x[t] *= powers[t]
