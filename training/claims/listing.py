"""Breakouts as tables for people: one line an event, the returns that followed across it; or the sensitivity grid."""

import math
from pathlib import Path

import pandas as pd

from features.breakout_cells import CELL, list_grid, tally
from features.breakout_list import SERIES
from features.market import Market
from serving.output import write_table
from serving.words import percent, plain
from training.claims.events import event_study
from training.data.breakouts import ABSENT, WORDS, cells_of, ends_by_cell
from training.errors import JobError

ASSETS, HORIZONS = ("BTC", "ETH", "ALT"), (5, 21, 63, 126)
ON_SCREEN = (21, 63)
"""Horizons that a terminal has room for; the table has all."""

EVENT_COLUMNS = ("series", "state", "date", "margin", "asset", "horizon", "log_return")
"""Of events.csv; the return is missing before a price or where the horizon is not over."""

MEANING = (
    "broken: closed above a record that had stood for the base; confirmed: stayed above it; failed: fell back below;",
    "retest: came back to it after the confirmation, and held if it rose from there; ran away: never came back",
)


LEGEND = (
    "held: touched again, then rose; failed: fell back below; away: never touched again; open: not over;",
    f"{ABSENT}: not in this cell; !: a margin under 0.2% settled the confirmation, the touch or the end",
)


def list_all(market: Market, series: list[str]) -> pd.DataFrame:
    """Events of the market and what followed for every asset and horizon (`training.claims.events.event_study`)."""
    table = event_study(market, list(ASSETS), list(HORIZONS), series or None)
    return table.assign(market=market.name, simulated=market.simulated)


def list_cells(market: Market, series: list[str]) -> pd.DataFrame:
    """Confirmed breakouts of every cell of the sensitivity grid (`features.breakout_cells.list_grid`)."""
    return list_grid(market, series or None).assign(market=market.name, simulated=market.simulated)


def write_events(table: pd.DataFrame, out: Path) -> Path:
    """Write the events as OUT.csv, whole or not at all: `EVENT_COLUMNS` of a table of events, all columns of a grid."""
    path = out if out.suffix == ".csv" else out.with_name(out.name + ".csv")
    if out.is_dir() or path.is_dir():
        raise JobError(f"events: '{path}' is a folder; name a file")
    write_table(event_form(table) if "event" in table else table, path)
    return path


def event_form(table: pd.DataFrame) -> pd.DataFrame:
    """Put a table of `training.claims.events.what_followed` into the form of events.csv, `EVENT_COLUMNS`."""
    form = table.rename(columns={"event": "state"})[list(EVENT_COLUMNS)]
    return form.sort_values(["series", "state", "date", "asset", "horizon"], kind="stable", ignore_index=True)


def render_events(table: pd.DataFrame) -> str:
    """Lay the events out for a terminal: returns in percent, '-' before a price existed, '..' where the horizon is not over."""
    if not len(table):
        return "no breakout on record"
    lines = ["SIMULATED market"] if bool(table["simulated"].iloc[0]) else []
    lines += ["margin: distance from the threshold that settled it, under 0.2% is a knife-edge (!)", *MEANING, ""]
    heads = " ".join(f"{asset + ' ' + str(h):>8}" for asset in ASSETS for h in ON_SCREEN)
    lines.append(f"{'date':<11}{'series':<7}{'event':<20}{'margin':>8}  {heads}")
    for _, part in table.groupby(["date", "series", "event"], sort=False):
        date, series, event = part["date"].iloc[0], part["series"].iloc[0], part["event"].iloc[0]
        margin, edge = part["margin"].iloc[0], "!" if part["knife_edge"].iloc[0] else " "
        cells = {(row["asset"], row["horizon"]): _cell(float(row["log_return"]), str(row["note"])) for row in part.to_dict("records")}
        values = " ".join(f"{cells[asset, h]:>8}" for asset in ASSETS for h in ON_SCREEN)
        lines.append(f"{date:%Y-%m-%d} {series:<7}{str(event).replace('_', ' '):<20}{margin:>7.1%}{edge}  {values}")
    confirmed = table[table["event"] == "breakout_confirmed"].groupby("series")["date"].nunique()
    counts = ", ".join(f"{SERIES.get(str(name), name)} {n}" for name, n in confirmed.items()) or "none"
    lines += ["", f"confirmed breakouts: {counts}. So few events prove nothing: read them beside the base rates of `appetite train`."]
    return "\n".join(lines)


def render_cells(table: pd.DataFrame) -> str:
    """Lay the grid out for a terminal: a line a confirmation, a column a cell, and the counts of each cell below."""
    if not len(table):
        return "no small-cap series with price-return closes"
    lines = ["SIMULATED market"] if bool(table["simulated"].iloc[0]) else []
    lines += ["every cell of the grid: sessions for which the record had stood, and tolerance around it", *LEGEND]
    for name, own in table.groupby("series", sort=False):
        lines += ["", str(SERIES.get(str(name), name)), *_grid_lines(own)]
    lines += ["", "With --json or --out: every confirmation with the sessions and margins of its touch and its end."]
    return "\n".join(lines)


def _grid_lines(own: pd.DataFrame) -> list[str]:
    wide, counts = ends_by_cell(own), tally(own)
    margins = own.groupby("confirmed")["margin"].min()
    lines = [f"{'confirmed':<11}{'margin':>7} " + "".join(f"{base:>8}" for base, _ in cells_of(own))]
    lines.append(" " * 19 + "".join(f"{tolerance:>8.1%}" for _, tolerance in cells_of(own)))
    for date, ends in zip(wide.index, wide.to_numpy(), strict=True):
        words = [ABSENT if pd.isna(end) else str(end).replace("ran away", "away") for end in ends]
        lines.append(f"{date:%Y-%m-%d} {margins[date]:>7.2%} " + "".join(f"{each:>8}" for each in words))
    named = [(WORDS.get(column, plain(column)), counts[column]) for column in counts.columns[len(CELL) :]]
    return [*lines, *(f"{name:<19}" + "".join(f"{n:>8}" for n in numbers) for name, numbers in named)]


def _cell(value: float, note: str) -> str:
    if math.isnan(value):
        return "-" if note == "no price yet" else ".."
    return percent(value)
