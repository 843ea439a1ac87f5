"""Pictures of the trial: every path on the fan of any session, and correlations lag by lag."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from training.claims.assets import ASSETS
from training.claims.sentences import capital
from training.claims.timing import Timing
from training.reports.base_fans import AFTER, BEFORE, event_path, path_fan
from training.reports.style import INK, LINES, MUTED, PAPER, canvas, legend_above, panels, percent_axis

FAN, MIDDLE = "#dddddd", "#555555"
ROOM = 62
"""Sessions of width for the dates at the ends of the paths."""


def paths_figure(dates: Sequence[pd.Timestamp], prices: pd.DataFrame, assets: Sequence[str], simulated: bool) -> Figure:
    """Draw the path of each asset around every event, on what happened around any session.

    Parameters
    ----------
    dates : of the events
    prices : of the assets on sessions
    """
    with canvas(0.8 + 3.0 * len(assets), simulated) as figure:
        for axes, asset in zip(panels(figure, len(assets), 1, sharex=True), assets, strict=True):
            _draw_paths(axes, dates, prices[asset])
            axes.set_title(capital(ASSETS[asset]))
            percent_axis(axes)
        figure.supxlabel("sessions from the event (252 are a year)", size=10)
        drawn = [Line2D([], [], color=INK, label="after an event, by date"), Patch(color=FAN, label="80% of all sessions")]
        legend_above(figure, [*drawn, Line2D([], [], color=MIDDLE, linestyle="--", label="median of all")])
    return figure


def _draw_paths(axes: Axes, dates: Sequence[pd.Timestamp], price: pd.Series) -> None:
    fan = path_fan(price)
    axes.fill_between(fan.index, fan["lo80"], fan["hi80"], facecolor=FAN, edgecolor="none")
    axes.plot(fan["median"], color=MIDDLE, linestyle="--", linewidth=1.2)
    ends = []
    for k, date in enumerate(dates):
        taus, moves = event_path(price, date)
        if not len(taus):
            continue
        look = LINES[k % len(LINES)]
        axes.plot(taus, moves, color=look["color"], linestyle=look["linestyle"], linewidth=1.5)
        ends.append((float(taus[-1]), float(moves[-1]), f"{date:%d %b %Y}", str(look["color"])))
    axes.axvline(0.0, color=INK, linewidth=0.9)
    axes.axhline(0.0, color=MUTED, linewidth=0.6)
    axes.set_xlim(BEFORE, AFTER + ROOM)
    axes.set_xticks([-126, -63, 0, 63, 126, 189, 252])
    low, high = axes.get_ylim()
    place = -np.inf
    for x, y, word, color in sorted(ends, key=lambda end: end[1]):
        place = max(y, place + 0.08 * (high - low))
        plate = {"boxstyle": "square,pad=0.1", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.8}
        axes.annotate(word, (x, y), (x + 4, place), color=color, size=8.5, va="center", annotation_clip=False, bbox=plate)


def lags_figure(timing: Timing, simulated: bool) -> Figure:
    """Draw the correlations of a coin with small caps at every lag, under both labels of its day, and the rolling correlation below."""
    n = len(timing.profiles)
    with canvas(1.0 + 1.9 * (n + 1), simulated) as figure:
        axes = panels(figure, n + 1, 1)
        for place, (words, profile) in zip(axes, timing.profiles.items(), strict=False):
            place.axhspan(-profile.band, profile.band, facecolor=FAN, edgecolor="none")
            place.vlines(profile.lags, 0.0, profile.correlation, color=LINES[0]["color"], linewidth=1.6)
            for level in (-profile.bartlett, profile.bartlett):
                place.axhline(level, color=MUTED, linewidth=0.8, linestyle=":")
            place.axhline(0.0, color=INK, linewidth=0.8)
            place.set_title(f"{capital(ASSETS[timing.asset])}, its day {words}")
            place.set_xlabel("sessions by which the coin is later (negative: it is earlier)")
            place.set_xticks(range(-63, 64, 21))
        axes[-1].plot(timing.rolling, color=INK, linewidth=1.0)
        axes[-1].axhline(0.0, color=MUTED, linewidth=0.8)
        axes[-1].set_title("Correlation of the same day, over half a year (126 sessions)")
        band = Patch(color=FAN, label="95% by chance, over all lags")
        single = Line2D([], [], color=MUTED, linestyle=":", label="95%, one lag alone")
        legend_above(figure, [Line2D([], [], color=LINES[0]["color"], label="correlation of daily moves"), band, single])
    return figure
