"""Small curves on one axis of time that all share: broken where there are no records, with marks where records were set aside."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from serving.words import day
from sources.inventory import Series, holes
from training.reports.inputs import HIGH, WIDE

POINTS = 240
"""Points of a small curve, about one a pixel."""

LOGARITHMIC = ("prices", "coins")
HOURS_UP_TO = 48

Span = tuple[pd.Timestamp, pd.Timestamp]


@dataclass(frozen=True)
class Strip:
    """One series on the axis of time.

    Attributes
    ----------
    name, note : what it is, and a few words below
    lines : points of its polylines, one a stretch without holes
    marks : places of records set aside
    spoken : the same in words
    """

    name: str
    note: str
    lines: list[str]
    marks: list[float]
    spoken: str


def strip(series: Series, span: Span) -> Strip:
    """Draw a series between two dates.

    Parameters
    ----------
    span : first and last date of the axis
    """
    marks = [place(date, span) for date in series.quarantined if not pd.isna(date) and span[0] <= date <= span[1]]
    without = len(series.quarantined) - len(marks)
    aside = f"; {len(series.quarantined)} set aside" + (f", {without} of them on no date of this axis" if without else "")
    spoken = f"{series.frame} {series.name}: {day(series.first)} to {day(series.last)}" + (aside if len(series.quarantined) else "")
    note = f"known after {known_after(series)} · age {series.age}"
    note += f" · {len(series.quarantined)} set aside" if len(series.quarantined) else ""
    return Strip(series.name, note, curve(series.course, span, series.frame in LOGARITHMIC), marks, spoken)


def curve(course: pd.Series, span: Span, logarithmic: bool) -> list[str]:
    """Draw values by date, from the lowest to the highest, as polylines that end at holes.

    Returns
    -------
    list of 'x,y x,y ...' within `WIDE` x `HIGH`
    """
    before_holes = [before for before, _ in holes(course)]
    course = course[(course.index >= span[0]) & (course.index <= span[1])]
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


def place(date: pd.Timestamp, span: Span) -> float:
    """Where a date stands on the axis, 0 to `WIDE`."""
    return round(float((date - span[0]) / (span[1] - span[0])) * WIDE, 1)


def year_ticks(span: Span) -> list[tuple[float, str]]:
    """Place and name of some years on the axis."""
    years = list(range(span[0].year + 1, span[1].year + 1))
    step = max(1, -(-len(years) // 8))
    return [(place(pd.Timestamp(year, 1, 1), span), str(year)) for year in years[::-1][::step][::-1]]


def delay_words(delay: pd.Timedelta) -> str:
    """Write how long after 00:00 UTC of its date a record was known."""
    hours = delay / pd.Timedelta(hours=1)
    return f"{hours:.0f} h" if abs(hours) < HOURS_UP_TO else f"{hours / 24:.0f} d"


def known_after(series: Series) -> str:
    """Write the median delay of a series; a bound where the records were counted and not held."""
    return ("at most " if series.bounded else "") + delay_words(series.delay)
