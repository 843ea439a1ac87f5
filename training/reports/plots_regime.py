"""Plots of how sure the regime is: range of the specifications, what moved the probability, what the names rest on."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter, MonthLocator, YearLocator
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from models.identity import MIN_GAIN_Z, MIN_ORDER_PROB, MIN_SD_RATIO
from training.reports.style import INK, LINES, MUTED, canvas, legend_above, panels

DAYS_A_MONTH = 30.44
BAND, WIDE_BAND = "#a9cbe3", "#e2e2e2"
AMBIGUOUS = LINES[1]["color"]
PANELS: Mapping[str, tuple[str, float | None, bool]] = {
    "order_prob": ("Order, probability", MIN_ORDER_PROB, False),
    "gain_z": ("Gain over one state, z", MIN_GAIN_Z, False),
    "sd_ratio": ("Ratio of sd", MIN_SD_RATIO, False),
    "churn": ("Days relabelled", None, True),
    "revision": ("Mean |new - published|", None, False),
    "renamed": ("Names changed", None, True),
}
"""By column of `training.refit_history.refit_history`: title, the least that a name needs, whether it is a share."""


def range_figure(published: pd.DataFrame, resampled: pd.DataFrame | None, recent: int, simulated: bool) -> Figure:
    """Draw the published probability over the range of the specifications, ambiguous days marked: all of it, and the newest sessions.

    Parameters
    ----------
    published : sessions of the walk that have a probability: p_risk_on, p_risk_on_spec_lo, p_risk_on_spec_hi, ambiguous
    resampled : lo and hi over refits on resampled history, of the sessions since the newest refit; None where there is none
    recent : sessions of the lower panel
    """
    with canvas(4.6, simulated) as figure:
        whole, newest = figure.subplots(2, 1)
        if resampled is not None:
            newest.fill_between(resampled.index, resampled["lo"], resampled["hi"], step="mid", color=WIDE_BAND, linewidth=0)
        for axes, rows, title in (
            (whole, published, "P(risk-on) as it was published"),
            (newest, published.iloc[-recent:], f"Its newest {min(recent, len(published))} sessions"),
        ):
            axes.fill_between(rows.index, rows["p_risk_on_spec_lo"], rows["p_risk_on_spec_hi"], step="mid", color=BAND, linewidth=0)
            axes.step(rows.index, rows["p_risk_on"], where="mid", color=LINES[0]["color"], linewidth=0.9)
            days = rows.index[rows["ambiguous"].to_numpy(dtype=np.bool_)]
            axes.plot(days, np.full(len(days), -0.08), "|", color=AMBIGUOUS, markersize=6, markeredgewidth=0.7)
            axes.axhline(0.5, color=MUTED, linewidth=0.8, linestyle=":")
            axes.set_ylim(-0.14, 1.04)
            axes.set_title(title)
            _date_axis(axes)
        handles: list[Any] = [
            Line2D([], [], color=LINES[0]["color"], label="average"),
            Patch(color=BAND, label="specifications, lowest to highest"),
            Line2D([], [], color=AMBIGUOUS, marker="|", linestyle="", markersize=8, label="ambiguous day"),
        ]
        spread = [] if resampled is None else [Patch(color=WIDE_BAND, label="80% of refits, since the newest")]
        legend_above(figure, [*handles, *spread], columns=2)
    return figure


def moved_figure(moved: Mapping[str, Any], year: pd.DataFrame, simulated: bool) -> Figure:
    """Draw what moved the newest probability as bars, and what the probabilities of the year before were made of as lines.

    Parameters
    ----------
    moved : base, families by name and total, in log-odds (`models.explain.Explanation.at`)
    year : base, a column a family, total, on the newest sessions
    """
    parts = {"before": moved["base"], **moved["families"], "after": moved["total"]}
    with canvas(1.9 + 0.32 * len(parts) + 1.5, simulated) as figure:
        bars, lines = figure.subplots(2, 1, height_ratios=(0.5 + 0.3 * len(parts), 2.1))
        _bars(bars, parts)
        lines.axhline(0.0, color=INK, linewidth=0.9)
        handles = []
        names = [str(name) for name in year if name != "total"]
        for k, name in enumerate([*names, "total"]):
            look = {"color": INK, "linewidth": 1.6} if name == "total" else LINES[k % len(LINES)] | {"marker": "", "linewidth": 1.2}
            (handle,) = lines.plot(year[name], **look, label="model alone" if name == "base" else name)
            handles.append(handle)
        lines.set_title(f"What the log-odds of the newest {len(year)} sessions are made of")
        _date_axis(lines)
        legend_above(figure, handles)
    return figure


def _bars(axes: Axes, parts: Mapping[str, float]) -> None:
    """Lay contributions end to end, from the log-odds before the session to those after it."""
    values = list(parts.values())
    begins = [0.0, *np.cumsum(values[:-2]).tolist(), 0.0]
    ends = [*np.cumsum(values[:-1]).tolist(), values[-1]]
    low, high = min(*begins, *ends), max(*begins, *ends)
    for place, (begin, end, value) in enumerate(zip(begins, ends, values, strict=True)):
        whole = place in (0, len(values) - 1)
        colour = MUTED if whole else LINES[0]["color"] if value >= 0 else LINES[1]["color"]
        axes.barh(place, end - begin, left=begin, height=0.62, color=colour, hatch="" if whole or value >= 0 else "////", edgecolor="white")
        axes.text(max(begin, end) + 0.012 * (high - low), place, f"{value:+.1f}", va="center", size=9)
    axes.axvline(0.0, color=INK, linewidth=0.9)
    axes.set_xlim(right=high + 0.1 * (high - low))
    axes.set_yticks(range(len(parts)), list(parts))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_title("What the newest session changed, log-odds of risk-on")


def drawn_panels(history: pd.DataFrame) -> dict[str, tuple[str, float | None, bool]]:
    """Give those of `PANELS` that have a value to draw; none for the first refit of a model without states."""
    return {name: told for name, told in PANELS.items() if history[name].notna().any()}


def refits_figure(history: pd.DataFrame, simulated: bool) -> Figure:
    """Draw refit by refit what the names rest on, and how far a refit takes back what was published.

    Parameters
    ----------
    history : as `training.refit_history.refit_history`, with something to draw (`drawn_panels`)
    """
    drawn = drawn_panels(history)
    with canvas(0.7 + 1.75 * -(-len(drawn) // 3), simulated) as figure:
        unnamed = ~history["identified"].to_numpy(dtype=np.bool_)
        for axes, (name, (title, least, share)) in zip(panels(figure, len(drawn), 3, sharex=True), drawn.items(), strict=True):
            axes.plot(history[name], color=LINES[0]["color"], linewidth=1.0)
            axes.plot(history[name][~unnamed], "o", color=LINES[0]["color"], markersize=3.5)
            axes.plot(history[name][unnamed], "x", color=AMBIGUOUS, markersize=4.5, markeredgewidth=1.2)
            if least is not None:
                axes.axhline(least, color=INK, linewidth=0.9, linestyle=":")
            if share:
                axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            if least is None:
                axes.set_ylim(bottom=0.0)
            axes.set_title(title)
            axes.yaxis.set_major_locator(MaxNLocator(4))
            _date_axis(axes, most=4)
        handles = [
            Line2D([], [], color=LINES[0]["color"], marker="o", markersize=4, label="refit"),
            Line2D([], [], color=AMBIGUOUS, marker="x", linestyle="", markersize=5, label="its states carry no names"),
            Line2D([], [], color=INK, linestyle=":", label="least that a name needs"),
        ]
        legend_above(figure, handles)
    return figure


def _date_axis(axes: Axes, most: int = 8) -> None:
    """Tick whole years, or of a short span whole months with every January among them: about `most` at most."""
    first, last = axes.get_xlim()
    months = (last - first) / DAYS_A_MONTH
    step = next((each for each in (1, 2, 3, 4, 6) if months <= each * most), 12)
    locator = MonthLocator(tuple(range(1, 13, step))) if months <= 30 else YearLocator(ceil(months / 12 / most))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
