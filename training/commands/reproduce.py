"""`reproduce`: a run made again, and every difference."""

import sys

import click

from training.commands.answers import bar, show, show_json
from training.commands.faults import NOT_NOW, told
from training.commands.options import json_option


@click.command()
@click.argument("run")
@click.option("--experiment", default="appetite", show_default=True, help="MLflow experiment.")
@click.option("--market", default=None, help="Market file, if not the one the run was given.")
@click.option("--inputs-only", is_flag=True, help="Compare data, code, versions and machine with the run's; make no number, write nothing.")
@json_option
def reproduce(run: str, experiment: str, market: str | None, inputs_only: bool, as_json: bool) -> None:
    """Make a run of train or backtest again from its logged config, and report every difference.

    Ends with 1 where the numbers are others; with --inputs-only, where what went in is. The run is tagged with the outcome.
    """
    with told():
        from sources import load_market
        from training.existing_store import connect_existing
        from training.reproduction.logged import load_logged
        from training.reproduction.outputs import DIFFERS
        from training.reproduction.reproduce import market_file, render_reproduction, write_verdict
        from training.reproduction.reproduce import reproduce as make_again

        connect_existing()
        logged = load_logged(run, experiment)
        file = market_file(logged, market)
        with bar(as_json) as progress:
            progress("market", 0, 1)
            loaded = load_market(file, like=logged.inputs["market"]["note"])
            progress("market", 1, 1)
            done = make_again(logged, loaded, file, progress, inputs_only=inputs_only)
        if not inputs_only:
            write_verdict(done)
        if as_json:
            matches = [vars(each) for each in done.matches]
            show_json({"run_id": done.run_id, "name": done.name, "verdict": done.verdict, "inputs": done.inputs, "outputs": matches})
        else:
            show(render_reproduction(done))
        sys.exit(NOT_NOW if done.verdict == DIFFERS else 0)
