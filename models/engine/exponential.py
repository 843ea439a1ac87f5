"""The exponential function over a block, in vectors: a call of the C library for each number is five times slower."""

import math

import numpy as np

from models.engine.compile import compiled

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""ln 2 in two parts, the first exact in 33 bits, so that the remainder below keeps its digits (Cody and Waite 1980)."""

C1, C2, C3, C4, C5 = 1.0000000000000013, 0.5000000000000001, 0.16666666666615607, 0.04166666666662407, 0.008333333367331792
C6, C7, C8, C9, C10 = 0.0013888888917222549, 1.9841190616166207e-4, 2.4801521292242935e-5, 2.7632655611531226e-6, 2.762008805168197e-7
"""(exp(r) - 1) / r interpolated in the Chebyshev points of abs(r) <= ln(2) / 2: 1 + r times it is within 6e-16 of exp(r)."""

LEAST = -200.0
"""Anything lower is given as e to this power, 1e-87: nothing beside 1, and products of three are still normal numbers, which are fast."""


@compiled
def exponentiate(x, bits, n):
    """Replace the first `n` values of `x`, none above 0, by their exponentials.

    exp(x) = 2^k exp(r) with abs(r) <= ln(2) / 2, exp(r) by a polynomial of degree 10. Relative error under
    1e-15 (2 + abs(x) / 25), the second part because reordered sums undo the two parts of ln 2.

    Parameters
    ----------
    x : (block,) values, replaced
    bits : (block,) int64, scratch
    """
    for t in range(n):
        v = max(x[t], LEAST)
        k = math.floor(v * LOG2_E + 0.5)
        r = (v - k * LN2_HIGH) - k * LN2_LOW
        p = C10 * r + C9
        p = p * r + C8
        p = p * r + C7
        p = p * r + C6
        p = p * r + C5
        p = p * r + C4
        p = p * r + C3
        p = p * r + C2
        p = p * r + C1
        bits[t] = (np.int64(k) + 1023) << 52  # 2^k, as its bits
        x[t] = p * r + 1.0
    powers = bits.view(np.float64)
    for t in range(n):
        x[t] *= powers[t]
