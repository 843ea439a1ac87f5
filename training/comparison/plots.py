"""Plots of a comparison: who cannot be told from the best, and when losses were saved."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from training.comparison.compare import Comparison
from training.comparison.screen import placed
from training.reports.style import INK, LINES, MUTED, canvas, legend_above, panels

MOST_ROWS = 40
"""Rows of the picture; of more runs the first ones are drawn, and every baseline."""

CURVES = len(LINES)
NAME = 30
"""Characters of a run's name on a plot."""


def drawn_rows(comparison: Comparison) -> pd.DataFrame:
    """Give the rows of the picture, least loss first."""
    table = placed(comparison.runs)
    return table[(table.index < MOST_ROWS) | (table["trial"] < 0)].reset_index(drop=True)


def set_figure(comparison: Comparison) -> Figure:
    """Draw the ratio of each run and baseline, filled where it is in the confidence set, with a bar over each unbroken stretch of it."""
    rows = drawn_rows(comparison)
    with canvas(1.3 + 0.24 * len(rows), comparison.simulated) as figure:
        (axes,) = panels(figure, 1, 1)
        axes.axvline(1.0, color=MUTED, linewidth=0.8, linestyle=":")
        for place, row in enumerate(rows.to_dict("records")):
            look: Any = {"marker": "s" if row["trial"] < 0 else "o", "markerfacecolor": INK if row["in_mcs"] else "white"}
            axes.plot(row["crps_ratio"], place, color=INK, markersize=6.5, **look)
        edge = 0.012 * (rows["crps_ratio"].max() - rows["crps_ratio"].min())  # so that a set of one is seen
        for first, last in stretches(rows):
            axes.plot([first - edge, last + edge], [-1.1, -1.1], color=INK, linewidth=5, solid_capstyle="butt")
        axes.set_yticks(range(len(rows)), [str(name)[:NAME] for name in rows["name"]])
        axes.set_ylim(len(rows) - 0.4, -1.8)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("CRPS relative to the expanding mean's (smaller is better)")
        legend_above(figure, _set_handles(), columns=3)
    return figure


def stretches(rows: pd.DataFrame) -> list[tuple[float, float]]:
    """Give the ratios between which every row is in the confidence set, stretch by stretch."""
    inside = rows["in_mcs"].astype(bool)
    told = rows[inside].groupby((~inside).cumsum()[inside])["crps_ratio"]
    return list(zip(told.min(), told.max(), strict=True))


def _set_handles() -> list[Line2D]:
    plain: Any = {"color": INK, "linestyle": ""}
    marks = [(name, marker, fill) for name, marker in (("run", "o"), ("baseline", "s")) for fill in (INK, "white")]
    return [
        Line2D([], [], color=INK, linewidth=5, label="confidence set (90%)"),
        Line2D([], [], linestyle="", label=" "),  # a column for the set, one for runs, one for baselines
        *(
            Line2D([], [], marker=marker, markerfacecolor=fill, label=f"{name} {'in it' if fill == INK else 'outside'}", **plain)
            for name, marker, fill in marks
        ),
    ]


def curve_runs(comparison: Comparison) -> pd.DataFrame:
    """Give the runs whose curves are drawn by name, least loss first."""
    runs = comparison.runs
    return runs[runs["trial"] >= 0].head(CURVES)


def saved(comparison: Comparison) -> pd.DataFrame:
    """Loss saved against the best baseline on each session, a column a trial shown (its number)."""
    losses = comparison.composite.losses
    shown = [str(number) for number in range(comparison.aligned.n_shown)]
    return losses[shown].rsub(losses[comparison.composite.best_baseline], axis=0)


def curve_figure(comparison: Comparison) -> Figure:
    """Draw the loss saved since the first session, run by run: the first ones in colour, the others in grey."""
    curves = saved(comparison).cumsum() / comparison.composite.horizon
    first = curve_runs(comparison)
    with canvas(3.6, comparison.simulated) as figure:
        (axes,) = panels(figure, 1, 1)
        rest = curves.drop(columns=[str(number) for number in first["trial"]])
        if rest.shape[1]:
            axes.plot(curves.index.to_numpy(), rest.to_numpy(), color="#c4c4c4", linewidth=0.7)
        handles = []
        for look, row in zip(LINES, first.to_dict("records"), strict=False):
            every = max(len(curves) // 12, 1)
            drawn: Any = look | {"markevery": every, "markersize": 4}
            handles += axes.plot(curves.index.to_numpy(), curves[str(row["trial"])].to_numpy(), label=str(row["name"])[:NAME], **drawn)
        axes.axhline(0.0, color=INK, linewidth=0.9)
        axes.set_ylabel(f"loss saved against {comparison.composite.best_baseline}")
        legend_above(figure, handles, columns=2)
    return figure
