"""How late each series is known, what has stopped coming, and which records were set aside."""

import dataclasses
from collections.abc import Sequence

import pandas as pd

from features.market import Market
from serving.words import count, day, plural
from sources.inventory import Series
from training.data.breadth import BIASED
from training.data.strips import delay_words
from training.reports.inputs import SOURCES, FamilyView
from training.reports.table import Table

STALE = 21
"""Sessions after which a series has stopped rather than paused, and missing records that are a hole."""

NAMED, FIRST_DATES = 6, 3
PANEL = "panel"


def family_lags(view: FamilyView, inventory: Sequence[Series]) -> FamilyView:
    """Put the lag of every series a family reads in the place of its inputs, and mark what is of the panel."""
    own = [each for each in inventory if each.frame in SOURCES[view.name]]
    quality = [words.replace(f"{PANEL} coverage", f"{PANEL} ({BIASED}) coverage", 1) for words in view.quality]
    of_panel = view.name == "breadth"
    rows = [[f"{row[0]} ({BIASED})" if of_panel and row[0].startswith(PANEL) else row[0], *row[1:]] for row in view.columns.rows]
    return dataclasses.replace(
        view,
        quality=[*quality, *lag_words(own)],
        spoken=f"panel, {BIASED}: {view.spoken}" if of_panel else view.spoken,
        inputs=lag_table(view.name, own),
        columns=dataclasses.replace(view.columns, rows=rows),
    )


def lag_words(inventory: Sequence[Series]) -> list[str]:
    """Say for each frame how late its records were known: least, median of the series' medians, and most."""
    out = []
    for frame in dict.fromkeys(each.frame for each in inventory):
        own = [each for each in inventory if each.frame == frame]
        if any(each.bounded for each in own):
            out.append(f"{frame} known after at most {delay_words(max(each.longest_delay for each in own))}")
            continue
        middle = pd.Series([each.delay for each in own]).median()
        least, most = min(each.shortest_delay for each in own), max(each.longest_delay for each in own)
        spread = "" if delay_words(least) == delay_words(most) else f" ({delay_words(least)} to {delay_words(most)})"
        out.append(f"{frame} known after {delay_words(middle)}{spread}")
    return out


def lag_table(name: str, inventory: Sequence[Series]) -> Table:
    """Write the delays of the series that a family reads."""
    rows = []
    for each in inventory:
        delays = ["", "", f"≤ {delay_words(each.longest_delay)}"] if each.bounded else [delay_words(d) for d in _delays(each)]
        rows.append([each.frame, marked_name(each), *delays, day(each.first), day(each.last), count(each.age), count(each.n)])
    head = ["frame", "series", "known after, least", "median", "at most", "first", "last", "age, sessions", "records"]
    words = "A panel that was counted and not held knows only that its closes were known by the row." if _any_bounded(inventory) else ""
    caption = f"Lag of every series of the frames that {name} reads, from 00:00 UTC of a record's date. {words}"
    return Table(caption.strip(), head, rows, text=(0, 1, 5, 6))


def marked_name(each: Series) -> str:
    """Give the name of a series; that of the panel says that it is biased."""
    return f"{each.name} ({BIASED})" if each.frame == PANEL else each.name


def _delays(each: Series) -> tuple[pd.Timedelta, pd.Timedelta, pd.Timedelta]:
    return each.shortest_delay, each.delay, each.longest_delay


def _any_bounded(inventory: Sequence[Series]) -> bool:
    return any(each.bounded for each in inventory)


def series_findings(inventory: Sequence[Series]) -> list[str]:
    """Name series with a record known before its date, series with holes, and series that have stopped."""
    found = []
    # changes of an index are announced before they take effect; nothing else is known before its date
    early = [f"{each.frame} {each.name}" for each in inventory if each.frame != "members" and each.shortest_delay < pd.Timedelta(0)]
    if early:
        found.append(f"Records known before their own date: {_some(early)}. A rule for known-at is wrong, or the dates are.")
    holed = sorted((each for each in inventory if (each.missing or 0) > STALE), key=lambda each: -(each.missing or 0))
    if holed:
        names = [f"{each.frame} {each.name} ({each.missing})" for each in holed]
        found.append(
            f"Holes of more than {STALE} records between first and last in {len(holed)} of {len(inventory)} series: {_some(names)}."
        )
    stopped = sorted((each for each in inventory if each.age > STALE), key=lambda each: -each.age)
    if stopped:
        names = [f"{each.frame} {each.name} ({each.age})" for each in stopped]
        found.append(f"{len(stopped)} of {len(inventory)} series have had nothing new for more than {STALE} sessions: {_some(names)}.")
    return found


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def aside_findings(market: Market) -> list[str]:
    """Say how many records were set aside."""
    n = len(market.quarantine)
    return [f"{plural(n, 'record')} set aside on entry."] if n else []


def aside_table(market: Market) -> Table:
    """Write the records set aside by series and rule, with the first dates; of records without a date their number."""
    rows = []
    for key, part in market.quarantine.groupby(["frame", "series", "rule"]):
        dates = pd.DatetimeIndex(pd.to_datetime(part["date"])).dropna().unique().sort_values()
        first = ", ".join(day(date) for date in dates[:FIRST_DATES]) or "no date"
        rows.append([*map(str, key), str(len(part)), first + (", …" if len(dates) > FIRST_DATES else ""), day(dates.max())])
    head = ["frame", "series", "rule it broke", "records", f"first dates, up to {FIRST_DATES}", "last"]
    return Table("Records set aside, and why.", head, rows, text=(0, 1, 2, 4, 5))
