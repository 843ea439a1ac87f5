"""What the flows add up to, fund by fund, and whether their sign hangs on the list of funds or on the guard."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from features.flow_episodes import FlowQuarantine, flow_quarantine
from features.flow_universe import WHOLE, leave_one_out
from features.market import Market
from serving.words import day, plural, share
from training.data.section import Section
from training.reports.plot import Plot
from training.reports.style import INK, LINES, canvas, to_bytes
from training.reports.table import Table

MILLION, BILLION = 1e6, 1e9
FLAGS = ("flows__heartbeat", "flows__reconstitution")
TITLE = "Flows, fund by fund"
CAPTION = (
    "Flows of the universe by year of the print, USD billion: as printed (hatched), and less what the guard set aside (solid). Where the "
    "two differ, money that left again within days, or a misprint, makes the difference; read the solid bar."
)
MEANING = (
    "A flow is the change in shares outstanding at the net asset value of the print before. Flows above 10% of a fund in a day are set "
    "aside when they arrive, for good where they go back within 10 sessions, else until the tenth; those that still wait are left out."
)
CHANCE = "Heartbeats are a pattern, not a proof: in a fund whose flows are noisy most are chance."


def flow_section(market: Market, values: pd.DataFrame) -> Section:
    """Show flows by fund and year.

    Parameters
    ----------
    values : feature columns, for the flags
    """
    settled = flow_quarantine(market)
    if settled.totals.empty:
        return Section("flows", TITLE, ["The market has no funds."], findings=["No fund flows: the family is empty."])
    left = leave_one_out(settled.totals)
    funds = sorted(settled.totals["fund"].unique())
    last = last_print(market)
    plot = Plot(to_bytes(year_figure(left, market.simulated)), CAPTION, CAPTION, [])
    heading = f"The universe is {plural(len(funds), 'fund')}, by name: {', '.join(funds)}. The newest print is of {day(last)}."
    return Section(
        "flows",
        TITLE,
        [heading, MEANING, sign_words(left, funds)],
        [recent_table(settled.totals, left, last), flag_table(values)],
        [year_table(left), episode_table(settled)],
        [plot],
        findings=[f"{heading} {sign_words(left, funds)}"],
    )


def last_print(market: Market) -> pd.Timestamp:
    """Date of the newest share count that the last session could use."""
    whole = market.funds.dropna(subset=["nav", "shares_outstanding"])
    usable = whole[whole["known_at"] <= (market.sessions[-1] + pd.Timedelta(days=1)).tz_localize("UTC")]
    return pd.Timestamp(usable["date"].max())


def sign_words(left: pd.DataFrame, funds: list[str]) -> str:
    """Say whether the sign of a year hangs on one fund, or on the guard."""
    whole = left[left["left_out"] == WHOLE]
    by_guard = whole[np.sign(whole["with_usd"]) != np.sign(whole["without_usd"])]["year"]
    guard = f"The guard turns the sign of {_years(by_guard)}." if len(by_guard) else "The guard turns the sign of no year."
    if len(funds) == 1:
        return f"With one fund nothing can be left out: every sign is that of {funds[0]} alone, not of small caps. {guard}"
    turning = left[left["turns"]]
    if not len(turning):
        return f"No year's sign hangs on any one fund. {guard}"
    each = "; ".join(f"{_years(part['year'])} without {fund}" for fund, part in turning.groupby("left_out"))
    return f"The sign of the year hangs on the list: it turns in {each}. {guard}"


def _years(years: pd.Series) -> str:
    return ", ".join(str(year) for year in years)


def recent_table(totals: pd.DataFrame, left: pd.DataFrame, last: pd.Timestamp) -> Table:
    """Write the year to date and the year before it: funds, the universe, and the universe without each fund."""
    years = [last.year, last.year - 1]
    names = sorted(totals["fund"].unique())
    by_fund = totals.set_index(["fund", "year"])
    by_left = left.set_index(["left_out", "year"])
    rows = [[name, *_cells(by_fund, name, years)] for name in names]
    rows.append(["universe", *_cells(by_left, WHOLE, years)])
    if len(names) > 1:
        rows += [[f"universe without {name}", *_cells(by_left, name, years)] for name in names]
    spans = [f"{last.year} to {last:%d %b}", str(last.year - 1)]
    head = ["USD million", *(f"{span}, {kind}" for span in spans for kind in ("as printed", "less set aside"))]
    return Table("Year to date and the year before, USD million.", head, rows)


def _cells(table: pd.DataFrame, name: str, years: list[int]) -> list[str]:
    out = []
    for year in years:
        there = (name, year) in table.index
        out += [money(table.loc[(name, year), column]) if there else money(None) for column in ("with_usd", "without_usd")]
    return out


def money(value: Any) -> str:
    """Write USD in millions, with the sign."""
    return "no prints" if pd.isna(value) else f"{float(value) / MILLION:+,.0f}"


def flag_table(values: pd.DataFrame) -> Table:
    """Count the sessions that carry a flag on which a flow says nothing of appetite."""
    rows = []
    for column in (name for name in FLAGS if name in values):
        known = values[column].dropna()
        recent = known.iloc[-252:]
        raised = known.index[known > 0]
        words = [str(int((known > 0).sum())), share((known > 0).mean(), 1), str(int((recent > 0).sum()))]
        rows.append([column.removeprefix("flows__"), *words, str(len(known)), day(raised[-1]) if len(raised) else "never"])
    head = ["flag", "sessions", "share", "of the last 252", "of sessions in all", "last"]
    return Table(f"Sessions whose flow is no view on small caps. {CHANCE}", head, rows, text=(0, 5))


def year_table(left: pd.DataFrame) -> Table:
    """Write every year of the universe, newest first."""
    whole = left[left["left_out"] == WHOLE].set_index("year")
    turning = left[left["turns"]].groupby("year")["left_out"].agg(", ".join)
    rows = [
        [
            str(year),
            *(money(row[column]) for column in ("with_usd", "without_usd")),
            money(row["with_usd"] - row["without_usd"]),
            str(row["n_funds"]),
            turning.get(year, ""),
        ]
        for year, row in whole.iloc[::-1].iterrows()
    ]
    head = ["year", "as printed", "less set aside", "set aside", "funds", "sign turns without"]
    return Table("Every year of the universe, USD million, newest first.", head, rows, text=(0, 5))


def episode_table(settled: FlowQuarantine) -> Table:
    """Write the flows above the guard, newest first."""
    listed = settled.episodes.sort_values("date", ascending=False, kind="stable").to_dict("records")
    rows = [
        [day(each["date"]), each["fund"], money(each["flow_usd"]), share(each["share"]), each["outcome"], day(each["settled"])]
        for each in listed
    ]
    head = ["usable on", "fund", "USD million", "share of the fund", "outcome", "settled on"]
    return Table("Flows that the guard set aside on arrival, newest first.", head, rows, text=(0, 1, 4, 5))


def year_figure(left: pd.DataFrame, simulated: bool) -> Figure:
    """Draw the universe's flows by year, with and without what was set aside."""
    whole = left[left["left_out"] == WHOLE]
    at, width = np.arange(len(whole)), 0.4
    with canvas(2.6, simulated) as figure:
        axes = figure.subplots()
        printed, kept = whole["with_usd"] / BILLION, whole["without_usd"] / BILLION
        axes.bar(at - width / 2, printed, width, facecolor="none", edgecolor=INK, hatch="////", linewidth=0.7, label="as printed")
        axes.bar(at + width / 2, kept, width, color=LINES[0]["color"], label="less what was set aside")
        axes.axhline(0.0, color=INK, linewidth=0.8)
        step = max(1, -(-len(whole) // 10))
        shown = at[::-1][::step][::-1]
        axes.set_xticks(shown, [str(year) for year in whole["year"].to_numpy()[shown]])
        axes.set_ylabel("USD billion")
        figure.legend(loc="outside upper left", ncols=2)
    return figure
