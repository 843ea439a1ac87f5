"""The trial on a terminal of 100 columns."""

import textwrap

from serving.words import day, p_value, percent, share
from training.claims.c6_c7 import Finding, flow_finding, timing_finding
from training.claims.limits import untestable
from training.claims.sentences import against_words, rule_words, why_words
from training.claims.trial import Judged, Trial
from training.claims.values import looks_of

WIDTH = 100


def render_trial(trial: Trial) -> str:
    """Lay the claims out, a block each, and what cannot be tested."""
    lines = ["SIMULATED market"] if trial.simulated else []
    lines += wrapped(
        f"claims on market '{trial.market}', sessions {day(trial.first)} to {day(trial.last)}; p: shift test, {trial.draws:,} draws, "
        f"one-sided; adjusted: step-down over the {looks_of(trial)} looks of the grid. No verdict is stronger than 'consistent'."
    )
    for judged in trial.judged:
        lines += ["", *_block(judged, trial)]
    for finding in (flow_finding(trial), timing_finding(trial)):
        lines += ["", *_finding(finding)]
    lines += ["", "What to distrust: every record day as an event of its own, t-test as if days were independent (BTC)"]
    lines += wrapped("; ".join(f"{h} sessions: n = {t.n}, p {p_value(t.p)}" for h, t in trial.naive.items()), "  ")
    lines += ["", "Not testable with this data:"]
    for words in untestable(trial):
        lines += wrapped(words, "  - ", "    ")
    return "\n".join(lines)


def wrapped(words: str, first: str = "", rest: str | None = None) -> list[str]:
    """Break a sentence into lines."""
    return textwrap.wrap(words, WIDTH, initial_indent=first, subsequent_indent=first if rest is None else rest)


def _block(judged: Judged, trial: Trial) -> list[str]:
    cell = judged.cell
    lines = wrapped(f"{judged.claim.name}  {judged.verdict.upper()}: {why_words(judged)}", rest="    ")
    lines += wrapped(judged.claim.words, "    ")
    lines += wrapped(f"rule: {rule_words(judged)}", "    ", "      ")
    if cell is None or not cell.shift.n:
        return lines
    moves = ", ".join(f"{day(date)} {percent(value)}" for date, value in zip(cell.dates, cell.returns, strict=True))
    lines += wrapped(f"n = {cell.shift.n}: {moves}", "    ", "      ")
    low, high = cell.left_out_range
    without = f", without one event {p_value(low)} to {p_value(high)}" if cell.without else ""
    base = cell.base
    any_session = f"rose in {share(base.up)}, median {percent(base.median)} (n = {base.n:,}, {base.n_independent} apart)"
    lines += wrapped(f"any session: {any_session}", "    ")
    halving = f"; {judged.halving.shortly} of {judged.halving.n} within 7 months of a halving" if judged.halving else ""
    lines += wrapped(f"p {p_value(cell.shift.p_above)}, adjusted {p_value(cell.adjusted[0])}{without}{halving}", "    ")
    against = against_words(judged, trial)
    if against:
        lines += wrapped(f"against: {against}", "    ", "      ")
    return lines


def _finding(finding: Finding) -> list[str]:
    lines = wrapped(f"{finding.name}  {finding.verdict.upper()}: {finding.why}", rest="    ")
    lines += wrapped(finding.words, "    ")
    for words in finding.sentences:
        lines += wrapped(words, "    ", "      ")
    return lines
