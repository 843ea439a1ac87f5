"""`compare`: runs of one family side by side, every trial of it counted."""

import sys
from pathlib import Path

import click

from training.commands.answers import show, show_json
from training.commands.faults import BAD_INPUT, told
from training.commands.options import json_option, listed_words


@click.command()
@click.option("--experiment", default="appetite", show_default=True, help="MLflow experiment.")
@click.option("--runs", default="", help="Only these runs: names or ids (their first 8 characters do), separated by commas.")
@click.option("--market", default="", help="Only families on the market of this name.")
@click.option("--family", default="", help="This family of trials, by its id; the one that was tried last if not given.")
@click.option(
    "--common", is_flag=True, help="Take in trials that lack more than a tenth of the longest one's dates: rank on what all share."
)
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Write OUT.csv, OUT-cells.csv and OUT.html.")
@json_option
def compare(experiment: str, runs: str, market: str, family: str, common: bool, out: Path | None, as_json: bool) -> None:
    """Rank the runs of one family on the same dates and data, with p-values that count every trial.

    Ends with 0 where no run beats the baselines, which is an answer, and with 2 where the ledger and MLflow disagree.
    """
    with told():
        from serving.output import check_folder
        from training.comparison.gather import compare_experiment
        from training.comparison.page import page
        from training.comparison.record import log_comparison, write_files
        from training.comparison.screen import plain_values, render
        from training.dead_runs import mark_dead_runs
        from training.existing_store import connect_existing
        from training.tracking import current_ledger

        if out is not None:
            check_folder(out)
        connect_existing()
        mark_dead_runs()
        compared = compare_experiment(current_ledger(), experiment, listed_words(runs), market=market, family=family, common=common)
        html = page(compared, experiment)
        files = write_files(compared, html, out) if out is not None else []
        run = log_comparison(compared, experiment, html)
        if as_json:
            show_json(plain_values(compared, experiment) | {"run_id": run.run_id})
        else:
            show(render(compared, experiment))
            for path in files:
                show(f"written: {path}")
            show(f"logged: run {run.run_id} in experiment '{run.experiment}'")
        for missing in compared.missing:
            click.echo(f"appetite: {missing.words()}", err=True)
        sys.exit(BAD_INPUT if compared.missing else 0)
