"""Closes as they are recorded, put on sessions and counted: all of them, or those that came since."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.asof import asof
from features.membership import member_mask
from features.panel.recount import PanelBreadth, recount, session_days
from features.panel.rows import Ints, Rows
from features.panel.state import PanelState
from features.panel.update import PanelDay, update
from features.panel.windows import Grid


@dataclass(frozen=True)
class Closes:
    """Records of closes, sorted by security and date, each pair once; arrays of shape (n_rows,).

    Attributes
    ----------
    ids : securities
    days : dates, days from 1970-01-01
    close : positive
    known_at : instants, microseconds from 1970-01-01 UTC
    """

    ids: Ints
    days: Ints
    close: Grid
    known_at: NDArray[np.int64]


def on_sessions(closes: Closes, spans: pd.DataFrame, sessions: pd.DatetimeIndex) -> Rows:
    """Put closes on the sessions of their dates.

    A close of another day, or one that the row of its session could not know, is left out: later it would rewrite that row.

    Parameters
    ----------
    closes : Closes
    spans : as `features.membership.member_spans` gives them, `security` being ids
    sessions : DatetimeIndex
    """
    slots = _slots(closes.days, session_days(sessions))
    usable = (slots >= 0) & (closes.known_at <= asof(sessions).as_unit("us").asi8[slots])
    ids, slots, close = (closes.ids, slots, closes.close) if usable.all() else (closes.ids[usable], slots[usable], closes.close[usable])
    heads = np.flatnonzero(np.diff(ids, prepend=-1))
    code = np.repeat(np.arange(len(heads)), np.diff(np.append(heads, len(ids))))
    first, last = (int(slots.min()), int(slots.max())) if len(slots) else (0, 0)
    own = spans[spans["security"].isin(ids[heads]) & (spans["stop"] > first) & (spans["first"] <= last)]
    # only of the sessions that there are closes of: of the newest one that is little
    own = own.assign(first=np.maximum(own["first"] - first, 0), stop=own["stop"] - first)
    members = member_mask(own, pd.Index(ids[heads]), last - first + 1)
    return Rows(ids, slots, close, members[slots - first, code])


def _slots(days: Ints, listed: Ints) -> Ints:
    """Positions of days in a list, -1 where they are not in it; by a table, for there are many."""
    low, high = int(listed[0]), int(listed[-1])
    table = np.full(high - low + 3, -1, dtype=np.int32)
    table[listed - low + 1] = np.arange(len(listed), dtype=np.int32)
    slots: Ints = table[np.clip(days - (low - 1), 0, high - low + 2)]
    return slots


def count_closes(blocks: Iterable[Closes], spans: pd.DataFrame, sessions: pd.DatetimeIndex) -> tuple[PanelBreadth, PanelState]:
    """Count all sessions anew; blocks as `features.panel.recount.recount` wants them, the rest as `on_sessions`."""
    return recount((on_sessions(block, spans, sessions) for block in blocks), sessions)


def go_on(
    breadth: PanelBreadth, state: PanelState, closes: Closes, spans: pd.DataFrame, sessions: pd.DatetimeIndex
) -> tuple[PanelBreadth, PanelState]:
    """Count the sessions after those that were counted.

    Parameters
    ----------
    breadth, state : of the first of `sessions`
    closes : those of later sessions; others are not looked at

    Returns
    -------
    breadth, state : to the last session; counts as a recount gives them, sums to 1e-12
    """
    rows, days = on_sessions(closes, spans, sessions), session_days(sessions)
    for slot in range(len(breadth.days), len(sessions)):
        new = rows.slots == slot
        day = PanelDay(int(days[slot]), int(days[slot - 1]), rows.ids[new], rows.close[new], rows.member[new])
        state, everyone, members = update(state, day)
        breadth = breadth.with_session(state.day, everyone, members)
    return breadth, state
