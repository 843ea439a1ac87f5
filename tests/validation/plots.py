"""Shapes that several figures of the study share."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.reports.style import LINES, MUTED

REQUIRED = {"color": "#e4e4e4", "label": "required"}


def level_dots(figure: Figure, series: Mapping[str, pd.Series], low: float, high: float, across: str, up: str) -> None:
    """Shares by category, a marker a series, over the band that is required."""
    axes = figure.subplots()
    axes.axhspan(low, high, **REQUIRED)
    for number, ((name, values), style) in enumerate(zip(series.items(), LINES, strict=False)):
        places = np.arange(len(values)) + 0.14 * (number - (len(series) - 1) / 2)
        axes.plot(places, values, **style | {"linestyle": "none"}, markersize=7, label=name)
    axes.set_xticks(range(len(values)), [str(each) for each in values.index])
    axes.set(xlabel=across, ylabel=up, ylim=(0, None), xlim=(-0.5, len(values) - 0.5))
    axes.grid(visible=False, axis="x")
    figure.legend(loc="outside upper left", ncols=4, columnspacing=1.2, handletextpad=0.4)


def cumulative(axes: Axes, series: Mapping[str, pd.Series]) -> None:
    """Share of worlds whose value is at most x, for values between 0 and 1; a p-value that is right follows the diagonal."""
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8)
    for (name, values), style in zip(series.items(), LINES, strict=False):
        ordered = np.sort(values.to_numpy())
        axes.step(ordered, np.arange(1, len(ordered) + 1) / len(ordered), where="post", **style | {"marker": None}, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1))
