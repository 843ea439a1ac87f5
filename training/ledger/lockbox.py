"""The lock-box of a run: the newest rows, whose outcomes nobody has seen, opened once a family."""

import hashlib
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from serving.output import as_records
from serving.words import p_value, plural, share, signed
from training.book import SERVED
from training.errors import JobError
from training.evaluation.skill import skill_table
from training.ledger.ledger import Ledger
from training.ledger.overlap import own_opening
from training.ledger.register import Entry, Unsealing
from training.ledger.seen import refuse_deleted, sealed_file, tag_unsealed
from training.ledger.words import SHORT_ID, WIDTH

TOLD = ("asset", "horizon", "n", "n_independent", "best_baseline", "crps_skill", "coverage_80", "p", "p_gain", "p_adjusted", "verdict")
"""Columns of `training.evaluation.skill.skill_table` that are answered."""


@dataclass(frozen=True)
class Shut:
    """A lock-box that has no answer yet.

    Attributes
    ----------
    run_id, family_id : that would open it
    sessions, first, last : how many sessions it holds, and the first and last one, YYYY-MM-DD
    opened : instant of an opening by this run whose answer was never written; None where there was none
    """

    run_id: str
    family_id: str
    sessions: int
    first: str | None
    last: str | None
    opened: str | None


def open_lockbox(ledger: Ledger, entry: Entry) -> Unsealing:
    """Open the lock-box of a trial: the opening is on record before a row is read; asked again, it gives the stored answer.

    Raises
    ------
    JobError
        Where the run has none, or it is not as it was sealed, or the run is marked deleted.
    LedgerError
        Where another run has opened the same sealed sessions of an asset.
    """
    path = _checked_file(entry)
    if not is_answered(ledger, entry):
        refuse_deleted(entry.run_id)
    unsealed = ledger.unseal(entry)
    if unsealed.answer is None:
        tag_unsealed(entry.run_id)
        answer = judge(pd.read_parquet(path))
        ledger.answer(entry.run_id, answer)
        unsealed = Unsealing(unsealed.run_id, unsealed.family_id, unsealed.at, answer)
    return unsealed


def is_answered(ledger: Ledger, entry: Entry) -> bool:
    """Whether this run has opened its lock-box and has the answer; errors as of `training.ledger.overlap.own_opening`."""
    opened = own_opening(ledger.read(), entry)
    return opened is not None and opened.answer is not None


def look_at_lockbox(ledger: Ledger, entry: Entry) -> Shut:
    """Say what opening the lock-box of a trial would open; nothing is, and of its rows only the dates are read.

    Raises
    ------
    JobError, LedgerError
        As `open_lockbox`: what could not be opened is refused here too.
    """
    path = _checked_file(entry)
    refuse_deleted(entry.run_id)
    opened = own_opening(ledger.read(), entry)
    days = pd.read_parquet(path, columns=["session"])["session"]
    first, last = (f"{days.min():%Y-%m-%d}", f"{days.max():%Y-%m-%d}") if len(days) else (None, None)
    return Shut(entry.run_id, entry.family_id, int(days.nunique()), first, last, None if opened is None else opened.at)


def _checked_file(entry: Entry) -> Path:
    if not entry.sealed:
        raise JobError(
            f"lock-box of run {entry.run_id}: it has none; rule: a finished run that sealed its newest rows (this one is {entry.state})"
        )
    path = sealed_file(entry.run_id)
    if hashlib.sha256(path.read_bytes()).hexdigest() != entry.sealed:
        raise JobError(f"lock-box of run {entry.run_id}: the file was altered after it was sealed; rule: as sealed; restore it from a copy")
    return path


def judge(losses: pd.DataFrame) -> dict[str, Any]:
    """Score the rows of a lock-box against the baselines, by the tests of every other row.

    Parameters
    ----------
    losses : as `training.forecasts.ForecastWalk.losses`, rows of the lock-box alone
    """
    known = losses[losses["crps"].notna()]
    table = skill_table(known.assign(outer=True))
    served = table[table["rung"] == SERVED] if len(table) else table
    return {
        "first": f"{known['session'].min():%Y-%m-%d}" if len(known) else None,
        "last": f"{known['session'].max():%Y-%m-%d}" if len(known) else None,
        "cells": as_records(served[list(TOLD)]) if len(served) else [],
    }


def render_unsealing(unsealed: Unsealing, entry: Entry) -> str:
    """Lay an opened lock-box out for a terminal."""
    answer = unsealed.answer or {}
    lines = ["SIMULATED market"] if entry.trial.simulated else []
    lines += [
        f"lock-box of family {unsealed.family_id}, opened {unsealed.at} with run '{entry.name}' ({entry.run_id})",
        f"sessions {answer.get('first')} to {answer.get('last')}; null: the served series is no better than the best baseline",
        "",
        f"{'':<6}{'sessions':>8}{'n':>6}{'apart':>7}{'best':>6}{'skill':>8}{'80% held':>10}{'p':>11}{'p gain':>11}{'p adj.':>11}  verdict",
    ]
    lines += [
        f"{cell['asset']:<6}{cell['horizon']:>8}{cell['n']:>6}{cell['n_independent']:>7}{cell['best_baseline']:>6}"
        f"{signed(cell['crps_skill']):>8}{share(cell['coverage_80']):>10}"
        + "".join(f"{p_value(cell[each]):>11}" for each in ("p", "p_gain", "p_adjusted"))
        + f"  {cell['verdict']}"
        for cell in answer.get("cells", [])
    ]
    return "\n".join([*lines, *([] if answer.get("cells") else ["no row of it has an outcome yet"])])


def render_shut(shut: Shut, entry: Entry) -> str:
    """Say what would be opened, that it is once, and how."""
    family = entry.trial.family
    opened = (
        f"It was opened on {shut.opened} with this run, and the process died before it could answer."
        if shut.opened
        else "Nothing was opened. It can be opened once: then no other run of this family opens it, nor one of a family with an asset and "
        "sealed sessions in common, and what is chosen after the look is not tested by it."
    )
    sentences = [
        f"lock-box of family {shut.family_id}, which run '{entry.name}' ({entry.run_id}) would open",
        f"{plural(shut.sessions, 'session')}, {shut.first} to {shut.last}: {', '.join(family.assets)} over "
        f"{', '.join(map(str, family.horizons))} sessions, no outcome of which was judged",
        "",
        opened,
        f"Open it with `appetite ledger lockbox {entry.run_id[:SHORT_ID]} --open`",
    ]
    lines = ["SIMULATED market"] if entry.trial.simulated else []
    return "\n".join([*lines, *(textwrap.fill(each, WIDTH, subsequent_indent="  ", break_on_hyphens=False) for each in sentences)])
