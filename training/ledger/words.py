"""The ledger in words: its families and how many trials each has, the trials of one, whether every line is as written."""

import textwrap
from collections.abc import Callable, Collection
from typing import Any

from serving.chain import Broken
from serving.words import plural
from training.errors import JobError
from training.ledger.ledger import Ledger
from training.ledger.overlap import opened_before, overlapping, overlapping_words
from training.ledger.place import ROOT_VARIABLE
from training.ledger.register import FAILED, FINISHED, KILLED, NOTED, OPEN, Entry, Register
from training.ledger.remarks import remark_words

STATES = (FINISHED, FAILED, KILLED, OPEN, NOTED)
SHORT_ID = 8
"""Characters of a run's id that are shown, and taken."""

WIDTH = 100

EMPTY = "no trial is on record yet: a run becomes one when it opens (`appetite train`, `appetite backtest`)"


def find_trial(register: Register, name: str) -> Entry:
    """Find the newest trial of a run by its id, or the beginning of it.

    Raises
    ------
    JobError
        Where none or several runs are meant.
    """
    ids = {each.run_id for each in register.entries if each.run_id == name or (len(name) >= SHORT_ID and each.run_id.startswith(name))}
    found = register.find(ids.pop()) if len(ids) == 1 else None
    if found is None:
        raise JobError(
            f"ledger: '{name}' is {'the beginning of several trials' if ids else 'no trial'}; rule: the id of a run, or its first "
            f"{SHORT_ID} characters or more; `appetite ledger list` names them"
        )
    return found


def find_family(register: Register, name: str) -> str:
    """Find a family by its id or the beginning of it; the one that was tried last where no name is given.

    Raises
    ------
    JobError
        Where none or several families are meant.
    """
    ids = list(register.families())
    if not ids:
        raise JobError(f"ledger: {EMPTY}")
    found = [each for each in ids if each.startswith(name)] if name else ids[-1:]
    if len(found) != 1:
        raise JobError(f"ledger: '{name}' means {len(found)} families of trials; rule: one; there are {', '.join(ids)}")
    return found[0]


def gather_ledger(ledger: Ledger, family: str = "", deleted: Callable[[str], Collection[str]] = lambda _family: ()) -> list[dict[str, Any]]:
    """Collect the families of a ledger as plain values, the one that was tried last at the end.

    Parameters
    ----------
    family : only this one, with its trials; empty for all, without
    deleted : gives the ids of runs of a family that are marked deleted in MLflow

    Raises
    ------
    JobError
        Where the name means none or several families.
    """
    register = ledger.read()
    if family and not register.entries:
        raise JobError(f"ledger: {none_words(ledger)}")
    chosen = find_family(register, family) if family else ""
    gone = deleted(chosen) if chosen else ()
    return [
        _family(register, entries) | (_detail(register, entries, gone) if chosen else {})
        for name, entries in register.families().items()
        if not chosen or name == chosen
    ]


def _family(register: Register, entries: list[Entry]) -> dict[str, Any]:
    newest = entries[-1].trial
    unsealed = opened_before(register, entries[-1])
    beside = overlapping(register, newest.family.id)
    return {
        "family_id": newest.family.id,
        "market": newest.market,
        "simulated": newest.simulated,
        "assets": list(newest.family.assets),
        "horizons": list(newest.family.horizons),
        "oos_start": newest.family.oos_start,
        "oos_end": newest.family.oos_end,
        "n": len(entries),
        "states": {state: count for state in STATES if (count := sum(each.state == state for each in entries))},
        "hypotheses": len({each.trial.hypothesis_id for each in entries if each.trial.hypothesis_id}),
        "prereg": sum(each.prereg for each in entries),
        "acknowledged": sum(each.sign_off is not None for each in entries),
        "lockbox_opened": None if unsealed is None else {name: getattr(unsealed, name) for name in ("run_id", "at", "family_id")},
        "overlapping": {name: len(others) for name, others in beside.items()},
    }


def _detail(register: Register, entries: list[Entry], deleted: Collection[str]) -> dict[str, Any]:
    """Give the trials of a family, and the announcements of what it tried, and of what no family did yet."""
    own, tried = ({each.trial.hypothesis_id for each in part} for part in (entries, register.entries))
    announcements = [
        vars(said) | {"prereg": of in register.preregistered, "trials": sum(each.trial.hypothesis_id == of for each in entries)}
        for of, said in register.announced.items()
        if of in own or of not in tried
    ]
    return {"trials": [_trial(each, each.run_id in deleted) for each in entries], "announcements": announcements}


def _trial(entry: Entry, deleted: bool) -> dict[str, Any]:
    sign_off = None if entry.sign_off is None else vars(entry.sign_off)
    trial = entry.trial
    return {
        "run_id": entry.run_id,
        "name": entry.name,
        "experiment": entry.experiment,
        "at": entry.at,
        "kind": trial.kind,
        "state": entry.state,
        "note": trial.note,
        "hypothesis_id": trial.hypothesis_id,
        "prereg": entry.prereg,
        "parent": trial.parent,
        "seed": trial.seed,
        "acknowledged": sign_off,
        "deleted": deleted,
        "chosen_by_search": None if entry.chosen_by_search is None else vars(entry.chosen_by_search),
    }


def none_words(ledger: Ledger) -> str:
    """Say that no trial is on record, where they were looked for, and how to look elsewhere."""
    return f"{EMPTY}. Looked in '{ledger.root.absolute()}'; MLFLOW_TRACKING_URI names another store, {ROOT_VARIABLE} another ledger"


def render_ledger(families: list[dict[str, Any]]) -> str:
    """Lay the families out for a terminal, and the trials of one if they are given."""
    if not families:
        return EMPTY
    return "\n\n".join(_block(each) for each in families)


def _block(family: dict[str, Any]) -> str:
    states = ", ".join(f"{count} {state}" for state, count in family["states"].items())
    box = family["lockbox_opened"]
    lines = [
        f"family {family['family_id']}  N = {family['n']} ({states})",
        f"  market '{family['market']}'{', SIMULATED' if family['simulated'] else ''}; {', '.join(family['assets'])} over "
        f"{', '.join(map(str, family['horizons']))} sessions; out of sample {family['oos_start']} to {family['oos_end']}",
        f"  {plural(family['hypotheses'], 'configuration')} but for seeds; announced before: {plural(family['prereg'], 'trial')}; "
        f"acknowledged: {family['acknowledged']}; "
        + ("lock-box sealed" if box is None else f"lock-box opened {box['at'][:10]} with {box['run_id'][:SHORT_ID]}"),
    ]
    if box is not None and box["family_id"] != family["family_id"]:
        lines.append(f"  the lock-box was opened in family {box['family_id']}, which has an asset and sealed sessions in common")
    if family["overlapping"]:
        lines += _wrapped(overlapping_words(family["overlapping"]))
    lines += [
        f"  {each['at'][:16]}  {each['run_id'][:SHORT_ID]:<{SHORT_ID}}  {each['kind']:<8} {each['state']:<8} {each['name'][:40]:<40}"
        + (" signed off" if each["acknowledged"] else " deleted" if each["deleted"] else "")
        for each in family.get("trials", [])
    ]
    lines += [line for each in remark_words(family) for line in _wrapped(each)]
    return "\n".join(lines)


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def render_verified(ledger: Ledger, broken: Broken | None, lost: str | None) -> str:
    """Say whether every line and every file of numbers is as it was written."""
    if broken is not None:
        return f"ledger '{ledger.root}': {broken.words()}"
    if lost is not None:
        return lost
    entries = ledger.read().entries
    return f"ledger '{ledger.root}': every line and every number is as it was written; {plural(len(entries), 'trial')}"
