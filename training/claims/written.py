"""Files of the trial: a page for anyone, JSON for machines, events.csv, and the table as Markdown."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.output import write_table, write_text
from serving.words import day
from training.claims import tables
from training.claims.c6_c7 import flow_finding, timing_finding
from training.claims.document import document
from training.claims.figures import lags_figure, paths_figure
from training.claims.halving import SOURCE
from training.claims.limits import untestable
from training.claims.sentences import (
    against_words,
    base_words,
    followed_words,
    halving_words,
    null_words,
    rule_words,
    special_words,
    why_words,
)
from training.claims.trial import Judged, Trial
from training.claims.values import as_values, event_rows, looks_of
from training.claims.verdicts import RULE
from training.errors import JobError
from training.reports.plot import Plot
from training.reports.style import to_bytes

TEMPLATES = Path(__file__).parents[1] / "templates"


def write_trial(trial: Trial, out: Path) -> list[Path]:
    """Write OUT.html and OUT.json, and events.csv beside them, each in one step.

    Parameters
    ----------
    out : without an ending; its folder exists
    """
    page, values, events = out.with_name(f"{out.name}.html"), out.with_name(f"{out.name}.json"), out.with_name("events.csv")
    for path in (page, values, events):
        if path.is_dir():
            raise JobError(f"claims: '{path}' is a folder; name another --out")
    write_text(_page(trial), page)
    write_text(json.dumps(as_values(trial), indent=1, allow_nan=False) + "\n", values)
    write_table(event_rows(trial), events)
    return [page, values, events]


def write_markdown(trial: Trial, path: Path) -> Path:
    """Write the table of claims as a document."""
    write_text(document(trial), path)
    return path


def _page(trial: Trial) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    simulated = "SIMULATED · " if trial.simulated else ""
    page = {
        "title": f"{simulated}appetite: claims on trial, {trial.market}, {day(trial.last)}",
        "trial": trial,
        "market": trial,
        "first": day(trial.first),
        "last": day(trial.last),
        "verdicts": tables.verdict_table(trial),
        "evidence": tables.evidence_table(trial),
        "claims": [_claim(judged, trial) for judged in trial.judged],
        "findings": [flow_finding(trial), timing_finding(trial)],
        "lags": [_lags(trial, k) for k in range(len(trial.timing))],
        "projections": tables.projection_table(trial.timing),
        "rule": RULE,
        "looks": looks_of(trial),
        "halvings": SOURCE,
        "highs": tables.high_table(trial),
        "ends": tables.ends_table(trial),
        "placebos": tables.placebo_view(trial),
        "naive": tables.naive_table(trial),
        "grid": tables.grid_table(trial),
        "untestable": untestable(trial),
    }
    return environment.get_template("claims.html.j2").render(page)


def _claim(judged: Judged, trial: Trial) -> dict[str, Any]:
    cell = judged.cell
    plain = [] if cell is None else [followed_words(cell), base_words(cell), null_words(cell, trial.draws, looks_of(trial))]
    against = against_words(judged, trial)
    return {
        "name": judged.claim.name,
        "words": judged.claim.words,
        "verdict": judged.verdict,
        "why": why_words(judged),
        "rule": rule_words(judged),
        "care": judged.claim.care,
        "plain": [words for words in plain if words],
        "besides": special_words(judged, trial),
        "halving": halving_words(judged),
        "against": against,
        "plot": _paths(judged, trial),
        "followed": tables.followed_table(judged),
        "nulls": tables.null_table(judged.cells),
        "abnormal": tables.abnormal_table(judged),
    }


def _paths(judged: Judged, trial: Trial) -> Plot | None:
    drawn = judged.followed[judged.followed["log_return"].notna()] if len(judged.followed) else judged.followed
    if drawn.empty:
        return None
    assets, dates = list(dict.fromkeys(drawn["asset"])), sorted(set(drawn["date"]))
    caption = (
        "Each line is one event, from half a year before to a year after; the scale is logarithmic, the move at the event is 0. The grey "
        "fan holds 80% of all sessions' own paths: a line inside it is what any day might have shown."
    )
    figure = paths_figure(dates, trial.prices, assets, trial.simulated)
    return Plot(to_bytes(figure), f"Paths after {', '.join(day(date) for date in dates)}: {', '.join(assets)}", caption, [])


def _lags(trial: Trial, k: int) -> Plot:
    caption = (
        "A bar outside the grey band would be a lead or lag that chance seldom shows over all 124 lags together. Bars at 0 and 1 are moves "
        "of the same day: which of the two depends on how the coin's day is labelled."
    )
    return Plot(to_bytes(lags_figure(trial.timing[k], trial.simulated)), f"Correlations by lag of {trial.timing[k].asset}", caption, [])
