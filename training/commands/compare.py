"""`compare`: runs ranked on the same dates and data."""

from pathlib import Path

import click

from training.commands.answers import show, show_json
from training.commands.faults import told
from training.commands.options import json_option, listed_words


@click.command()
@click.option("--experiment", default="appetite", show_default=True, help="MLflow experiment.")
@click.option("--runs", default="", help="Only these runs: names or ids (their first 8 characters do), separated by commas.")
@click.option("--market", default="", help="Only runs on the market of this name.")
@click.option("--common", is_flag=True, help="Rank on the dates that all runs share, if they differ.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Write OUT.csv and OUT.html.")
@json_option
def compare(experiment: str, runs: str, market: str, common: bool, out: Path | None, as_json: bool) -> None:
    """Rank runs on the same dates and data."""
    with told():
        from serving.output import as_records, check_folder
        from training.comparison.comparing import compare_experiment, render_comparison, write_comparison
        from training.tracking import connect, mark_dead_runs

        if out is not None:
            check_folder(out)
        connect()
        mark_dead_runs()
        table = compare_experiment(experiment, listed_words(runs), market=market, common=common)
        files = write_comparison(table, experiment, out) if out is not None else []
        if as_json:
            show_json(as_records(table))
            return
        show(render_comparison(table, experiment))
        for path in files:
            show(f"written: {path}")
