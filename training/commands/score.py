"""`score`: the answer for every session of a market."""

from pathlib import Path

import click

from training.commands.answers import bar, show, show_json
from training.commands.faults import told
from training.commands.options import json_option, market_option

CHAMPION = "models:/appetite@champion"


@click.command()
@click.option("--model", default=CHAMPION, show_default=True, help="MLflow model URI.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Table of all rows: .parquet or .csv.")
@market_option
@json_option
def score(model: str, market: str, out: Path | None, as_json: bool) -> None:
    """Answer for every session of a market.

    Sessions of training get what was published then, later ones go on from the stored state.
    """
    with told():
        from serving.label_place import labels_root
        from serving.label_rows import publish_answer
        from serving.output import check_out
        from training.answering import answer_for
        from training.dead_runs import mark_dead_runs
        from training.tracking import REGISTERED, connect, tracking_uri

        if out is not None:
            check_out(out)
        connect()
        mark_dead_runs()
        with bar(as_json) as progress:
            progress("score", 0, 1)
            answer, version = answer_for(model, market, out)
            progress("score", 1, 1)
        fault = publish_answer(answer, labels_root(tracking_uri()), REGISTERED, version)
        if as_json:
            show_json(answer)
        else:
            from serving.screen import render_screen
            from serving.words import plural

            show(render_screen(answer["card"]))
            show(f"\n{plural(answer['rows'], 'row')}" + (f" written to {out}" if out else "; name a file with --out to keep them"))
            show(f"labels: {answer['labels']['words']}")
        if fault is not None:
            raise fault
