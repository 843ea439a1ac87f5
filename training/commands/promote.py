"""`promote`: whether a version becomes champion."""

import sys

import click

from training.commands.answers import show, show_json
from training.commands.faults import BAD_INPUT, told
from training.commands.options import RULES, json_option


@click.command()
@click.option("--version", default="latest", show_default=True, help="Registered version, or latest.")
@click.option("--rules", default=RULES, show_default=True, help="Rules of promotion.")
@click.option("--dry-run", is_flag=True, help="Say the decision, move nothing.")
@json_option
def promote(version: str, rules: str, dry_run: bool, as_json: bool) -> None:
    """Say whether a version becomes champion, and why."""
    with told():
        from training.promotion.promote import promote_version
        from training.promotion.registry import latest_version
        from training.promotion.rules import load_promote_config
        from training.tracking import connect, mark_dead_runs

        promotion = load_promote_config(rules)
        connect()
        mark_dead_runs()
        chosen = latest_version() if version == "latest" else version
        decision = promote_version(chosen, promotion, dry_run=dry_run)
        said = decision.labels
        if as_json:
            words = said.words if said else None
            show_json({"version": chosen, "promoted": decision.promoted, "reason": decision.reason, "dry_run": dry_run, "labels": words})
        else:
            would = ("would become" if dry_run else "is now") if decision.promoted else "does not become"
            show(f"version {chosen} {would} champion: {decision.reason}")
            if said and not said.failed:
                show(f"labels: {said.words}")
        if said and said.failed:
            click.echo(f"appetite: {said.words}", err=True)
            sys.exit(BAD_INPUT)
