"""Breadth of a whole panel on disk, one bucket at a time."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from features.errors import DataError
from features.panel.counts import FLAGS, SUMS, Totals, add_rows
from features.panel.layout import PanelLayout, read_bucket, session_days
from features.panel.rows import Ints
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
        return type(self)(np.append(self.days, np.int32(day)), _joined(self.everyone, everyone), _joined(self.members, members))

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


def recount(layout: PanelLayout, sessions: pd.DatetimeIndex) -> tuple[PanelBreadth, PanelState]:
    """Count all sessions anew; memory holds one bucket.

    Parameters
    ----------
    layout : PanelLayout
    sessions : dates on which the exchange trades, to the last that is to be counted; the panel has no later ones

    Returns
    -------
    breadth : PanelBreadth on these sessions
    state : PanelState of the last

    Raises
    ------
    DataError
        Where a file breaks a rule of the layout, or there are no sessions.
    """
    if not len(sessions):
        raise DataError("panel: no sessions; rule: those of the exchange, at least one")
    n_sessions = len(sessions)
    everyone, members = Totals.zeros(n_sessions), Totals.zeros(n_sessions)
    tails = []
    for bucket in range(layout.n_buckets):
        rows = read_bucket(layout, bucket, sessions)
        add_rows(rows, everyone, members)
        tails.append(tail_of(rows, n_sessions))
    days = session_days(sessions)
    ids, closes, age = zip(*tails, strict=True)
    state = PanelState(int(days[-1]), layout.n_buckets, np.concatenate(ids), np.concatenate(closes, axis=1), np.concatenate(age))
    return PanelBreadth(days, everyone, members), state


def _joined(before: Totals, new: Totals) -> Totals:
    return Totals(
        np.concatenate((before.counts, new.counts), axis=1),
        np.concatenate((before.sums, new.sums), axis=1),
        np.concatenate((before.expected, new.expected)),
    )
