"""`search`: hyper-parameters tried, each a trial, and the procedure judged where none of them was chosen."""

from pathlib import Path

import click

from training.commands.answers import bar, load_shown, show, show_json
from training.commands.faults import told
from training.commands.options import CONFIG, json_option, market_option


@click.command()
@click.option("--space", default="conf/search.yaml", show_default=True, help="What is searched, and how.")
@click.option("--config", default=CONFIG, show_default=True, help="Training config it starts from.")
@click.option("--trials", default=None, type=int, help="Candidates, if not as configured.")
@click.option("--backend", default=None, metavar="serial|loky|dask|ray", help="Where they are computed, if not as configured.")
@click.option("--jobs", default=None, type=int, help="Processes, if not as configured.")
@click.option("--name", default=None, help="Name of the run.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Write the config that is chosen, for `train --config`.")
@market_option
@json_option
def search(
    space: str,
    config: str,
    trials: int | None,
    backend: str | None,
    jobs: int | None,
    name: str | None,
    out: Path | None,
    market: str,
    as_json: bool,
) -> None:
    """Search hyper-parameters; every candidate is a trial of the ledger, and the search is judged as one procedure."""
    with told("the runs that were open are marked KILLED and count as trials"):
        from serving.output import check_file
        from training.config import load_config
        from training.dead_runs import mark_dead_runs
        from training.search.outcome import found_json, render_found, write_best
        from training.search.search import run_search
        from training.search.space import load_search_config
        from training.tracking import connect

        settings = load_config(config)
        asked = load_search_config(space, trials=trials, backend=backend, jobs=jobs)
        if out is not None:
            check_file(out)
        connect()
        mark_dead_runs()
        with bar(as_json) as progress:
            loaded = load_shown(market, progress)
            found = run_search(loaded, settings, asked, name=name, progress=progress)
        if out is not None:
            write_best(found, out)
        if as_json:
            show_json(found_json(found))
            return
        show(render_found(found, asked, {"name": loaded.name, "simulated": loaded.simulated}))
        if out is not None:
            show(f"written: {out}")
