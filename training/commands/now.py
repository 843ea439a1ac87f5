"""`now`: the card of this moment."""

import click

from training.commands.answers import bar, show, show_json
from training.commands.faults import told
from training.commands.options import json_option, market_option
from training.commands.score import CHAMPION


@click.command()
@click.option("--model", default=CHAMPION, show_default=True, help="MLflow model URI.")
@market_option
@json_option
def now(model: str, market: str, as_json: bool) -> None:
    """Show the card of the newest session: one screen, or one JSON. Nothing is written."""
    with told():
        import pandas as pd

        from serving.label_place import labels_root
        from serving.screen import render_screen
        from training.answering import answer_for
        from training.moment import card_now
        from training.tracking import connect, current_ledger, tracking_uri

        connect()
        with bar(as_json) as progress:
            progress("score", 0, 1)
            answer, version = answer_for(model, market, None)
            progress("score", 1, 1)
        card = card_now(answer["card"], version, labels_root(tracking_uri()), current_ledger(), pd.Timestamp.now("UTC"))
        show_json(card) if as_json else show(render_screen(card))
