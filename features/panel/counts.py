"""Counts over rows in long form: what `features.breadth_counts` counts on a grid, without the cells in which there is nothing.

Two things differ from the grid. A close within 1e-9 of its average is a tie: not above, and counted as one, so that the count does not
hang on how the average was rounded. And sums of returns are added security by security, in one order.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.breadth_counts import ABSURD, ALIVE
from features.panel.rows import Flags, Rows, Runs, alive_changes, priced_rows, runs_of
from features.panel.windows import Grid, window_extreme, window_sums

TIE = 1e-9
"""Share of the average within which a close is neither above nor below it."""

YEAR, SWING = 251, 21
"""Sessions before today that a high or low of 252 is measured against; sessions of a swing."""

FLAGS = (
    "priced", "above_50", "ties_50", "n_50", "above_200", "ties_200", "n_200", "highs", "lows", "n_252",
    "advances", "declines", "return_n", "clipped", "swing_n",
)  # fmt: skip
"""What is counted; `clipped` are daily returns beyond a factor 4."""

SUMS = ("return_sum", "swing_sum", "swing_squares")

AT_ONCE = 255
"""Securities whose flags are added in bytes."""

BLOCK_ROWS = 100_000
"""Rows worked on at a time: some 40 arrays of them stay near the processor."""


@dataclass(frozen=True)
class Totals:
    """Counts and sums by session, of one universe.

    Attributes
    ----------
    counts : shape (n_flags, n_sessions), in the order of `FLAGS`
    sums : shape (n_sums, n_sessions), in the order of `SUMS`
    expected : shape (n_sessions,): who should be priced; of everyone those priced in the last 21 sessions, of the members all
    """

    counts: NDArray[np.int64]
    sums: Grid
    expected: NDArray[np.int64]

    @classmethod
    def zeros(cls, n_sessions: int) -> "Totals":
        """Nothing counted yet."""
        return cls(np.zeros((len(FLAGS), n_sessions), np.int64), np.zeros((len(SUMS), n_sessions)), np.zeros(n_sessions, np.int64))


def add_rows(rows: Rows, everyone: Totals, members: Totals) -> None:
    """Count rows and add them to totals, in place.

    Parameters
    ----------
    rows : Rows, whole securities
    everyone, members : Totals of the same sessions
    """
    n_sessions = len(everyone.expected)
    members.expected[:] += np.bincount(rows.slots[rows.member], minlength=n_sessions)
    priced = priced_rows(rows)
    if not len(priced.ids):
        return
    everyone.expected[:] += np.cumsum(alive_changes(priced, ALIVE, n_sessions))
    for begin, stop in _blocks(priced):
        part = Rows(priced.ids[begin:stop], priced.slots[begin:stop], priced.close[begin:stop], priced.member[begin:stop])
        _add_runs(runs_of(part), everyone, members)


def _blocks(rows: Rows) -> list[tuple[int, int]]:
    """Cut rows between securities, into parts of about `BLOCK_ROWS` and at most `AT_ONCE` securities."""
    starts = np.flatnonzero(np.diff(rows.ids, prepend=rows.ids[0] - 1))
    cuts, begun = [0], 0
    for number, start in enumerate(starts):
        if start - cuts[-1] >= BLOCK_ROWS or number - begun == AT_ONCE:
            cuts.append(int(start))
            begun = number
    return list(pairwise([*cuts, len(rows.ids)]))


def _add_runs(runs: Runs, everyone: Totals, members: Totals) -> None:
    flags, values = measure(runs)
    own_flags, own_values = flags & runs.member, values * runs.member.astype(np.float64)
    n_sessions = everyone.counts.shape[1]
    added = [np.zeros((len(FLAGS), n_sessions), dtype=np.uint8) for _ in range(2)]
    bounds = np.append(runs.begins, len(runs.close)).tolist()
    for first, (begin, stop) in zip(runs.first.tolist(), pairwise(bounds), strict=True):
        there = slice(first, first + stop - begin)
        added[0][:, there] += flags[:, begin:stop].view(np.uint8)
        added[1][:, there] += own_flags[:, begin:stop].view(np.uint8)
        everyone.sums[:, there] += values[:, begin:stop]
        members.sums[:, there] += own_values[:, begin:stop]
    everyone.counts[:] += added[0]
    members.counts[:] += added[1]


def measure(runs: Runs) -> tuple[Flags, Grid]:
    """Say of every row of runs what counts.

    Returns
    -------
    flags, values : shape (n_flags, n_obs) in the order of `FLAGS` and (n_sums, n_obs) in that of `SUMS`, 0 where there is none
    """
    flags = np.empty((len(FLAGS), len(runs.close)), dtype=bool)
    at = dict(zip(FLAGS, flags, strict=True))
    at["priced"][:] = runs.priced
    _compare_averages(runs, at)
    before = np.concatenate((runs.close[:1], runs.close[:-1]))
    _compare_year(runs, before, at)
    np.logical_and(runs.priced, runs.place >= 1, out=at["return_n"])
    np.logical_and(runs.close > before, at["return_n"], out=at["advances"])
    np.logical_and(runs.close < before, at["return_n"], out=at["declines"])
    return flags, _returns(runs, before, at)


def _compare_averages(runs: Runs, at: dict[str, Flags]) -> None:
    windows = (50, 200)
    for window, total in zip(windows, window_sums(runs.close, windows), strict=True):
        valid = np.logical_and(runs.priced, runs.place >= window - 1, out=at[f"n_{window}"])
        above, tie = compare(runs.close, total, window)
        np.logical_and(above, valid, out=at[f"above_{window}"])
        np.logical_and(tie, valid, out=at[f"ties_{window}"])


def compare(close: Grid, total: Grid, window: int) -> tuple[Flags, Flags]:
    """Compare closes with averages, given as sums over `window`: above, and tied."""
    excess = close * window
    excess -= total
    margin = total * TIE
    above = excess > margin
    np.negative(margin, out=margin)
    tie = excess >= margin
    tie &= ~above
    return above, tie


def _compare_year(runs: Runs, before: Grid, at: dict[str, Flags]) -> None:
    valid = np.logical_and(runs.priced, runs.place >= YEAR, out=at["n_252"])
    np.logical_and(runs.close > window_extreme(before, YEAR, np.maximum), valid, out=at["highs"])
    np.logical_and(runs.close < window_extreme(before, YEAR, np.minimum), valid, out=at["lows"])


def _returns(runs: Runs, before: Grid, at: dict[str, Flags]) -> Grid:
    values = np.empty((len(SUMS), len(runs.close)))
    moves, simple, beyond = clipped_moves(runs.close, before)
    np.logical_and(beyond, at["return_n"], out=at["clipped"])
    np.multiply(simple, at["return_n"], out=values[0])
    (swing,) = window_sums(moves, (SWING,))
    np.logical_and(runs.priced, runs.place >= SWING, out=at["swing_n"])
    np.multiply(swing, at["swing_n"], out=values[1])
    np.multiply(values[1], values[1], out=values[2])
    return values


def clipped_moves(close: Grid, before: Grid) -> tuple[Grid, Grid, Flags]:
    """Log returns and simple returns, both clipped at a factor 4, and where they were."""
    ratio = close / before
    moves = np.log(ratio)
    beyond = np.abs(moves) > ABSURD
    np.clip(moves, -ABSURD, ABSURD, out=moves)
    ratio -= 1.0
    np.clip(ratio, np.exp(-ABSURD) - 1.0, np.exp(ABSURD) - 1.0, out=ratio)
    return moves, ratio, beyond
