"""A picture of the data: what to distrust first, every input series, what hangs on which choice, and what was set aside."""

import re
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from features import features_with_quality
from features.market import Market
from features.matrix import FAMILIES
from serving.output import write_text
from serving.words import count, day
from sources.alignment import misfits
from sources.inventory import Series, take_inventory
from training.data.altcoins import altcoin_section
from training.data.breadth import BIASED, breadth_section
from training.data.breakouts import breakout_section
from training.data.flows import flow_section
from training.data.lags import aside_findings, aside_table, family_lags, marked_name, series_findings
from training.data.strips import Strip, delay_words, known_after, strip, year_ticks
from training.reports.inputs import HIGH, WIDE, family_view, silent_columns
from training.reports.table import Table

TEMPLATES = Path(__file__).parents[1] / "templates"
INSTANTS = re.compile(r"(first|newest) prints known (\S+Z), recorded ([^;\s]+Z)")
"""In the note of a market out of a store."""

Progress = Callable[[str, int, int], None]


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
    span = market.sessions[0], max([market.sessions[-1], *(each.last for each in inventory)])
    progress("sections", 0, 1)
    sections = [breakout_section(market), flow_section(market, made.values), altcoin_section(market, span), breadth_section(market)]
    progress("sections", 1, 1)
    views = [family_view(family, market, made.values, made.quality, {}) for family in FAMILIES]
    page = {
        "title": f"{'SIMULATED · ' if market.simulated else ''}appetite: data of {market.name}, {market.sessions[-1]:%Y-%m-%d}",
        "market": market,
        "instants": instants(market.note),
        "note": INSTANTS.sub("", market.note).replace("; ;", ";").rstrip("; "),
        "span": [day(market.sessions[0]), day(span[1])],
        "fingerprint": market.fingerprint(),
        "findings": [
            *(("series", each.words()) for each in misfits(market)),
            *(("series", each) for each in series_findings(inventory)),
            *((section.anchor, each) for section in sections for each in section.findings),
            *(("records", each) for each in aside_findings(market)),
        ],
        "frames": _by_frame(inventory, [strip(each, span) for each in inventory]),
        "biased": BIASED,
        "inventory": inventory_view(inventory),
        "years": year_ticks(span),
        "sections": sections,
        "families": [family_lags(view, inventory) for view in views],
        "silent": silent_columns(made.values),
        "quarantine": aside_table(market),
        "wide": (WIDE, HIGH),
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    write_text(environment.get_template("data.html.j2").render(page), out)
    return out


def instants(note: str) -> dict[str, str] | None:
    """Find the two instants of a market out of a store in its note; None for another market."""
    found = INSTANTS.search(note)
    return {"prints": found[1], "known": found[2], "recorded": found[3]} if found else None


def _by_frame(inventory: list[Series], strips: list[Strip]) -> dict[str, list[Strip]]:
    out: dict[str, list[Strip]] = {}
    for each, drawn in zip(inventory, strips, strict=True):
        out.setdefault(each.frame, []).append(drawn)
    return out


def inventory_view(inventory: list[Series]) -> Table:
    """Lay the inventory out for readers."""
    rows = [
        [
            each.frame,
            marked_name(each),
            day(each.first),
            day(each.last),
            count(each.n),
            "" if each.bounded else delay_words(each.shortest_delay),
            known_after(each),
            delay_words(each.longest_delay),
            count(each.age),
            "" if each.missing is None else count(each.missing),
            count(each.longest_gap),
            count(len(each.quarantined)),
        ]
        for each in inventory
    ]
    when = ["first", "last", "records", "known after, least", "median", "at most", "age, sessions"]
    head = ["frame", "series", *when, "missing", "longest step, days", "set aside"]
    words = (
        "Known after: time from 00:00 UTC of a record's date to the instant it could be used. "
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
            f"{each.frame:<9}{each.name[:17]:<18}{day(each.first):<12}{day(each.last):<12}{each.n:>9}{known_after(each):>13}"
            f"{each.age:>6}{missing:>9}{len(each.quarantined):>11}"
        )
    return "\n".join(lines)
