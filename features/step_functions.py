"""Sums and medians over values that hold for spans of sessions, without a grid of sessions and series."""

import math

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Values = NDArray[np.float64]

LIMB = 26
"""Bits of a part of a number; 2^26 parts add up exactly in a float64."""


def step_counts(begin: Whole, stop: Whole, n_sessions: int) -> Whole:
    """Count the spans [begin, stop) that hold each session."""
    change = np.bincount(begin, minlength=n_sessions + 1) - np.bincount(stop, minlength=n_sessions + 1)
    counts: Whole = np.cumsum(change[:n_sessions])
    return counts


def step_sums(values: Values, begin: Whole, stop: Whole, n_sessions: int) -> Values:
    """Add up the values of the spans that hold each session, rounded once: to the bits of `math.fsum`.

    Parameters
    ----------
    values : (n_spans,), finite; begin, stop : (n_spans,) sessions
    n_sessions : int

    Returns
    -------
    array of shape (n_sessions,)

    Notes
    -----
    Each value is cut into integers of 26 bits times powers of two, whose running sums are exact. A sum therefore hangs neither on the
    order of the spans nor on what was added and taken off before, as a running sum of floats would.
    """
    _, exponent = np.frexp(values[values != 0])
    if not len(exponent):
        return np.zeros(n_sessions)
    # the lowest bit of a float64 is 2^-1074
    lowest, highest = max(int(exponent.min()) - 53, -1074), int(exponent.max())
    rest, parts = values.copy(), []
    for power in reversed(range(lowest, highest, LIMB)):
        limb = np.trunc(np.ldexp(rest, -power))
        rest -= np.ldexp(limb, power)
        change = np.bincount(begin, limb, n_sessions + 1) - np.bincount(stop, limb, n_sessions + 1)
        parts.append(np.ldexp(np.cumsum(change[:n_sessions]), power))
    return np.array([math.fsum(each) for each in np.stack(parts, axis=1).tolist()])


def step_medians(values: Values, begin: Whole, stop: Whole, n_sessions: int) -> Values:
    """Find the median of the values of the spans that hold each session, NaN where there are none.

    Parameters
    ----------
    values : (n_spans,); begin, stop : (n_spans,) sessions
    n_sessions : int

    Returns
    -------
    array of shape (n_sessions,)

    Notes
    -----
    Values are sorted once. Which are present is kept by rank, and counted by blocks of about the square root of their number, so that a
    session costs its changes and two short searches.
    """
    out = np.full(n_sessions, np.nan)
    size = max(math.isqrt(len(values)), 1)
    order = np.argsort(values, kind="stable")
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.arange(len(values))
    ranked = values[order]
    present = np.zeros((len(values) // size + 1, size), dtype=np.int64)
    blocks, flat = np.zeros(len(present), dtype=np.int64), present.reshape(-1)
    came, went = _by_session(begin, rank, n_sessions), _by_session(stop, rank, n_sessions)
    median = np.nan
    for session in range(n_sessions):
        new, old = came[session], went[session]
        if len(new) or len(old):
            flat[new] += 1
            flat[old] -= 1
            blocks += np.bincount(new // size, minlength=len(blocks)) - np.bincount(old // size, minlength=len(blocks))
            median = _middle(ranked, present, blocks, size)
        out[session] = median
    return out


def _by_session(session: Whole, rank: Whole, n_sessions: int) -> list[Whole]:
    order = np.argsort(session, kind="stable")
    bounds = np.searchsorted(session[order], np.arange(1, n_sessions + 1))
    return np.split(rank[order], bounds)


def _middle(ranked: Values, present: Whole, blocks: Whole, size: int) -> float:
    reached = np.cumsum(blocks)
    n = int(reached[-1])
    if not n:
        return np.nan
    low, high = (n + 1) // 2, n // 2 + 1
    found = [_nth(ranked, present, reached, each, size) for each in {low, high}]
    return sum(found) / len(found)


def _nth(ranked: Values, present: Whole, reached: Whole, n: int, size: int) -> float:
    block = int(np.searchsorted(reached, n))
    before = int(reached[block - 1]) if block else 0
    return float(ranked[block * size + int(np.searchsorted(np.cumsum(present[block]), n - before))])
