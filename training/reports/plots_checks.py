"""Plots of calibration and of what followed breakouts."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from training.evaluation.calibration import MIN_IN_BIN, PIT_BINS
from training.reports.base_fans import AFTER, BEFORE, event_path, path_fan
from training.reports.plots import asset_handles
from training.reports.style import INK, LINES, MUTED, PAPER, canvas, legend_above, panels, percent_axis

CONFIRMED = "breakout_confirmed"
DRAWN = ("R2000", "IWN")
"""Series whose breakouts are drawn. The fund on the index itself breaks out with it and would only double its lines."""

PLATE = {"boxstyle": "square,pad=0.1", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.8}
"""Behind a label that may lie on lines."""


def reliability_figure(table: pd.DataFrame, assets: Sequence[str], simulated: bool) -> Figure:
    """Draw how often assets rose against the probability given, a panel a horizon.

    Parameters
    ----------
    table : as `training.evaluation.calibration.reliability`
    assets : in the order of all plots
    """
    horizons = sorted(table["horizon"].unique())
    low, high = (0.3, 0.8) if table.empty else (min(0.4, table["p_up"].min() - 0.03), max(0.7, table["p_up"].max() + 0.03))
    with canvas(0.8 + 2.6 * max(-(-len(horizons) // 2), 1), simulated) as figure:
        for axes, horizon in zip(panels(figure, max(len(horizons), 1), 2, sharey=True), horizons, strict=False):
            axes.plot([low, high], [low, high], color=INK, linewidth=0.9, linestyle=":")
            shown = table[(table["horizon"] == horizon) & (table["n_independent"] >= MIN_IN_BIN)]
            for k, (line, asset) in enumerate(zip(LINES, assets, strict=False)):
                part = shown[shown["asset"] == asset]
                sides = [part["observed"] - part["lo"], part["hi"] - part["observed"]]
                beside = part["p_up"] + 0.004 * (k - 1)  # or the bars would lie on each other
                look = {"color": line["color"], "marker": line["marker"], "linestyle": ""}
                axes.errorbar(beside, part["observed"], yerr=sides, markersize=6, elinewidth=1.0, capsize=2, **look)
            if shown.empty:
                axes.text(0.5, 0.9, "too few independent rows", transform=axes.transAxes, ha="center", color=MUTED, size=9)
            axes.set_xlim(low, high)
            axes.set_ylim(-0.03, 1.03)
            axes.set_title(f"{horizon} sessions")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        figure.supxlabel("probability given of a rise", size=10)
        figure.supylabel("share that rose", size=10)
        diagonal = Line2D([], [], color=INK, linestyle=":", label="perfectly reliable")
        legend_above(figure, [*asset_handles(assets, marked=True, joined=False), diagonal])
    return figure


def pit_figure(table: pd.DataFrame, assets: Sequence[str], simulated: bool) -> Figure:
    """Draw where in the forecast distribution outcomes fell, a panel a horizon.

    Parameters
    ----------
    table : as `training.evaluation.calibration.pit_histogram`
    """
    horizons = sorted(table["horizon"].unique()) if len(table) else []
    edges = np.linspace(0.0, 1.0, PIT_BINS + 1)
    columns = [f"density_{k + 1}" for k in range(PIT_BINS)]
    with canvas(0.8 + 2.3 * max(-(-len(horizons) // 2), 1), simulated) as figure:
        for axes, horizon in zip(panels(figure, max(len(horizons), 1), 2, sharex=True), horizons, strict=False):
            own = table[table["horizon"] == horizon].set_index("asset")
            spread = 2.0 * np.sqrt(PIT_BINS * (1.0 - 1.0 / PIT_BINS) / max(int(own["n_independent"].min()), 1))
            axes.axhspan(max(1.0 - spread, 0.0), 1.0 + spread, color="#e4e4e4", zorder=0)
            axes.axhline(1.0, color=INK, linewidth=0.9, linestyle=":")
            for line, asset in zip(LINES, assets, strict=False):
                if asset in own.index:
                    density = own.loc[asset, columns].to_numpy(dtype=np.float64)
                    axes.stairs(density, edges, color=line["color"], linestyle=line["linestyle"], linewidth=1.5, baseline=None)
            axes.set_ylim(bottom=0.0)
            axes.set_title(f"{horizon} sessions")
        figure.supxlabel("place of the outcome in its forecast distribution (0 lowest, 1 highest)", size=10)
        figure.supylabel("density", size=10)
        band = Patch(color="#e4e4e4", label="two standard errors")
        legend_above(figure, [*asset_handles(assets, marked=False), band])
    return figure


def paths_figure(events: pd.DataFrame, prices: pd.DataFrame, assets: Sequence[str], simulated: bool) -> Figure:
    """Draw every path of each asset around the confirmed breakouts, on what happened around any session.

    Parameters
    ----------
    events : as `training.claims.events.event_study`
    prices : price of each asset at `asof(t)`
    """
    once = events[events["series"].isin(DRAWN) & (events["event"] == CONFIRMED)].drop_duplicates(["series", "date"])
    with canvas(0.9 + 2.7 * max(len(assets), 1), simulated) as figure:
        for axes, asset in zip(panels(figure, max(len(assets), 1), 1, sharex=True), assets, strict=False):
            fan = path_fan(prices[asset])
            axes.fill_between(fan.index, fan["lo80"], fan["hi80"], facecolor="#dddddd", edgecolor="none")
            axes.plot(fan["median"], color="#555555", linestyle="--", linewidth=1.2)
            ends, absent = [], 0
            for event in once.to_dict("records"):
                taus, moves = event_path(prices[asset], event["date"])
                look = LINES[DRAWN.index(event["series"])]
                absent += not len(taus)
                axes.plot(taus, moves, color=look["color"], linestyle=look["linestyle"], linewidth=1.4)
                if len(taus):
                    ends.append((float(taus[-1]), float(moves[-1]), f"{event['series']} {event['date']:%b %Y}", look["color"]))
            axes.axvline(0.0, color=INK, linewidth=0.9)
            axes.axhline(0.0, color=MUTED, linewidth=0.6)
            axes.set_xlim(BEFORE, AFTER + 70)
            _label_ends(axes, ends)
            missing = f", {absent} more before it had prices" if absent else ""
            axes.set_title(f"{asset}: {len(ends)} paths{missing}")
            percent_axis(axes)
        figure.supxlabel("sessions from the confirmation", size=10)
        own = [
            Line2D([], [], color=LINES[k]["color"], linestyle=LINES[k]["linestyle"], label=f"after {name}") for k, name in enumerate(DRAWN)
        ]
        middle = Line2D([], [], color="#555555", linestyle="--", label="median")
        legend_above(figure, [*own, Patch(color="#dddddd", label="80% around any session"), middle])
    return figure


def _label_ends(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Date each path where it ends, moving labels apart that would lie on each other."""
    low, high = axes.get_ylim()
    room = 0.075 * (high - low)
    place = -np.inf
    for x, y, word, color in sorted(ends, key=lambda end: end[1]):
        place = max(y, place + room)
        axes.annotate(word, (x, y), (x + 4, place), color=color, size=8, va="center", annotation_clip=False, bbox=PLATE)
