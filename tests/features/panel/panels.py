"""Small panels with everything that goes wrong, in both forms: a grid, and rows."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from features.panel.recount import PanelBreadth, recount
from features.panel.rows import Rows
from features.panel.state import PanelState
from tests.features.handmade import sessions
from tests.features.panel.grid_counts import count_block

N = 330
DAYS = sessions(N)


@st.composite
def grids(draw: st.DrawFn, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    """Closes (n, n_securities), NaN where not priced, and members: listings, delistings, gaps near the limits, bad prints, flat prices."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_securities = draw(st.integers(1, 7))
    closes = 20 * np.exp(np.cumsum(0.02 * rng.standard_normal((n, n_securities)), axis=0))
    members = rng.random((n, n_securities)) < draw(st.sampled_from([0.0, 0.5, 1.0]))
    for column in closes.T:
        if draw(st.booleans()):  # flat: as a stock that waits for its takeover, or one rounded to cents
            column[:] = column[0] if draw(st.booleans()) else np.round(column, draw(st.integers(0, 2)))
        for _ in range(draw(st.integers(0, 2))):
            column[draw(st.integers(0, n - 1))] *= draw(st.sampled_from([0.1, 10.0, 3.9, 4.1]))
        for _ in range(draw(st.integers(0, 4))):
            at, length = draw(st.integers(0, n - 1)), draw(st.sampled_from([1, 2, 5, 6, 7, 20, 21, 22, 60]))
            column[at : at + length] = np.nan
        column[: draw(st.sampled_from([0, 0, 1, 40, 100]))] = np.nan
        column[n - draw(st.sampled_from([0, 0, 1, 30, 200])) :] = np.nan
    return closes, members


def rows_of(closes: np.ndarray, members: np.ndarray, ids: np.ndarray | None = None) -> Rows:
    """Rows where there is a close or a member."""
    order = np.argsort(np.arange(closes.shape[1]) if ids is None else ids)
    names = np.sort(np.arange(closes.shape[1]) if ids is None else ids)
    column, slot = np.nonzero((~np.isnan(closes) | members).T[order])
    security = order[column]
    return Rows(names[column].astype(np.int32), slot.astype(np.int32), closes[slot, security], members[slot, security])


def blocks(rows: Rows, n_blocks: int) -> Iterator[Rows]:
    """Cut rows between securities into about so many blocks."""
    for some in np.array_split(np.unique(rows.ids), n_blocks):
        inside = np.isin(rows.ids, some)
        yield Rows(rows.ids[inside], rows.slots[inside], rows.close[inside], rows.member[inside])


def counts(closes: np.ndarray, members: np.ndarray, n_blocks: int = 3, days: pd.DatetimeIndex = DAYS) -> tuple[PanelBreadth, PanelState]:
    return recount(blocks(rows_of(closes, members), n_blocks), days)


def counted(closes: np.ndarray, members: np.ndarray, n_blocks: int = 3) -> PanelBreadth:
    return counts(closes, members, n_blocks)[0]


def on_grid(closes: np.ndarray, members: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """The same by the code that works on a grid."""
    everyone, own = count_block(closes, members)
    everyone["expected"] = everyone.pop("alive")
    own["expected"] = members.sum(axis=1)
    own.pop("alive")
    return {"panel": everyone, "members": own}
