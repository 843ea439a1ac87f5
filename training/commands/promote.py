"""`promote`: whether a version becomes champion, and the way back."""

import sys
from typing import Any

import click

from training.commands.answers import show, show_json
from training.commands.faults import BAD_INPUT, told
from training.commands.options import RULES, json_option


@click.command()
@click.option("--version", default="latest", show_default=True, help="Registered version, or latest.")
@click.option("--rules", default=RULES, show_default=True, help="Rules of promotion.")
@click.option("--dry-run", is_flag=True, help="Say the decision, move nothing.")
@click.option("--rollback", is_flag=True, help="Go back to the champion before this one, or to the one that --version names.")
@click.option("--reason", default="", help="Of a rollback; it stays on the version that is taken back.")
@json_option
def promote(version: str, rules: str, dry_run: bool, rollback: bool, reason: str, as_json: bool) -> None:
    """Say whether a version becomes champion, and why; every check with its value and its rule."""
    with told():
        from training.dead_runs import mark_dead_runs
        from training.existing_store import connect_existing

        connect_existing()
        mark_dead_runs()
        if rollback:
            _roll_back(reason, None if version == "latest" else version, dry_run, as_json)
        else:
            _promote(version, rules, dry_run, as_json)


def _promote(version: str, rules: str, dry_run: bool, as_json: bool) -> None:
    from training.promotion.promote import promote_version
    from training.promotion.registry import latest_version
    from training.promotion.rules import load_promote_config

    promotion = load_promote_config(rules)
    chosen = latest_version() if version == "latest" else version
    decision = promote_version(chosen, promotion, dry_run=dry_run)
    if as_json:
        words = decision.labels.words if decision.labels else None
        checks = [vars(each) for each in decision.checks]
        answer = {"version": chosen, "promoted": decision.promoted, "reason": decision.reason, "checks": checks}
        show_json(answer | {"dry_run": dry_run, "labels": words})
    else:
        would = ("would become" if dry_run else "is now") if decision.promoted else "does not become"
        show(f"version {chosen} {would} champion: {decision.reason}")
        for each in decision.checks:
            show(f"  {each.name:<22}{each}")
    _say_labels(decision.labels, as_json)


def _roll_back(reason: str, to: str | None, dry_run: bool, as_json: bool) -> None:
    from training.promotion.rollback import roll_back

    done = roll_back(reason, to, dry_run=dry_run)
    if as_json:
        words = done.labels.words if done.labels else None
        answer = {"champion": done.champion, "taken_back": done.taken_back, "reason": reason, "reigned": done.reigned}
        show_json(answer | {"dry_run": dry_run, "labels": words})
    else:
        show(f"version {done.champion} {'would be' if dry_run else 'is'} champion again ({done.reigned}); taken back: {done.taken_back}")
    _say_labels(done.labels, as_json)


def _say_labels(said: Any, as_json: bool) -> None:
    if said and not said.failed and not as_json:
        show(f"labels: {said.words}")
    if said and said.failed:
        click.echo(f"appetite: {said.words}", err=True)
        sys.exit(BAD_INPUT)
