"""The plot of a choice of the number of states: what each candidate scored, and which limits it keeps."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

from models.selection import Selection
from training.reports.style import INK, LINES, MUTED, canvas, legend_above, panels

EMISSIONS = {"gaussian": ("Gaussian", LINES[0], -0.06), "student": ("Student-t", LINES[1], 0.06)}
"""Word, look, and by how much its points are moved sideways so that none hides another."""

REFUSED = "#f0e3dd"
LONGEST = 1000.0
"""Dwell times are drawn up to here, in rows; one state lasts for ever."""


def states_figure(selection: Selection, simulated: bool) -> Figure:
    """Draw score, BIC and ICL by number of states, and below the three limits with what lies beyond them shaded.

    Parameters
    ----------
    selection : as `models.selection.select_n_states`
    simulated : whether the plot must say so
    """
    table, limits = selection.table, selection.limits
    drawn = table.assign(
        score=-table["behind"],
        error=table["behind_se"],
        bic=table["bic"] - table["bic"].min(),
        icl=table["icl"] - table["icl"].min(),
        dwell=table["dwell"].clip(upper=LONGEST),
    )
    with canvas(5.2, simulated) as figure:
        score, bic, icl, rarest, dwell, churn = panels(figure, 6, 3, sharex=True)
        _series(score, drawn, "score", "log score below best")
        score.axhline(0.0, color=MUTED, linewidth=0.8)
        _series(bic, drawn, "bic", "BIC above the least")
        _series(icl, drawn, "icl", "ICL above the least")
        _series(rarest, drawn, "occupancy", "days in rarest state")
        _limit(rarest, limits.occupancy, below=True)
        _series(dwell, drawn, "dwell", "shortest stay")
        _days(dwell, limits.dwell)
        _series(churn, drawn, "churn", "days relabelled")
        _limit(churn, limits.churn, below=False)
        for axes in (rarest, churn):
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        for axes in (rarest, dwell, churn):
            axes.set_xlabel("states")
        legend_above(figure, _handles())
    return figure


def _series(axes: Axes, drawn: pd.DataFrame, column: str, title: str) -> None:
    for emission, (_, look, aside) in EMISSIONS.items():
        part = drawn[drawn["emission"] == emission].sort_values("n_states")
        x = part["n_states"].to_numpy(dtype=np.float64) + aside
        y = part[column].to_numpy(dtype=np.float64)
        axes.plot(x, y, color=look["color"], linestyle=look["linestyle"], marker=look["marker"], markersize=5, linewidth=1.2)
        if column == "score":
            axes.errorbar(x, y, yerr=part["error"], color=look["color"], linestyle="", capsize=2.5, linewidth=1.0)
        chosen = part["chosen"].to_numpy(dtype=np.bool_)
        axes.plot(x[chosen], y[chosen], "o", markersize=12, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.4)
    axes.set_title(title)
    axes.set_xlim(drawn["n_states"].min() - 0.4, drawn["n_states"].max() + 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _limit(axes: Axes, limit: float, *, below: bool) -> None:
    """Shade what the rule refuses."""
    low, high = axes.get_ylim()
    low, high = min(low, -0.2 * limit), max(high, 1.5 * limit)
    axes.axhspan(*((low, limit) if below else (limit, high)), color=REFUSED, linewidth=0, zorder=0)
    axes.axhline(limit, color=MUTED, linewidth=0.9, linestyle=":")
    axes.set_ylim(low, high)


def _days(axes: Axes, limit: float) -> None:
    axes.set_yscale("log")
    axes.set_ylim(1.0, 1.5 * LONGEST)
    axes.set_yticks([1.0, 10.0, 100.0, LONGEST])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}{' +' if value >= LONGEST else ''}"))
    axes.axhspan(1.0, limit, color=REFUSED, linewidth=0, zorder=0)
    axes.axhline(limit, color=MUTED, linewidth=0.9, linestyle=":")


def _handles() -> list[Line2D]:
    looks = [
        Line2D([], [], color=look["color"], linestyle=look["linestyle"], marker=look["marker"], markersize=5, label=word)
        for word, look, _ in EMISSIONS.values()
    ]
    ring = Line2D([], [], linestyle="", marker="o", markersize=10, markerfacecolor="none", markeredgecolor=INK, label="chosen")
    limit = Line2D([], [], color=MUTED, linestyle=":", linewidth=0.9, label="limit (refused side shaded)")
    return [*looks, ring, limit]
