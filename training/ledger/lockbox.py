"""The lock-box of a run: the newest rows, whose outcomes nobody has seen, opened once a family."""

import hashlib
from typing import Any

import pandas as pd

from serving.output import as_records
from serving.words import p_value, share, signed
from training.book import SERVED
from training.errors import JobError
from training.evaluation.skill import skill_table
from training.ledger.ledger import Ledger
from training.ledger.register import Entry, Unsealing
from training.ledger.seen import sealed_file, tag_unsealed

TOLD = ("asset", "horizon", "n", "n_independent", "best_baseline", "crps_skill", "coverage_80", "p", "p_gain", "p_adjusted", "verdict")
"""Columns of `training.evaluation.skill.skill_table` that are answered."""


def open_lockbox(ledger: Ledger, entry: Entry) -> Unsealing:
    """Open the lock-box of a trial: the opening is on record before a row is read; asked again, it gives the stored answer.

    Raises
    ------
    JobError
        Where the run has none, or it is not as it was sealed.
    LedgerError
        Where another run has opened the same sealed sessions of an asset.
    """
    if not entry.sealed:
        raise JobError(
            f"lock-box of run {entry.run_id}: it has none; rule: a finished run that sealed its newest rows (this one is {entry.state})"
        )
    path = sealed_file(entry.run_id)
    if hashlib.sha256(path.read_bytes()).hexdigest() != entry.sealed:
        raise JobError(f"lock-box of run {entry.run_id}: the file was altered after it was sealed; rule: as sealed; restore it from a copy")
    unsealed = ledger.unseal(entry)
    if unsealed.answer is None:
        tag_unsealed(entry.run_id)
        answer = judge(pd.read_parquet(path))
        ledger.answer(entry.run_id, answer)
        unsealed = Unsealing(unsealed.run_id, unsealed.family_id, unsealed.at, answer)
    return unsealed


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
