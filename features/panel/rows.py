"""Rows of a panel in long form, and the unbroken runs of sessions in them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.panel.windows import Grid

MAX_GAP = 5
"""Sessions without a close that are bridged by the last one."""

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Closes in long form, sorted by security and session, each pair at most once; all arrays of shape (n_rows,).

    Attributes
    ----------
    ids : securities
    slots : positions in the list of sessions
    close : positive; NaN where not priced
    member : whether the security is in the index that session, priced or not
    """

    ids: Ints
    slots: Ints
    close: Grid
    member: Flags

    @classmethod
    def none(cls) -> Self:
        """No rows."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0), np.empty(0, bool))


@dataclass(frozen=True)
class Runs:
    """Rows of whole runs: sessions in a row, gaps up to `MAX_GAP` bridged by the last close; arrays of shape (n_obs,).

    Attributes
    ----------
    close : the close, or the one carried
    priced : whether the session has a close of its own
    member : False where not priced
    place : sessions since the run began
    begins : (n_runs,) position at which each run begins
    first : (n_runs,) slot of the session on which each begins
    """

    close: Grid
    priced: Flags
    member: Flags
    place: Ints
    begins: NDArray[np.int64]
    first: Ints


def priced_rows(rows: Rows) -> Rows:
    """Leave out the sessions without a close."""
    priced = ~np.isnan(rows.close)
    if priced.all():
        return rows
    return Rows(rows.ids[priced], rows.slots[priced], rows.close[priced], rows.member[priced])


def steps_of(rows: Rows) -> tuple[Flags, Ints]:
    """For each row, whether its security goes on in the next, and the sessions from it to that."""
    same = np.zeros(len(rows.ids), dtype=bool)
    np.equal(rows.ids[1:], rows.ids[:-1], out=same[:-1])
    step = np.ones(len(rows.ids), dtype=np.int32)
    np.subtract(rows.slots[1:], rows.slots[:-1], out=step[:-1])
    return same, step


def runs_of(rows: Rows) -> Runs:
    """Bridge the gaps of priced rows.

    Parameters
    ----------
    rows : Rows, at least one, all with a close

    Returns
    -------
    Runs
    """
    same, step = steps_of(rows)
    goes_on = same & (step <= MAX_GAP + 1)
    length = np.where(goes_on, step, 1)
    starts = np.flatnonzero(np.concatenate(([True], ~goes_on[:-1])))
    first = rows.slots[starts]
    if int(length.max()) == 1:
        return Runs(rows.close, np.ones(len(length), dtype=bool), rows.member, _places(starts, len(length)), starts, first)
    own = np.cumsum(length) - length
    total = int(own[-1] + length[-1])
    priced = np.ones(total, dtype=bool)
    gaps = np.flatnonzero(length > 1)
    priced[_ranges(own[gaps] + 1, length[gaps] - 1)] = False
    member = np.repeat(rows.member, length)
    member &= priced
    begins = own[starts]
    return Runs(np.repeat(rows.close, length), priced, member, _places(begins, total), begins, first)


def alive_changes(rows: Rows, alive: int, n_sessions: int) -> NDArray[np.int64]:
    """Change, at each session, of the number of securities priced in any of the last `alive`.

    Parameters
    ----------
    rows : Rows, at least one, all with a close

    Returns
    -------
    array of shape (n_sessions,)
    """
    same, step = steps_of(rows)
    last = ~same | (step > alive)
    began = rows.slots[np.concatenate(([True], last[:-1]))]
    ended = rows.slots[last] + alive
    change = np.bincount(began, minlength=n_sessions)
    change -= np.bincount(ended[ended < n_sessions], minlength=n_sessions)
    return change


def _ranges(begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join ranges of whole numbers."""
    ended = np.cumsum(lengths)
    ranges: NDArray[np.int64] = np.arange(int(ended[-1])) + np.repeat(begins - ended + lengths, lengths)
    return ranges


def _places(begins: NDArray[np.int64], total: int) -> Ints:
    lengths = np.diff(np.append(begins, total))
    places: Ints = np.arange(total, dtype=np.int32) - np.repeat(begins.astype(np.int32), lengths)
    return places
