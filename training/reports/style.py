"""How plots look: one size of type, colours that differ in brightness too, 'SIMULATED' where it is."""

import base64
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

WIDTH = 7.2
INK, MUTED, PAPER = "#1b1b1b", "#5f5f5f", "#ffffff"
LINES: tuple[dict[str, Any], ...] = (
    {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    {"color": "#D55E00", "linestyle": "--", "marker": "s"},
    {"color": "#007a5a", "linestyle": "-.", "marker": "^"},
    {"color": "#7b3f98", "linestyle": ":", "marker": "D"},
)
"""Series by order, told apart by colour, dashes and marker (after Okabe and Ito 2008)."""

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": PAPER,
    "svg.fonttype": "path",
    "svg.hashsalt": "appetite",
    "path.simplify": True,
    "path.simplify_threshold": 0.3,
}

PERCENT_TICKS = (
    (2.6, (-0.95, -0.9, -0.75, -0.5, 0.0, 1.0, 3.0, 9.0, 19.0, 49.0)),
    (1.2, (-0.75, -0.5, -0.3, 0.0, 0.5, 1.0, 2.0, 3.0)),
    (0.0, (-0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.25, 0.5, 0.75, 1.0)),
)
"""Ticks in per cent for an axis of log returns, by its span."""


@contextmanager
def canvas(height: float, simulated: bool) -> Iterator[Figure]:
    """Give an empty figure of the common width to draw on; what is drawn inside has the common style.

    Parameters
    ----------
    height : inches
    simulated : whether the plot must say so
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        if simulated:
            box = {"boxstyle": "square,pad=0.25", "facecolor": PAPER, "edgecolor": "#9c2a00"}
            figure.text(0.99, 1.0 - 0.05 / height, "SIMULATED", ha="right", va="top", color="#9c2a00", weight="bold", size=9, bbox=box)
        yield figure


def percent_axis(axes: Axes) -> None:
    """Label an axis of log returns in per cent."""
    low, high = axes.get_ylim()
    ticks = next(values for span, values in PERCENT_TICKS if high - low > span)
    places = np.log1p(ticks)
    axes.yaxis.set_major_locator(FixedLocator(places[(places >= low) & (places <= high)].tolist()))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{np.expm1(value):+.0%}" if abs(value) > 1e-9 else "0"))


def panels(figure: Figure, n: int, columns: int, **shared: Any) -> list[Axes]:
    """Lay out `n` panels in rows of `columns`; places left over are removed."""
    rows = -(-n // columns)
    grid = figure.subplots(rows, columns, squeeze=False, **shared)
    every = list(grid.flat)
    for spare in every[n:]:
        spare.remove()
    return every[:n]


def legend_above(figure: Figure, handles: Sequence[Any], columns: int = 4) -> None:
    """Put one legend for all panels on top, clear of the corner where 'SIMULATED' stands."""
    figure.legend(handles=list(handles), loc="outside upper left", ncols=columns, handlelength=2.6, columnspacing=1.4)


def to_bytes(figure: Figure, kind: str = "svg") -> bytes:
    """Render as SVG or PNG, the same bytes for the same figure."""
    out = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(out, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None}, dpi=144)
    return out.getvalue()


def as_uri(svg: bytes) -> str:
    """Put an SVG into the form that a page carries inside itself."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
