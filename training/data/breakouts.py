"""How far the breakouts hang on the parameters: every cell of the sensitivity grid."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from features.breakout_cells import CELL, ENDS, OPEN, REGISTERED, list_grid, on_edge, tally
from features.breakout_list import SERIES
from features.market import Market
from serving.words import UNKNOWN, day, plain, plural, share
from training.data.section import Section
from training.reports.plot import Plot
from training.reports.style import INK, MUTED, canvas, legend_above, to_bytes
from training.reports.table import Table

WORDS = {"retest_held": "held", "failed": "failed", "ran_away": "ran away", OPEN: "open"}
"""Ends in a cell of a table."""

STEPS = (("confirmed", "margin"), ("retest", "retest_margin"), ("ended", "end_margin"))

MARKERS = {"retest_held": ("^", INK), "failed": ("X", "#b23c00"), "ran_away": (">", "#0072B2"), OPEN: ("o", "none")}
"""Shapes tell ends apart without colour."""

ABSENT, EDGE = "·", "!"

CAPTION = (
    "One row a cell, one mark a confirmed breakout, its shape the end. Columns of equal marks do not hang on the parameters; a mark that "
    "changes its shape or goes missing from row to row does. '!': a margin under 0.2% settled the confirmation, the touch or the end."
)
MEANING = (
    "A breakout is confirmed by 3 closes above a record that had stood for b sessions, and judged by a band of ± the tolerance around it: "
    "held (touched within 63 sessions, then 2 tolerances above), failed (closed below the band), ran away (no touch), open (not over)."
)


def breakout_section(market: Market) -> Section:
    """Show the grid for every small-cap series of a market."""
    grid = list_grid(market)
    names = list(dict.fromkeys(grid["series"]))
    if not names:
        return Section("breakouts", "Breakouts in every cell of the grid", ["No small-cap series has price-return closes."])
    tables = [end_table(grid[grid["series"] == name], SERIES.get(name, name)) for name in names]
    plot = Plot(to_bytes(grid_figure(grid, market.simulated)), f"{CAPTION} Series: {', '.join(names)}.", CAPTION, [])
    return Section(
        "breakouts",
        "Breakouts in every cell of the grid",
        [MEANING],
        tables[:1],
        [*tables[1:], tally_table(grid), confirmation_table(grid)],
        [plot],
        findings=[hanging(grid[grid["series"] == name], SERIES.get(name, name)) for name in names[:1]],
    )


def cell_name(base: int, tolerance: float) -> str:
    """Write a cell."""
    return f"{base}, {tolerance:.1%}"


def cells_of(grid: pd.DataFrame) -> list[tuple[int, float]]:
    """Give the cells in the order of the grid."""
    return list(dict.fromkeys(zip(grid["base"].tolist(), grid["tolerance"].tolist(), strict=True)))


def ends_by_cell(own: pd.DataFrame) -> pd.DataFrame:
    """Lay the grid of one series out by session of the confirmation.

    Returns
    -------
    DataFrame, a row a confirmation, a column a cell (base, tolerance): the end in words, '!' on a knife-edge; NaN where a cell has it not
    """
    cells = cells_of(own)
    there = own[own["confirmed"].notna()]
    words = there["end"].map(WORDS) + on_edge(there).map({True: EDGE, False: ""})
    wide = there.assign(words=words).pivot(index="confirmed", columns=["base", "tolerance"], values="words")
    return wide.reindex(columns=pd.MultiIndex.from_tuples(cells, names=["base", "tolerance"])).sort_index()


def same_everywhere(own: pd.DataFrame) -> tuple[int, int]:
    """Count the confirmations of the registered cell of one series, and those that every cell has with the same end."""
    of_cell = own[(own["base"] == REGISTERED[0]) & (own["tolerance"] == REGISTERED[1]) & own["confirmed"].notna()]
    n_cells = len(own.groupby(["base", "tolerance"]))
    agreeing = own.merge(of_cell[["confirmed", "end"]], on=["confirmed", "end"])
    alike = agreeing.groupby("confirmed").size() == n_cells
    return len(of_cell), int(alike.sum())


def hanging(own: pd.DataFrame, name: str) -> str:
    """Say how far the breakouts of one series hang on the parameters."""
    n, alike = same_everywhere(own)
    counts = tally(own)
    low, high = int(counts["confirmed"].min()), int(counts["confirmed"].max())
    of_cell = counts[(counts["base"] == REGISTERED[0]) & (counts["tolerance"] == REGISTERED[1])]
    return (
        f"{name}: {plural(n, 'confirmed breakout')} in the registered cell ({cell_name(*REGISTERED)}), {low} to {high} over all cells; "
        f"the same, end and all, in every cell: {alike} of {n}; on a knife-edge: {int(of_cell['knife_edge'].sum())} of {n}."
    )


def end_table(own: pd.DataFrame, name: str) -> Table:
    """Write `ends_by_cell`, newest first."""
    wide = ends_by_cell(own).iloc[::-1]
    margins = own.groupby("confirmed")["margin"].min()
    rows = [
        [day(date), share(margins[date], 2), *(ABSENT if pd.isna(cell) else str(cell) for cell in cells)]
        for date, cells in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    head = ["confirmed on", "margin", *(cell_name(base, tolerance) for base, tolerance in cells_of(own))]
    caption = (
        f"{name}: each confirmed breakout by cell (b sessions, tolerance), and its end; {ABSENT}: not in this cell; !: a margin under 0.2%."
    )
    return Table(caption, head, rows, text=(0, *range(2, len(head))))


def tally_table(grid: pd.DataFrame) -> Table:
    """Write `tally`: cells without a confirmation included."""
    counts = tally(grid)
    rows = [
        [row["series"], cell_name(row["base"], row["tolerance"]), *(str(row[name]) for name in counts.columns[len(CELL) :])]
        for row in counts.to_dict("records")
    ]
    head = ["series", "cell", *(plain(name) for name in counts.columns[len(CELL) :])]
    return Table("Counts of all cells, those without a confirmation included.", head, rows, text=(0, 1))


def confirmation_table(grid: pd.DataFrame) -> Table:
    """Write every confirmation of every cell with its dates and margins."""
    edges = on_edge(grid)
    rows = []
    for row, edge in zip(grid.to_dict("records"), edges, strict=True):
        dates = [[day(row[d]), share(row[m], 2)] for d, m in STEPS]
        (confirmed, margin), (touched, depth), (ended, last) = (["", ""] if UNKNOWN in pair else pair for pair in dates)
        cell = [row["series"], cell_name(row["base"], row["tolerance"])]
        end = WORDS.get(row["end"], "")
        rows.append([*cell, confirmed or "none", margin, touched, depth, end, ended, last, "knife-edge" if edge else ""])
    head = ["series", "cell", "confirmed", "margin", "touched", "margin", "end", "ended", "margin", "remark"]
    return Table("Every confirmation of every cell, with the sessions and margins that settled it.", head, rows, text=(0, 1, 2, 4, 6, 7, 9))


def grid_figure(grid: pd.DataFrame, simulated: bool) -> Figure:
    """Draw the grid: a panel a series, a row a cell, a mark a confirmation."""
    names = list(dict.fromkeys(grid["series"]))
    with canvas(0.55 + 2.0 * len(names), simulated) as figure:
        every = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for axes, name in zip(every, names, strict=True):
            _draw_cells(axes, grid[grid["series"] == name])
            axes.set_title(SERIES.get(name, name))
        shapes = [(WORDS[end], *MARKERS[end]) for end in ENDS]
        looks = [
            Line2D([], [], linestyle="", label=word, marker=marker, markerfacecolor=colour, markeredgecolor=_edge(colour))
            for word, marker, colour in shapes
        ]
        legend_above(figure, looks)
    return figure


def _edge(colour: str) -> str:
    return INK if colour == "none" else colour


def _draw_cells(axes: Axes, own: pd.DataFrame) -> None:
    cells = cells_of(own)
    row = {cell: len(cells) - 1 - at for at, cell in enumerate(cells)}
    y = np.array([row[cell] for cell in zip(own["base"], own["tolerance"], strict=True)])
    there = own["confirmed"].notna().to_numpy()
    for end, (marker, colour) in MARKERS.items():
        own_end = there & (own["end"] == end).to_numpy()
        axes.plot(own["confirmed"][own_end], y[own_end], marker, markersize=5, markerfacecolor=colour, markeredgecolor=_edge(colour))
    edges = there & on_edge(own).to_numpy()
    for date, height in zip(own["confirmed"][edges], y[edges], strict=True):
        axes.annotate("!", (date, height), (4, 0), textcoords="offset points", va="center", size=8, weight="bold", color=INK)
    axes.set_yticks([row[cell] for cell in cells], [cell_name(*cell) for cell in cells], fontsize=7.5)
    axes.set_ylim(-0.7, len(cells) - 0.3)
    for height in range(2, len(cells) - 1, 3):  # between two values of b
        axes.axhline(height + 0.5, color=MUTED, linewidth=0.5)
