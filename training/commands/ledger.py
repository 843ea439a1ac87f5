"""`ledger`: the register of every trial."""

import sys
from typing import TYPE_CHECKING

import click

from training.commands.answers import show, show_json
from training.commands.faults import NOT_NOW, told
from training.commands.options import json_option

if TYPE_CHECKING:
    from training.ledger.trial import Trial


@click.group()
def ledger() -> None:
    """The register of every trial: append-only, hash-chained; deleted runs still count.

    Where a line is not as it was written, verify ends with 1, since that is what it looks for, and every other word with 2.
    """


@ledger.command("list")
@click.option("--family", default="", help="Only this family, with its trials.")
@json_option
def list_(family: str, as_json: bool) -> None:
    """List the families of trials: how many each has, and how they stand."""
    with told():
        from training.ledger.words import gather_ledger, none_words, render_ledger
        from training.tracking import current_ledger

        register = current_ledger()
        families = gather_ledger(register, family, _deleted)
        show_json(families) if as_json else show(render_ledger(families) if families else none_words(register))


def _deleted(family: str) -> set[str]:
    from training.existing_store import has_store
    from training.ledger.seen import runs_of
    from training.tracking import connect

    if not has_store():
        return set()
    connect()
    return {each.run_id for each in runs_of("family_id", family) if each.deleted}


@ledger.command()
@json_option
def verify(as_json: bool) -> None:
    """Check every line and every file of numbers, and that no run of MLflow that is a trial is lacking.

    Ends with 1 where one is not as it was written, or lacking: that is what it looks for. A word that has to read such a one refuses it
    and ends with 2.
    """
    with told():
        from training.existing_store import has_store
        from training.ledger.seen import trials_seen
        from training.ledger.verified import verify_ledger
        from training.tracking import connect, current_ledger

        if has_store():
            connect()
        found = verify_ledger(current_ledger(), trials_seen() if has_store() else ())
        show_json(found.to_dict()) if as_json else show(found.words())
        sys.exit(0 if found.whole else NOT_NOW)


@ledger.command()
@click.argument("run")
@click.option("--by", required=True, help="Who signs.")
@click.option("--reason", required=True, help="Why the run is missing.")
@json_option
def ack(run: str, by: str, reason: str, as_json: bool) -> None:
    """Sign off a RUN that MLflow or the ledger lacks. It still counts."""
    with told():
        from training.ledger.seen import run_seen
        from training.ledger.trial import JOBS, Trial
        from training.ledger.words import find_trial
        from training.tracking import connect, current_ledger

        connect()
        register = current_ledger()
        seen = run_seen(run)
        if seen is None or "family_id" not in seen.tags:
            run = find_trial(register.read(), run).run_id
            seen = run_seen(run)
        known = register.read().find(run)
        family = seen.tags.get("family_id") if seen is not None and seen.tags.get("job") in JOBS else None
        late = None
        if seen is not None and family is not None and (known is None or family == known.family_id):
            late = seen.name, seen.experiment, Trial.of_tags(seen.tags)
        entry = register.acknowledge(run, by, reason, late)
        if as_json:
            show_json({"run_id": entry.run_id, "name": entry.name, "family_id": entry.family_id, "by": by, "reason": reason})
        else:
            show(f"acknowledged by {by}: {entry.run_id} '{entry.name}' counts as a trial of family {entry.family_id}")


@ledger.command()
@click.option("--note", required=True, help="What was looked at, and what it changed.")
@click.option("--family", default="", help="Family that the look counts in; the one that was tried last if not given.")
@click.option("--announce", default="", metavar="CONFIG", help="Announce what this config will try, instead: its runs are preregistered.")
@json_option
def add(note: str, family: str, announce: str, as_json: bool) -> None:
    """Enter a look of a person at out-of-sample results, which counts as a trial; or announce a trial."""
    with told():
        from training.tracking import current_ledger

        if announce:
            _announce(announce, note, as_json)
            return
        entry = current_ledger().add_manual(_manual(family, note))
        if as_json:
            show_json({"run_id": entry.run_id, "family_id": entry.family_id, "note": note})
        else:
            show(f"{entry.run_id} counts as a trial of family {entry.family_id}")


def _announce(config: str, note: str, as_json: bool) -> None:
    from training.config import load_config
    from training.ledger.trial import hypothesis_of
    from training.tracking import current_ledger

    register = current_ledger()
    hypothesis = hypothesis_of(load_config(config))
    at = register.announce(hypothesis, note)
    first = hypothesis in register.read().preregistered
    if as_json:
        show_json({"hypothesis_id": hypothesis, "at": at, "note": note, "prereg": first})
    elif first:
        show(f"announced on {at}: hypothesis {hypothesis}; runs of this config, whatever their seed, are preregistered from then on")
    else:
        show(f"announced on {at}, after a trial of it was opened: hypothesis {hypothesis}; runs of this config are not preregistered")


def _manual(family: str, note: str) -> "Trial":
    from training.ledger.trial import MANUAL, Trial
    from training.ledger.words import find_family
    from training.tracking import current_ledger

    register = current_ledger().read()
    of = register.families()[find_family(register, family)][-1].trial
    return Trial(MANUAL, of.family, of.market, of.simulated, note=note, locked=of.locked, sealed_from=of.sealed_from)


@ledger.command()
@click.argument("run")
@click.option("--open", "opens", is_flag=True, help="Open it, for good.")
@json_option
def lockbox(run: str, opens: bool, as_json: bool) -> None:
    """Say what the lock-box of a RUN holds; open it with --open: once a family, on record before an outcome is read.

    One that this run has opened gives its stored answer, with --open or without.
    """
    with told():
        from training.existing_store import connect_existing
        from training.ledger.lockbox import is_answered, look_at_lockbox, open_lockbox, render_shut, render_unsealing
        from training.ledger.words import find_trial
        from training.tracking import current_ledger

        connect_existing()
        register = current_ledger()
        entry = find_trial(register.read(), run)
        if opens or is_answered(register, entry):
            unsealed = open_lockbox(register, entry)
            show_json(vars(unsealed)) if as_json else show(render_unsealing(unsealed, entry))
        else:
            shut = look_at_lockbox(register, entry)
            show_json(vars(shut)) if as_json else show(render_shut(shut, entry))
