"""What must be kept of a panel to go on from its last session: the last closes of every security that still matters."""

from dataclasses import dataclass

import numpy as np

from features.panel.rows import MAX_GAP, Ints, Rows, priced_rows
from features.panel.windows import Grid

KEPT = 252
"""Sessions of closes a new session is measured with."""

FORGOTTEN = KEPT + MAX_GAP
"""Sessions after its last close at which a security has left every window."""


@dataclass(frozen=True)
class PanelState:
    """The end of a panel.

    Attributes
    ----------
    day : the last session, days from 1970-01-01
    ids : (n,) securities priced of late, ascending: the order in which returns are added
    closes : (252, n) closes of the last sessions, the newest last, gaps up to `MAX_GAP` bridged, NaN where there is none
    age : (n,) sessions since the last close of its own
    """

    day: int
    ids: Ints
    closes: Grid
    age: Ints


def tail_of(rows: Rows, n_sessions: int) -> tuple[Ints, Grid, Ints]:
    """Cut the end off rows.

    Parameters
    ----------
    rows : Rows, whole securities
    n_sessions : sessions in all; the last is the one the state is of

    Returns
    -------
    ids, closes, age : as in `PanelState`, of the securities of these rows
    """
    height = KEPT + MAX_GAP
    late = rows.slots >= n_sessions - height
    end = priced_rows(Rows(rows.ids[late], rows.slots[late], rows.close[late], rows.member[late]))
    ids, column = np.unique(end.ids, return_inverse=True)
    grid = np.full((height, len(ids)), np.nan)
    grid[end.slots - (n_sessions - height), column] = end.close
    bridged = grid.copy()
    for gap in range(1, MAX_GAP + 1):
        bridged[gap:] = np.where(np.isnan(bridged[gap:]), grid[:-gap], bridged[gap:])
    age = np.argmax(~np.isnan(grid[::-1]), axis=0) if len(ids) else np.empty(0)
    return ids.astype(np.int32), bridged[MAX_GAP:], age.astype(np.int32)
