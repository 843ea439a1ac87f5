"""Counts over rows in long form, without the cells of a grid in which there is nothing.

A close within 1e-9 of its average is a tie: not above, and counted as one, so that the count does not hang on how the average was
rounded. Sums of returns are added security by security, in one order.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.panel.rows import Flags, Rows, Runs, alive_changes, priced_rows, runs_of
from features.panel.windows import Grid, window_extreme, window_sums

TIE = 1e-9
"""Share of the average within which a close is neither above nor below it."""

ALIVE = 21
"""A security counts as alive while it was priced in any of this many sessions."""

MOST = 4.0
"""A daily move beyond this factor (up 300%, down 75%) is a bad split more often than news; it is clipped."""

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

BLOCK_ROWS = 16_000
"""Rows worked on at a time: their arrays stay near the processor, and are small enough to be used again instead of mapped anew."""


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

    def joined(self, later: "Totals") -> "Totals":
        """Add later sessions at the end."""
        counts, sums = np.concatenate((self.counts, later.counts), axis=1), np.concatenate((self.sums, later.sums), axis=1)
        return Totals(counts, sums, np.concatenate((self.expected, later.expected)))

    def until(self, n_sessions: int) -> "Totals":
        """Keep the first sessions."""
        return Totals(self.counts[:, :n_sessions], self.sums[:, :n_sessions], self.expected[:n_sessions])


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
    tally = _Tally(everyone, members)
    for begin, stop, n_ids in _blocks(priced):
        part = Rows(priced.ids[begin:stop], priced.slots[begin:stop], priced.close[begin:stop], priced.member[begin:stop])
        tally.add(runs_of(part), n_ids)
    tally.close()


def _blocks(rows: Rows) -> list[tuple[int, int, int]]:
    """Cut rows between securities, into parts of about `BLOCK_ROWS` and at most `AT_ONCE` securities; say how many each holds."""
    starts = np.flatnonzero(np.diff(rows.ids, prepend=rows.ids[0] - 1))
    cuts = [0]
    for number, start in enumerate(starts):
        if start - starts[cuts[-1]] >= BLOCK_ROWS or number - cuts[-1] == AT_ONCE:
            cuts.append(number)
    bounds = np.append(starts, len(rows.ids)).tolist()
    return [(bounds[one], bounds[other], other - one) for one, other in pairwise([*cuts, len(starts)])]


class _Tally:
    """Adds flags in bytes, of everyone and of the members at once, and carries them to totals before a byte can overflow."""

    def __init__(self, everyone: Totals, members: Totals) -> None:
        self._totals = everyone, members
        self._bytes = np.zeros((2, *everyone.counts.shape), dtype=np.uint8)
        self._held = 0
        self._flags, self._values = np.empty((2, len(FLAGS), 0), dtype=bool), np.empty((2, len(SUMS), 0))

    def add(self, runs: Runs, n_ids: int) -> None:
        """Add runs of so many securities, at most `AT_ONCE`."""
        if self._held + n_ids > AT_ONCE:
            self.close()
        self._held += n_ids
        flags, values = self._room(len(runs.close))
        measure(runs, flags[0], values[0])
        np.logical_and(flags[0], runs.member, out=flags[1])
        np.multiply(values[0], runs.member.astype(np.float64), out=values[1])
        ones, (everyone, members) = flags.view(np.uint8), self._totals
        bounds = np.append(runs.begins, len(runs.close)).tolist()
        for first, (begin, stop) in zip(runs.first.tolist(), pairwise(bounds), strict=True):
            there = slice(first, first + stop - begin)
            self._bytes[..., there] += ones[..., begin:stop]
            everyone.sums[:, there] += values[0, :, begin:stop]
            members.sums[:, there] += values[1, :, begin:stop]

    def close(self) -> None:
        """Carry what is held to the totals."""
        for totals, held in zip(self._totals, self._bytes, strict=True):
            totals.counts[:] += held
        self._bytes[:] = 0
        self._held = 0

    def _room(self, n_obs: int) -> tuple[Flags, Grid]:
        """Arrays to write in; used again, for new ones would have to be mapped each time."""
        if self._values.shape[2] < n_obs:
            self._flags, self._values = np.empty((2, len(FLAGS), n_obs), dtype=bool), np.empty((2, len(SUMS), n_obs))
        return self._flags[..., :n_obs], self._values[..., :n_obs]


def measure(runs: Runs, flags: Flags, values: Grid) -> None:
    """Say of every row of runs what counts.

    Parameters
    ----------
    runs : Runs
    flags : written, shape (n_flags, n_obs) in the order of `FLAGS`
    values : written, shape (n_sums, n_obs) in the order of `SUMS`, 0 where there is none
    """
    at = dict(zip(FLAGS, flags, strict=True))
    at["priced"][:] = runs.priced
    _compare_averages(runs, at)
    before = np.concatenate((runs.close[:1], runs.close[:-1]))
    _compare_year(runs, before, at)
    np.logical_and(runs.priced, runs.place >= 1, out=at["return_n"])
    np.logical_and(runs.close > before, at["return_n"], out=at["advances"])
    np.logical_and(runs.close < before, at["return_n"], out=at["declines"])
    moves, simple, beyond = clipped_moves(runs.close, before)
    np.logical_and(beyond, at["return_n"], out=at["clipped"])
    np.multiply(simple, at["return_n"], out=values[0])
    (swing,) = window_sums(moves, (SWING,))
    np.logical_and(runs.priced, runs.place >= SWING, out=at["swing_n"])
    np.multiply(swing, at["swing_n"], out=values[1])
    np.multiply(values[1], values[1], out=values[2])


def _compare_averages(runs: Runs, at: dict[str, Flags]) -> None:
    windows = (50, 200)
    for window, total in zip(windows, window_sums(runs.close, windows), strict=True):
        valid = np.logical_and(runs.priced, runs.place >= window - 1, out=at[f"n_{window}"])
        above, tie = compare(runs.close, total, window)
        np.logical_and(above, valid, out=at[f"above_{window}"])
        np.logical_and(tie, valid, out=at[f"ties_{window}"])


def compare(close: Grid, total: Grid, window: int) -> tuple[Flags, Flags]:
    """Compare closes with averages, given as sums over `window`: above, and tied."""
    scaled = close * window
    above = scaled > total * (1.0 + TIE)
    tie = scaled >= total * (1.0 - TIE)
    tie ^= above
    return above, tie


def _compare_year(runs: Runs, before: Grid, at: dict[str, Flags]) -> None:
    valid = np.logical_and(runs.priced, runs.place >= YEAR, out=at["n_252"])
    np.logical_and(runs.close > window_extreme(before, YEAR, np.maximum), valid, out=at["highs"])
    np.logical_and(runs.close < window_extreme(before, YEAR, np.minimum), valid, out=at["lows"])


def clipped_moves(close: Grid, before: Grid) -> tuple[Grid, Grid, Flags]:
    """Log returns and simple returns, both clipped at a factor 4, and where they were."""
    ratio = close / before
    beyond = ratio > MOST
    beyond |= ratio < 1.0 / MOST
    np.minimum(ratio, MOST, out=ratio)
    np.maximum(ratio, 1.0 / MOST, out=ratio)
    moves = np.log(ratio)
    ratio -= 1.0
    return moves, ratio, beyond
