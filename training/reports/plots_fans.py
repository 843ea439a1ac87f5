"""Plot of the forecasts on what assets did from any session."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from models.inference import Array
from serving.card import CALIBRATED, OWN
from training.reports.style import PAPER, canvas, legend_above, panels, percent_axis

ENDS: Mapping[str, dict[str, Any]] = {
    CALIBRATED: {"color": "#0072B2", "marker": "o", "markersize": 4},
    OWN: {"color": "#0072B2", "marker": "o", "markersize": 5, "markerfacecolor": PAPER},
}
"""Marks at the ends of an interval, by its kind: full where it is calibrated, hollow where it is the model's own."""


def fan_figure(forecast: Sequence[Mapping[str, Any]], base: pd.DataFrame, simulated: bool) -> Figure:
    """Draw each asset's forecast fan on its base-rate fan.

    Parameters
    ----------
    forecast : the card's forecasts
    base : as `training.reports.base_fans.base_fan`
    """
    assets = list(dict.fromkeys(each["asset"] for each in forecast))
    with canvas(0.8 + 2.25 * max(len(assets), 1), simulated) as figure:
        # a fan opens with the square root of time: on that scale a random walk is a straight wedge
        for axes, asset in zip(panels(figure, max(len(assets), 1), 1, sharex=True), assets, strict=False):
            own = pd.DataFrame([each for each in forecast if each["asset"] == asset]).set_index("horizon").sort_index()
            past = base[base["asset"] == asset].set_index("horizon").sort_index()
            x = np.sqrt([0.0, *past.index.to_numpy(dtype=np.float64)])
            low, middle, high = (from_zero(past[name]) for name in ("lo80", "median", "hi80"))
            axes.fill_between(x, low, high, facecolor="#dddddd", edgecolor="none")
            axes.plot(x, middle, color="#555555", linestyle="--", linewidth=1.2)
            x = np.sqrt([0.0, *own.index.to_numpy(dtype=np.float64)])
            for name in ("log_lo", "log_hi"):
                axes.plot(x, from_zero(own[name]), color="#0072B2", linewidth=1.4)
                for kind, look in ENDS.items():
                    shown = own[own["interval"] == kind]
                    axes.plot(np.sqrt(shown.index.to_numpy(dtype=np.float64)), shown[name], linestyle="", **look)
            axes.plot(x, from_zero(own["log_median"]), color="#D55E00", marker="D", markersize=4, linewidth=1.4)
            axes.set_xticks(np.sqrt([0, *own.index]), ["now", *(str(h) for h in own.index)])
            axes.set_title(asset)
            percent_axis(axes)
        figure.supxlabel("sessions ahead", size=10)
        legend_above(
            figure,
            [
                *(
                    Line2D([], [], **look, label=f"80%, {kind}")
                    for kind, look in ENDS.items()
                    if kind in {each["interval"] for each in forecast}
                ),
                Line2D([], [], color="#D55E00", marker="D", markersize=4, label="median"),
                Patch(color="#dddddd", label="past moves, 80%"),
                Line2D([], [], color="#555555", linestyle="--", label="their median"),
            ],
        )
    return figure


def from_zero(levels: pd.Series) -> Array:
    """Begin a fan at today's price, where nothing has moved yet."""
    return np.concatenate([[0.0], levels.to_numpy(dtype=np.float64)])
