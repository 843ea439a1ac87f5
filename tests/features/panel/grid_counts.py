"""Counts on a grid of sessions and securities, with pandas: what `features.panel.counts` has to agree with."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_GAP = 5
"""Sessions without a close that are bridged by the last one."""

ALIVE = 21
"""A security counts as alive while it was priced in any of this many sessions."""

ABSURD = np.log(4)
"""A daily log return beyond this (up 300%, down 75%) is a bad split more often than news; it is clipped."""

COUNTS = (
    "priced", "alive", "above_50", "n_50", "above_200", "n_200", "highs", "lows", "n_252",
    "advances", "declines", "return_sum", "return_n", "swing_sum", "swing_squares", "swing_n",
)  # fmt: skip
"""What is counted: `return` is the simple daily return, `swing` the 21-session log return, both clipped."""

Grid = NDArray[np.float64]


def count_block(closes: Grid, members: NDArray[np.bool_]) -> tuple[dict[str, Grid], dict[str, Grid]]:
    """Count over all securities of a block, and over its members.

    Parameters
    ----------
    closes : shape (n_sessions, n_securities), NaN where not priced
    members : same shape, True where the security is a member

    Returns
    -------
    two dicts of arrays of length n_sessions, by the names of `COUNTS`
    """
    everyone: dict[str, Grid] = {}
    only_members: dict[str, Grid] = {}
    for name, part in _parts(closes):
        everyone[name] = row_sums(part)
        only_members[name] = row_sums(np.where(members, part, 0))
    return everyone, only_members


def row_sums(part: NDArray[Any]) -> Grid:
    """Add up each row, to the same bit whatever the array's memory order (pandas chooses it by the number of rows)."""
    sums: Grid = np.ascontiguousarray(part).sum(axis=1, dtype=np.float64)
    return sums


def window_extreme(values: Grid, window: int, pick: Callable[[Grid, Grid], Grid]) -> Grid:
    """Find the rolling maximum or minimum by doubling: NaN unless all `window` values are there.

    Parameters
    ----------
    values : shape (n_obs, n_series)
    window : rows
    pick : `np.maximum` or `np.minimum`, which hand on NaN

    Returns
    -------
    array of the same shape
    """
    out, reach = values, 1
    while reach < window:
        step = min(reach, window - reach)
        out, reach = pick(out, lagged(out, step)), reach + step
    return out


def lagged(values: Grid, rows: int) -> Grid:
    """Move values down by `rows`, NaN on top."""
    out = np.full_like(values, np.nan)
    out[rows:] = values[:-rows]
    return out


def _parts(closes: Grid) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield name and grid of each count, one at a time: memory holds few of them."""
    priced = ~np.isnan(closes)
    frame = pd.DataFrame(closes)
    filled = frame.ffill(limit=MAX_GAP)
    yield "priced", priced
    yield "alive", frame.ffill(limit=ALIVE - 1).notna().to_numpy()
    for window in (50, 200):
        average = filled.rolling(window).mean().to_numpy()
        yield f"n_{window}", priced & ~np.isnan(average)
        # a comparison with NaN is False
        yield f"above_{window}", closes > average
    bridged = filled.to_numpy()
    before = lagged(bridged, 1)
    top, bottom = window_extreme(before, 251, np.maximum), window_extreme(before, 251, np.minimum)
    yield "n_252", priced & ~np.isnan(top)
    yield "highs", closes > top
    yield "lows", closes < bottom
    yield "advances", closes > before
    yield "declines", closes < before
    moves = np.log(bridged / before).clip(-ABSURD, ABSURD)
    valid = priced & ~np.isnan(moves)
    yield "return_n", valid
    yield "return_sum", np.where(valid, np.expm1(moves), 0.0)
    swing = pd.DataFrame(moves).rolling(21).sum().to_numpy()
    valid = priced & ~np.isnan(swing)
    yield "swing_n", valid
    yield "swing_sum", np.where(valid, swing, 0.0)
    yield "swing_squares", np.where(valid, swing**2, 0.0)
