"""The table of claims as a document that a repository keeps."""

from serving.words import day, p_value, percent, share
from training.claims import tables
from training.claims.c6_c7 import Finding, flow_finding, timing_finding
from training.claims.limits import untestable
from training.claims.outcomes import HORIZONS
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
from training.claims.values import looks_of
from training.claims.verdicts import RULE
from training.reports.table import Table


def document(trial: Trial) -> str:
    """Write the trial as Markdown: the verdicts, each claim, the highs in and out, controls, and what cannot be tested."""
    parts = [
        "# CLAIMS",
        ("**SIMULATED market.** " if trial.simulated else "")
        + f"Market '{trial.market}', sessions {day(trial.first)} to {day(trial.last)}. Written by `appetite claims --markdown`; "
        "definitions: [METHODS](METHODS.md), section 4.",
        f"Verdict: {RULE}.",
        markdown(tables.verdict_table(trial)),
        markdown(tables.evidence_table(trial)),
        *(part for judged in trial.judged for part in _claim(judged, trial)),
        *(part for finding in (flow_finding(trial), timing_finding(trial)) for part in _finding(finding)),
        "## Highs in and out",
        markdown(tables.high_table(trial)),
        markdown(tables.ends_table(trial)),
        "## Controls",
        markdown(tables.placebo_view(trial)),
        markdown(tables.naive_table(trial)),
        markdown(tables.projection_table(trial.timing)),
        "## Not testable with this data",
        "\n".join(f"- {words}" for words in untestable(trial)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown(table: Table) -> str:
    """Write a table with its caption below."""
    if not table.rows:
        return ""
    head = [f"| {' | '.join(table.head)} |", "|" + "|".join(" --- " if k in table.text else " ---: " for k in range(len(table.head))) + "|"]
    body = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in table.rows]
    return "\n".join([*head, *body]) + f"\n\n*{table.caption}*"


def _claim(judged: Judged, trial: Trial) -> list[str]:
    cell = judged.cell
    out = [
        f"## {judged.claim.name}: {judged.verdict}",
        f"> {judged.claim.words}",
        f"Rule: {rule_words(judged)}. {judged.claim.care}".strip(),
    ]
    out.append(f"Why: {why_words(judged)}.")
    if cell is None or not cell.shift.n:
        return out
    out.append(" ".join([followed_words(cell), base_words(cell), null_words(cell, trial.draws, looks_of(trial))]))
    out += [markdown(tables.followed_table(judged)), markdown(horizon_table(judged)), *special_words(judged, trial), halving_words(judged)]
    against = against_words(judged, trial)
    return [*out, f"Counter-examples: {against}." if against else "Counter-examples at this horizon: none."]


def horizon_table(judged: Judged) -> Table:
    """The claim's asset at every horizon: n, base rate, nulls, leave-one-out, without 2020."""
    rows = []
    own = {cell.horizon: cell for cell in judged.cells if cell.asset == judged.claim.asset}
    for horizon in HORIZONS:
        cell = own.get(horizon)
        if cell is None or not cell.shift.n:
            continue
        low, high = cell.left_out_range
        numbers = [f"{cell.rises.up} of {cell.shift.n}", share(cell.base.up), p_value(cell.rises.p), percent(cell.shift.mean)]
        without = f"{p_value(low)} to {p_value(high)}" if cell.without else tables.NONE
        outside = p_value(cell.without_2020.p_above) if cell.without_2020.n else tables.NONE
        rows.append([str(horizon), *numbers, p_value(cell.shift.p_above), p_value(cell.adjusted[0]), without, outside])
    head = ["sessions", "rose", "base rate", "p binomial", "mean", "p shift", "adjusted", "without one event", "without 2020"]
    return Table(f"{judged.claim.asset}: against base rate and chance, one-sided.", head, rows, text=())


def _finding(finding: Finding) -> list[str]:
    out = [f"## {finding.name}: {finding.verdict}", f"> {finding.words}", f"Rule: {finding.rule}.", f"Why: {finding.why}."]
    return [*out, *(f"- {words}" for words in finding.sentences)]
