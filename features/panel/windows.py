"""Sums and extremes over the last n values, each from those n values alone: a tail gives the same bits as the whole history.

A sum is a binary tree: the window falls into blocks of powers of two, the largest newest, each the sum of its two halves. Running sums
(add the new, take off the old) carry the rounding of all that came before, so that a recomputed tail disagrees in the last bits.
"""

import functools

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float64]


def window_sums(values: Grid, windows: tuple[int, ...]) -> list[Grid]:
    """Add up the last `window` values at every position.

    Parameters
    ----------
    values : shape (n_obs,)
    windows : lengths, at least 1

    Returns
    -------
    one array of shape (n_obs,) a window; its first `window - 1` entries mean nothing

    Notes
    -----
    Each doubling is made once for all windows: 50 and 200 together take 11 additions a value.
    """
    blocks, reach = {1: values}, 1
    while 2 * reach <= max(windows):
        blocks[2 * reach] = _with_earlier(np.add, blocks[reach], blocks[reach], reach)
        reach *= 2
    return [_joined(blocks, window) for window in windows]


def window_extreme(values: Grid, window: int, pick: np.ufunc) -> Grid:
    """Find the largest or smallest of the last `window` values at every position, by doubling.

    Parameters
    ----------
    values : shape (n_obs,)
    window : length, at least 1
    pick : `np.maximum` or `np.minimum`

    Returns
    -------
    array of shape (n_obs,); its first `window - 1` entries mean nothing
    """
    out, reach = values, 1
    while reach < window:
        step = min(reach, window - reach)
        out, reach = _with_earlier(pick, out, out, step), reach + step
    return out


def last_sum(tail: Grid, window: int) -> Grid:
    """Add up the last `window` rows, to the same bits as `window_sums`.

    Parameters
    ----------
    tail : shape (n_obs, n_series), at least `window` rows, the newest last
    window : rows, at least 1

    Returns
    -------
    array of shape (n_series,); NaN where any of the values is
    """
    parts, stop = [], len(tail)
    for length in _powers(window):
        block = tail[stop - length : stop]
        while len(block) > 1:
            block = block[1::2] + block[0::2]
        parts.append(block[0])
        stop -= length
    return functools.reduce(np.add, parts)


def _joined(blocks: dict[int, Grid], window: int) -> Grid:
    first, *others = _powers(window)
    total, covered = blocks[first], first
    for length in others:
        total = _with_earlier(np.add, total, blocks[length], covered)
        covered += length
    return total


def _powers(window: int) -> list[int]:
    """Powers of two that add up to the window, the largest first."""
    return [1 << bit for bit in reversed(range(window.bit_length())) if window >> bit & 1]


def _with_earlier(combine: np.ufunc, newer: Grid, older: Grid, step: int) -> Grid:
    """Combine each value with that of `step` positions before; the first `step` are handed on."""
    out = np.empty_like(newer)
    step = min(step, len(newer))
    out[:step] = newer[:step]
    combine(newer[step:], older[: len(older) - step], out=out[step:])
    return out
