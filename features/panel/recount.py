"""Breadth of a whole panel, some securities at a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from features.errors import DataError
from features.panel.counts import FLAGS, SUMS, Totals, add_rows
from features.panel.rows import Ints, Rows
from features.panel.state import PanelState, tail_of
from features.panel.windows import Grid


@dataclass(frozen=True)
class PanelBreadth:
    """What was counted, session by session.

    Attributes
    ----------
    days : (n_sessions,) sessions, days from 1970-01-01
    everyone, members : Totals of the two universes
    """

    days: Ints
    everyone: Totals
    members: Totals

    def with_session(self, day: int, everyone: Totals, members: Totals) -> Self:
        """Add the session that `update` measured."""
        return type(self)(np.append(self.days, np.int32(day)), self.everyone.joined(everyone), self.members.joined(members))

    def until(self, n_sessions: int) -> Self:
        """Keep the first sessions: what was counted on them used nothing later."""
        return type(self)(self.days[:n_sessions], self.everyone.until(n_sessions), self.members.until(n_sessions))

    def universes(self) -> dict[str, dict[str, Grid]]:
        """Give counts as `features.breadth.indicators` takes them, and `clipped`, `ties_50`, `ties_200` besides."""
        return universes(self.everyone, self.members)


def universes(everyone: Totals, members: Totals) -> dict[str, dict[str, Grid]]:
    """Give both universes by name."""
    return {"panel": named(everyone), "members": named(members)}


def named(totals: Totals) -> dict[str, Grid]:
    """Give arrays of length n_sessions by the names of `FLAGS` and `SUMS`, and `expected`."""
    out = {name: count.astype(np.float64) for name, count in zip(FLAGS, totals.counts, strict=True)}
    return out | dict(zip(SUMS, totals.sums, strict=True)) | {"expected": totals.expected.astype(np.float64)}


def session_days(sessions: pd.DatetimeIndex) -> Ints:
    """Give sessions as days from 1970-01-01."""
    return sessions.to_numpy("datetime64[D]").astype(np.int64).astype(np.int32)


def recount(blocks: Iterable[Rows], sessions: pd.DatetimeIndex) -> tuple[PanelBreadth, PanelState]:
    """Count all sessions anew; memory holds one block.

    Parameters
    ----------
    blocks : rows of whole securities, each security in one block, ids ascending from block to block
    sessions : dates on which the exchange trades, to the last that is to be counted

    Returns
    -------
    breadth : PanelBreadth on these sessions
    state : PanelState of the last

    Raises
    ------
    DataError
        Where there are no sessions, or ids do not ascend.
    """
    if not len(sessions):
        raise DataError("panel: no sessions; rule: those of the exchange, at least one")
    n_sessions = len(sessions)
    everyone, members = Totals.zeros(n_sessions), Totals.zeros(n_sessions)
    tails, reached = [], -1
    for rows in blocks:
        if not len(rows.ids):
            continue
        if rows.ids[0] <= reached:
            raise DataError(f"panel: security {rows.ids[0]} comes after {reached}; rule: ids ascend, a security is in one block")
        reached = int(rows.ids[-1])
        add_rows(rows, everyone, members)
        tails.append(tail_of(rows, n_sessions))
    tails = tails or [tail_of(Rows.none(), n_sessions)]
    days = session_days(sessions)
    ids, closes, age = zip(*tails, strict=True)
    state = PanelState(int(days[-1]), np.concatenate(ids), np.concatenate(closes, axis=1), np.concatenate(age))
    return PanelBreadth(days, everyone, members), state
