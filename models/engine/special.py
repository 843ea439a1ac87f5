"""The digamma function, which compiled code has no library for."""

import math

from models.engine.compile import compiled

ASYMPTOTIC_FROM = 6.0


@compiled
def digamma(x):
    """Derivative of log gamma at x > 0: recurrence up to 6, then the asymptotic series (Abramowitz and Stegun 6.3.18), to 1e-12."""
    shift = 0.0
    while x < ASYMPTOTIC_FROM:
        shift -= 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    series = y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 - y / 12))))))
    return shift + math.log(x) - 0.5 / x - series
