"""Confirmed breakouts in every cell of the pre-registered sensitivity grid, and how each ended (METHODS 1.1)."""

from typing import Any

import pandas as pd

from features.breakout import BreakoutRule
from features.breakout_list import with_closes
from features.breakout_transitions import breakout_grid
from features.levels import index_closes
from features.market import Market

REGISTERED = (BreakoutRule().base, BreakoutRule().tolerance)
"""The cell that everything else uses."""

NO_CONFIRMATION, OPEN = "none", "open"
ENDS = ("retest_held", "failed", "ran_away", OPEN)
"""How a confirmed breakout ends; 'open' has not ended."""

CELL = ["series", "base", "tolerance"]
CONFIRMATION = ("breaks", "confirmed", "margin", "knife_edge")
TOUCH, ENDING = ("retest", "retest_margin", "retest_knife_edge"), ("end", "ended", "end_margin", "end_knife_edge")
COLUMNS = (*CELL, *CONFIRMATION, *TOUCH, *ENDING)


def list_grid(market: Market, series: list[str] | None = None) -> pd.DataFrame:
    """List the confirmations of all cells, series by series.

    Parameters
    ----------
    market : Market
    series : as in `features.breakout_list.list_events`

    Returns
    -------
    DataFrame with columns `COLUMNS`, one row a confirmation, as `confirmations`; a cell without one is a row as well

    Raises
    ------
    DataError
        Naming a series that the market does not have, and those it has.
    """
    frames = [confirmations(breakout_grid(index_closes(market, name))).assign(series=name) for name in with_closes(market, series)]
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)] if frames else pd.DataFrame(columns=list(COLUMNS))


def confirmations(events: pd.DataFrame) -> pd.DataFrame:
    """Join each confirmation with its end, cell by cell.

    Parameters
    ----------
    events : as `features.breakout_transitions.breakout_grid` gives them

    Returns
    -------
    DataFrame with base, tolerance; breaks: closes above the resistance in this cell, confirmed or not; confirmed: session, NaT for none;
        margin, knife_edge: of the confirmation; retest: session of the first touch, NaT without; end: one of `ENDS`, 'none' without a
        confirmation; ended: session; retest_margin and so on: of the touch and the end
    """
    rows: list[dict[str, Any]] = []
    for (base, tolerance), cell in events.groupby(["base", "tolerance"], sort=False):
        of_cell = {"base": base, "tolerance": tolerance, "breaks": int((cell["event"] == "broken").sum())}
        rows += [of_cell | each for each in _joined(cell)] or [of_cell | _confirmed(pd.NaT, float("nan"), False, NO_CONFIRMATION)]
    return pd.DataFrame(rows)


def _joined(cell: pd.DataFrame) -> list[dict[str, Any]]:
    """Walk through the events of one cell: one breakout at a time, so that an end belongs to the last confirmation without one."""
    rows: list[dict[str, Any]] = []
    for date, event, margin, edge in zip(cell["date"], cell["event"], cell["margin"], cell["knife_edge"], strict=True):
        if event == "breakout_confirmed":
            rows.append(_confirmed(date, margin, bool(edge), OPEN))
        elif rows and rows[-1]["end"] == OPEN:
            if event == "retest":
                rows[-1] |= {"retest": date, "retest_margin": margin, "retest_knife_edge": bool(edge)}
            elif event in ENDS:
                rows[-1] |= {"end": event, "ended": date, "end_margin": margin, "end_knife_edge": bool(edge)}
    return rows


def _confirmed(date: Any, margin: float, edge: bool, end: str) -> dict[str, Any]:
    nothing = {"retest": pd.NaT, "retest_margin": float("nan"), "retest_knife_edge": False}
    nothing |= {"end": end, "ended": pd.NaT, "end_margin": float("nan"), "end_knife_edge": False}
    return {"confirmed": date, "margin": margin, "knife_edge": edge} | nothing


def on_edge(grid: pd.DataFrame) -> pd.Series:
    """Mark the confirmations of which any margin, of confirmation, touch or end, is under 0.2%."""
    return grid[["knife_edge", "retest_knife_edge", "end_knife_edge"]].astype(bool).any(axis=1)


def tally(grid: pd.DataFrame) -> pd.DataFrame:
    """Count the confirmations of every cell.

    Parameters
    ----------
    grid : as `list_grid`

    Returns
    -------
    DataFrame, one row a cell in the order of the grid: series, base, tolerance, breaks, confirmed, one column for each of `ENDS`, and
        knife_edge: confirmations that are `on_edge`
    """
    there = grid["confirmed"].notna()
    counted = grid.assign(confirmed=there, knife_edge=there & on_edge(grid), **{end: grid["end"] == end for end in ENDS})
    sums = counted.groupby(CELL, sort=False)[["confirmed", *ENDS, "knife_edge"]].sum().astype(int)
    sums.insert(0, "breaks", grid.groupby(CELL, sort=False)["breaks"].first())
    return sums.reset_index()
