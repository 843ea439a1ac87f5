"""A picture of the data: every input series with its delay, age, holes and what was set aside, and what the features make of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from features import features_with_quality
from features.market import Market
from features.matrix import FAMILIES
from serving.output import write_text
from serving.words import count, day
from sources.inventory import Series, holes, take_inventory
from training import report_tables
from training.report_inputs import HIGH, WIDE, family_view, silent_columns
from training.report_tables import Table

TEMPLATES = Path(__file__).parent / "templates"
POINTS = 240
"""Points of a small curve, about one a pixel."""

LOGARITHMIC = ("prices", "coins")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Strip:
    """One series on the axis of time that all share.

    Attributes
    ----------
    series : what it is
    lines : points of its polylines, one a stretch without holes
    marks : places of records set aside
    spoken : the same in words
    """

    series: Series
    lines: list[str]
    marks: list[float]
    spoken: str


def write_data_report(market: Market, out: Path, progress: Progress) -> Path:
    """Write the picture of a market's data as one HTML file that needs nothing else, in one step.

    Parameters
    ----------
    out : of the file; its folder exists
    progress : called with a word, the steps done and their number
    """
    progress("features", 0, 1)
    made = features_with_quality(market)
    progress("features", 1, 1)
    inventory = take_inventory(market)
    span = market.sessions[0], max(market.sessions[-1], max((each.last for each in inventory), default=market.sessions[-1]))
    page = {
        "title": f"{'SIMULATED · ' if market.simulated else ''}appetite: data of {market.name}, {market.sessions[-1]:%Y-%m-%d}",
        "market": market,
        "span": [day(market.sessions[0]), day(span[1])],
        "fingerprint": market.fingerprint(),
        "frames": _by_frame([strip(each, span) for each in inventory]),
        "inventory": inventory_view(inventory),
        "delay": delay_words,
        "years": year_ticks(span),
        "families": [family_view(family, market, made.values, made.quality, {}) for family in FAMILIES],
        "silent": silent_columns(made.values),
        "quarantine": report_tables.quarantine_table(market),
        "wide": (WIDE, HIGH),
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    write_text(environment.get_template("data.html.j2").render(page), out)
    return out


def _by_frame(strips: list[Strip]) -> dict[str, list[Strip]]:
    out: dict[str, list[Strip]] = {}
    for each in strips:
        out.setdefault(each.series.frame, []).append(each)
    return out


def strip(series: Series, span: tuple[pd.Timestamp, pd.Timestamp]) -> Strip:
    """Draw a series between two dates.

    Parameters
    ----------
    span : first and last date of the axis
    """
    course = series.course[(series.course.index >= span[0]) & (series.course.index <= span[1])]
    marks = [place(date, span) for date in series.quarantined if not pd.isna(date) and span[0] <= date <= span[1]]
    without = len(series.quarantined) - len(marks)
    aside = f"; {len(series.quarantined)} set aside" + (f", {without} of them on no date of this axis" if without else "")
    spoken = f"{series.frame} {series.name}: {day(series.first)} to {day(series.last)}" + (aside if len(series.quarantined) else "")
    return Strip(series, _lines(course, series.frame in LOGARITHMIC, [before for before, _ in holes(series)], span), marks, spoken)


def place(date: pd.Timestamp, span: tuple[pd.Timestamp, pd.Timestamp]) -> float:
    """Where a date stands on the axis, 0 to `WIDE`."""
    return round(float((date - span[0]) / (span[1] - span[0])) * WIDE, 1)


def _lines(course: pd.Series, logarithmic: bool, before_holes: list[pd.Timestamp], span: tuple[pd.Timestamp, pd.Timestamp]) -> list[str]:
    if not len(course):
        return []
    values = course.to_numpy(dtype=np.float64)
    values = np.log(values) if logarithmic else values
    low, high = float(values.min()), float(values.max())
    y = HIGH - 3.0 - (HIGH - 6.0) * ((values - low) / (high - low) if high > low else np.full(len(values), 0.5))
    dates = course.index.to_numpy(dtype="datetime64[us]")
    x = (dates - span[0].to_datetime64()) / (span[1] - span[0]).to_timedelta64() * WIDE
    ends = np.flatnonzero(course.index.isin(before_holes)) + 1
    return [_polyline(x[part], y[part]) for part in np.split(np.arange(len(x)), ends) if len(part)]


def _polyline(x: np.ndarray, y: np.ndarray) -> str:
    """Thin a stretch to its extremes, point by point of the axis: a spike must not fall between two points."""
    bins = np.floor(x / WIDE * POINTS).astype(int)
    keep: list[int] = []
    for rows in np.split(np.arange(len(x)), np.flatnonzero(np.diff(bins)) + 1):
        keep += sorted({int(rows[y[rows].argmin()]), int(rows[y[rows].argmax()])})
    if len(keep) == 1:  # a single point has no length: give it one
        return f"{x[keep[0]] - 0.5:.1f},{y[keep[0]]:.1f} {x[keep[0]] + 0.5:.1f},{y[keep[0]]:.1f}"
    return " ".join(f"{x[k]:.1f},{y[k]:.1f}" for k in keep)


def year_ticks(span: tuple[pd.Timestamp, pd.Timestamp]) -> list[tuple[float, str]]:
    """Place and name of some years on the axis."""
    years = list(range(span[0].year + 1, span[1].year + 1))
    step = max(1, -(-len(years) // 8))
    return [(place(pd.Timestamp(year, 1, 1), span), str(year)) for year in years[::-1][::step][::-1]]


def delay_words(delay: pd.Timedelta) -> str:
    """Write how long after 00:00 UTC of its date a record was known."""
    hours = delay / pd.Timedelta(hours=1)
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"


def inventory_view(inventory: list[Series]) -> Table:
    """Lay the inventory out for readers."""
    rows = [
        [
            each.frame,
            each.name,
            day(each.first),
            day(each.last),
            count(each.n),
            delay_words(each.delay),
            delay_words(each.longest_delay),
            count(each.age),
            "" if each.missing is None else count(each.missing),
            count(each.longest_gap),
            count(len(each.quarantined)),
        ]
        for each in inventory
    ]
    when = ["first", "last", "records", "known after", "at most", "age, sessions"]
    head = ["frame", "series", *when, "missing", "longest step, days", "set aside"]
    words = (
        "Known after: median time from 00:00 UTC of a record's date to the instant it could be used. "
        "Missing: sessions (days for coins) between first and last without a record."
    )
    return Table(words, head, rows, text=(0, 1, 2, 3))


def render_status(market: Market, inventory: list[Series]) -> str:
    """Lay the inventory out for a terminal."""
    simulated = f" (SIMULATED: {market.note})" if market.simulated else ""
    lines = [
        f"market {market.name}{simulated} · {len(market.sessions)} sessions to {market.sessions[-1]:%Y-%m-%d}",
        "known after: median time from 00:00 UTC of a record's date; missing: sessions (days for coins) without a record",
        "",
        f"{'frame':<9}{'series':<18}{'first':<12}{'last':<12}{'records':>9}{'known after':>13}{'age':>6}{'missing':>9}{'set aside':>11}",
    ]
    for each in inventory:
        missing = "" if each.missing is None else count(each.missing)
        lines.append(
            f"{each.frame:<9}{each.name[:17]:<18}{day(each.first):<12}{day(each.last):<12}{each.n:>9}{delay_words(each.delay):>13}"
            f"{each.age:>6}{missing:>9}{len(each.quarantined):>11}"
        )
    return "\n".join(lines)
