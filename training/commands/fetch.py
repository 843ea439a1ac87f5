"""`fetch`: the newest records into the store."""

import sys
from pathlib import Path

import click

from training.commands.answers import bar, show, show_json
from training.commands.faults import NOT_NOW, told
from training.commands.options import PLAN, json_option, listed_words


@click.command()
@click.option("--plan", default=PLAN, show_default=True, help="What to fetch, and where to.")
@click.option("--only", default="", help="Only these sources of the plan, separated by commas.")
@click.option("--dry-run", is_flag=True, help="List the sources, fetch nothing.")
@json_option
def fetch(plan: str, only: str, dry_run: bool, as_json: bool) -> None:
    """Bring the newest records into the store. What arrives is kept, also where another source fails."""
    with told("what had arrived is in the store, run it again to go on"):
        from sources.fetch import fetch_into, list_sources, read_plan
        from sources.fetch.words import as_rows, describe, fault_of, render

        spec = read_plan(plan)
        if dry_run:
            listed = describe(list_sources(spec, tuple(listed_words(only))))
            show_json(listed) if as_json else show("\n".join(f"{each['source']:<8} {each['words']}" for each in listed))
            return
        with bar(as_json) as progress:
            outcomes = fetch_into(spec, Path(plan).parent, only=tuple(listed_words(only)), progress=progress)
        show_json({"store": spec.store, "sources": as_rows(outcomes)}) if as_json else show(render(outcomes, spec.store))
        fault = fault_of(outcomes)
        if fault:
            click.echo(f"appetite: {fault}", err=True)
            sys.exit(NOT_NOW)
