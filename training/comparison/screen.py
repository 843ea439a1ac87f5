"""A comparison on a terminal of 100 columns, and as plain values."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from serving.output import as_records
from serving.words import fixed, is_missing, plural, share, signed
from training.comparison.compare import Comparison
from training.ledger.overlap import overlapping_words
from training.ledger.register import FAILED, FINISHED, KILLED, NOTED, OPEN, Entry
from training.ledger.seen import deleted_words
from training.ledger.words import SHORT_ID

SHOWN = 4
"""Decimals of the ratio: what is equal on the page shares a place."""

LEGEND = (
    "null of each p: no smaller loss than every baseline; adj: over all N trials; q: share of false finds; MCS: cannot be told from the "
    "best; DSR: deflated Sharpe of the gain over each baseline; pre: announced before; on, off: loss saved by regime"
)
WIDTH = 100
MOST_TOLD = 5
"""Trials of a kind (without numbers, deleted) that are named."""
DELETED = " (deleted)"
HEAD = f"{'':>3} {'run':<22}{'ratio':>7}{'80%':>5}{'p':>7}{'p adj':>7}{'q':>7}{'MCS':>5}{'DSR':>6}{'pre':>5}{'on':>7}{'off':>7}  run id"


def placed(runs: pd.DataFrame) -> pd.DataFrame:
    """Number the rows, least loss first; equal ones share a place."""
    return runs.assign(place=runs["crps_ratio"].round(SHOWN).rank(method="min").astype(int))


def facts(comparison: Comparison) -> list[str]:
    """Say what is compared, on what, and how many trials there were."""
    choice, composite = comparison.choice, comparison.composite
    trial = choice.shown[-1].trial
    sessions = composite.losses.index
    cells = ", ".join(f"{asset} {horizon}" for asset, horizon in composite.cells)
    states = {state: sum(each.state == state for each in choice.family) for state in (FINISHED, FAILED, KILLED, OPEN, NOTED)}
    counted = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    with_numbers = len(comparison.aligned.entries)
    left_out = plural(comparison.aligned.left_out, "row")
    shared = f"; {left_out} not common to all left out" if comparison.aligned.left_out else ""
    lines = [
        f"family {choice.family_id}, market '{trial.market}', content of the data {trial.family.data[:12]}",
        f"on {len(sessions)} common sessions, {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}, "
        f"n = {composite.n_apart} that do not overlap{shared}",
        f"ratio: CRPS to the expanding mean's, mean over {cells}; smaller is better",
        f"N = {plural(choice.n, 'trial')} ({counted}), {with_numbers} with numbers on these rows, as varied as "
        f"{comparison.verdicts.n_effective:.1f} independent ones",
    ]
    lines += [f"'{entry.name}' ({entry.run_id[:SHORT_ID]}): {chosen.words()}" for entry, chosen in comparison.chosen()]
    if comparison.deleted:
        lines.append("marked deleted, and counted as before: " + _listed([_told_deleted(each) for each in comparison.deleted]))
    if comparison.aligned.aside:
        lines.append("finished, and counted without numbers: " + _listed([each.words() for each in comparison.aligned.aside]))
    if choice.overlapping:
        lines.append(overlapping_words(choice.overlapping))
    if comparison.earned is not None and not is_missing(comparison.earned.overfit):
        lines.append(f"strategies: probability of overfitting {comparison.earned.overfit:.2f} (best of one half below the other's median)")
    return lines


def _listed(words: Sequence[str]) -> str:
    more = [f"and {len(words) - MOST_TOLD} more"] if len(words) > MOST_TOLD else []
    return "; ".join([*words[:MOST_TOLD], *more])


def _told_deleted(entry: Entry) -> str:
    return f"'{entry.name}' ({entry.run_id[:SHORT_ID]}): {deleted_words(entry.run_id)}"


def shown_name(row: Mapping[Any, Any], comparison: Comparison, width: int | None = None) -> str:
    """Name a row of the ranking, and mark a run that is deleted.

    Parameters
    ----------
    width : characters there are for it; None for any number
    """
    mark = DELETED if row["run_id"] in {each.run_id for each in comparison.deleted} else ""
    return str(row["name"])[: None if width is None else width - len(mark)] + mark


def render(comparison: Comparison, experiment: str) -> str:
    """Lay a comparison out for a terminal."""
    lines = ["SIMULATED market"] if comparison.simulated else []
    lines += [f"experiment '{experiment}'", *_wrapped(*facts(comparison)), "", HEAD]
    lines += [_line(row, shown_name(row, comparison, 21)) for row in placed(comparison.runs).to_dict("records")]
    lines += ["", *_wrapped(LEGEND)]
    others = [f"also in this experiment: family {other}; choose it with --family" for other in comparison.choice.others]
    return "\n".join([*lines, "", *_wrapped(comparison.verdict(), *others)])


def _wrapped(*sentences: str) -> list[str]:
    return [line for each in sentences for line in textwrap.wrap(each, WIDTH, subsequent_indent="  ", break_on_hyphens=False)]


def _line(row: dict[Any, Any], name: str) -> str:
    mark = "" if row["trial"] < 0 else "yes" if row["prereg"] else "no"
    numbers = (
        f"{row['crps_ratio']:>7.{SHOWN}f}{_or_blank(share(row['coverage_80'])):>5}"
        + "".join(f"{_p(row[each]):>7}" for each in ("p", "p_adjusted", "q"))
        + f"{'in' if row['in_mcs'] else 'out':>5}{_or_blank(fixed(row['deflated'], 2)):>6}{mark:>5}"
        + "".join(f"{_or_blank(signed(row[each])):>7}" for each in ("skill_on", "skill_off"))
    )
    return f"{row['place']:>3} {name:<22}{numbers}  {str(row['run_id'])[:SHORT_ID]}".rstrip()


def _p(value: Any) -> str:
    return "" if is_missing(value) else "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def _or_blank(words: str) -> str:
    return "" if words == "n/a" else words


def plain_values(comparison: Comparison, experiment: str) -> dict[str, Any]:
    """Give a comparison for machines."""
    earned = comparison.earned
    return {
        "experiment": experiment,
        "family_id": comparison.choice.family_id,
        "market": comparison.choice.shown[-1].trial.market,
        "simulated": comparison.simulated,
        "n_trials": comparison.choice.n,
        "n_with_numbers": len(comparison.aligned.entries),
        "chosen_by_search": {entry.run_id: vars(chosen) for entry, chosen in comparison.chosen()},
        "without_numbers": [{"run_id": each.entry.run_id, "name": each.entry.name, "why": each.why} for each in comparison.aligned.aside],
        "n_effective": comparison.verdicts.n_effective,
        "sessions": len(comparison.composite.losses),
        "n_apart": comparison.composite.n_apart,
        "best_baseline": comparison.composite.best_baseline,
        "best": comparison.best or None,
        "verdict": comparison.verdict(),
        "overfit": None if earned is None or is_missing(earned.overfit) else earned.overfit,
        "missing": [{"run_id": each.run_id, "name": each.name, "lacks": each.lacks} for each in comparison.missing],
        "deleted": [each.run_id for each in comparison.deleted],
        "other_families": list(comparison.choice.others),
        "overlapping": dict(comparison.choice.overlapping),
        "runs": as_records(placed(comparison.runs)),
        "cells": as_records(comparison.cells),
    }
