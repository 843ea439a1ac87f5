"""Plots of the report: regimes, and loss over time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from models.scoring import UNIDENTIFIED
from training.reports.style import INK, LINES, MUTED, canvas, legend_above, panels
from training.study import Study

SHADES: Mapping[str, dict[str, Any]] = {
    "risk_on": {"facecolor": "#bfdcf2", "hatch": ""},
    "risk_off": {"facecolor": "#f6d2b5", "hatch": "////"},
    "neutral": {"facecolor": "#e6e6e6", "hatch": ""},
    "neutral_high": {"facecolor": "#e6e6e6", "hatch": ""},
    "neutral_low": {"facecolor": "#d2d2d2", "hatch": "...."},
    UNIDENTIFIED: {"facecolor": "#ffffff", "hatch": "xxxx"},
}
"""Regimes by tint and hatching, so that they differ in black and white."""


def regime_spells(published: pd.DataFrame) -> pd.DataFrame:
    """Runs of the same published regime.

    Returns
    -------
    DataFrame with regime, start, end (last session of the run), sessions
    """
    named = published["regime"].dropna()
    run = (named != named.shift()).cumsum()
    dates = pd.Series(named.index, index=named.index)
    parts = dates.groupby(run.to_numpy())
    return pd.DataFrame(
        {"regime": named.groupby(run.to_numpy()).first(), "start": parts.first(), "end": parts.last(), "sessions": parts.size()}
    ).reset_index(drop=True)


def regime_figure(study: Study, enter: float, leave: float, simulated: bool) -> Figure:
    """Draw small caps with the called regimes shaded and refits marked, and the filtered probability below.

    Parameters
    ----------
    enter, leave : thresholds of the call
    """
    published = study.regimes.published
    walk = published.iloc[study.regimes.first :]
    spells = regime_spells(published)
    with canvas(5.0, simulated) as figure:
        price, prob = figure.subplots(2, 1, sharex=True, height_ratios=(1.7, 1.0))
        price.plot(study.table.small_caps.reindex(walk.index), color=INK, linewidth=0.9)
        price.set_yscale("log")
        price.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)))
        price.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        price.yaxis.set_minor_locator(NullLocator())
        price.set_title("Russell 2000, log scale")
        handles = _shade(price, spells)
        refits = [study.features.index[each.position] for each in study.regimes.refits]
        price.plot(refits, np.full(len(refits), 0.02), "|", color=INK, markersize=8, transform=price.get_xaxis_transform())
        prob.plot(walk["p_risk_on"], color=LINES[0]["color"], linewidth=0.9)
        for level, word in ((enter, "enter"), (leave, "leave")):
            prob.axhline(level, color=MUTED, linewidth=0.8, linestyle=":")
            prob.text(1.005, level, word, transform=prob.get_yaxis_transform(), va="center", color=MUTED, size=9)
        prob.set_ylim(-0.03, 1.03)
        prob.set_title("P(risk-on), filtered: each day from its past alone")
        legend_above(figure, [*handles, Line2D([], [], color=INK, marker="|", linestyle="", markersize=8, label="refit")])
    return figure


def _shade(axes: Axes, spells: pd.DataFrame) -> list[Patch]:
    handles = []
    for regime, part in spells.groupby("regime"):
        shade = SHADES[str(regime)]
        starts = part["start"].to_numpy("datetime64[D]").astype(np.float64)
        widths = part["end"].to_numpy("datetime64[D]").astype(np.float64) - starts + 1.0
        look = {"facecolor": shade["facecolor"], "hatch": shade["hatch"], "edgecolor": MUTED if shade["hatch"] else "none", "linewidth": 0}
        axes.broken_barh(list(zip(starts, widths, strict=True)), (0, 1), transform=axes.get_xaxis_transform(), zorder=0, **look)
        handles.append(Patch(**look, label=str(regime).replace("_", "-")))
    return handles


def gain_figure(gain: pd.DataFrame, simulated: bool) -> Figure:
    """Draw the cumulative CRPS that the served series saved against the best baseline, a panel a horizon.

    Parameters
    ----------
    gain : as `training.evaluation.calibration.loss_gain`
    """
    horizons = sorted(gain["horizon"].unique())
    with canvas(0.7 + 2.3 * max(-(-len(horizons) // 2), 1), simulated) as figure:
        for axes, horizon in zip(panels(figure, max(len(horizons), 1), 2, sharex=True), horizons, strict=False):
            axes.axhline(0.0, color=INK, linewidth=0.9)
            for line, (_, part) in zip(LINES, gain[gain["horizon"] == horizon].groupby("asset", sort=False), strict=False):
                axes.plot(part["session"], part["gain"], color=line["color"], linestyle=line["linestyle"], linewidth=1.4)
            axes.set_title(f"{horizon} sessions")
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
            axes.tick_params(axis="x", labelrotation=45)
        legend_above(figure, asset_handles(list(gain["asset"].unique()), marked=False))
    return figure


def asset_handles(assets: Sequence[str], *, marked: bool, joined: bool = True) -> list[Line2D]:
    """Legend entries of assets, in the look that all plots share."""
    return [
        Line2D(
            [],
            [],
            color=line["color"],
            linestyle=line["linestyle"] if joined else "",
            marker=line["marker"] if marked else "",
            markersize=5,
            label=asset,
        )
        for line, asset in zip(LINES, assets, strict=False)
    ]
