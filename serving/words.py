"""How numbers are written on the screen and in the report: no more digits than they deserve."""

import math
from typing import Any

import pandas as pd

UNKNOWN, ENDLESS = "n/a", "no end"
LONGEST_STAY = 10_000
"""Expected sessions in a state, about 40 years, beyond which no history at hand can tell a stay from one without end."""
BEATS, INCONCLUSIVE, TOO_FEW = "beats the baseline", "does not beat the baseline", "too few rows to tell"
INFORMED, DESCRIPTIVE = "carries information, but its losses are not surely smaller", "descriptive: such a horizon cannot be established"
"""Verdicts on a forecast against its best baseline."""


def is_missing(value: Any) -> bool:
    """Whether a value is absent."""
    return value is None or bool(pd.isna(value))


def percent(log_return: Any) -> str:
    """Write a log return in per cent."""
    if is_missing(log_return):
        return UNKNOWN
    value = math.expm1(log_return)
    if abs(value) < 0.0005:
        return "0.0%"
    return f"{value:+.0%}" if abs(value) >= 0.095 else f"{value:+.1%}"


def share(value: Any, digits: int = 0) -> str:
    """Write a share in per cent."""
    return UNKNOWN if is_missing(value) else f"{value:.{digits}%}"


def signed(value: Any, digits: int = 1) -> str:
    """Write a difference or a skill in per cent, with its sign."""
    if is_missing(value):
        return UNKNOWN
    words = f"{value:+.{digits}%}"
    return words if words.strip("+-0.%") else words[1:]


def prob(value: Any) -> str:
    """Write a probability with two digits."""
    if is_missing(value):
        return UNKNOWN
    if value > 0.995 or value < 0.005:
        return ">.99" if value > 0.5 else "<.01"
    return f"{value:.2f}".removeprefix("0")


def p_value(value: Any) -> str:
    """Write a p-value."""
    if is_missing(value):
        return UNKNOWN
    return "under .001" if value < 0.001 else f"{value:.3f}".removeprefix("0") if value < 0.1 else f"{value:.2f}".removeprefix("0")


def number(value: Any, digits: int = 3) -> str:
    """Write a number with so many significant digits."""
    return UNKNOWN if is_missing(value) else f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def fixed(value: Any, digits: int) -> str:
    """Write a number with so many decimals."""
    return UNKNOWN if is_missing(value) else f"{value:,.{digits}f}"


def count(value: Any) -> str:
    """Write a number of things."""
    return UNKNOWN if is_missing(value) else f"{value:.0f}"


def ends(dwell: Any) -> bool:
    """Whether an expected stay in a state, in sessions, has an end worth telling; None is an endless one, as JSON has no infinity."""
    return not is_missing(dwell) and bool(dwell <= LONGEST_STAY)


def stay(dwell: Any) -> str:
    """Write an expected stay in a state, in sessions."""
    return f"{dwell:.0f}" if ends(dwell) else ENDLESS


def day(value: Any) -> str:
    """Write a date."""
    return UNKNOWN if is_missing(value) else f"{pd.Timestamp(value):%Y-%m-%d}"


def plain(name: Any) -> str:
    """Write an internal name for readers: risk_on, breakout_confirmed."""
    return UNKNOWN if is_missing(name) else str(name).replace("risk_", "risk-").replace("_", " ")


def plural(n: int, word: str) -> str:
    """Write a number of things with their word."""
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
