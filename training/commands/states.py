"""`states`: the number of regimes that a market's rows support."""

from pathlib import Path

import click

from training.commands.answers import bar, show, show_json
from training.commands.faults import told
from training.commands.options import json_option, listed_words, market_option


@click.command()
@click.option("--columns", default="", help="Features to choose on, separated by commas; those of the config if left out.")
@click.option("--config", default="conf/train.yaml", show_default=True, help="Configuration of the training job.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Write OUT.csv, OUT.png and OUT.html.")
@market_option
@json_option
def states(columns: str, config: str, market: str, out: Path | None, as_json: bool) -> None:
    """Choose the number of regimes that a market's rows support."""
    with told():
        from serving.output import check_folder
        from training.config import load_config

        settings = load_config(config)
        if out is not None:
            check_folder(out)
        with bar(as_json) as progress:
            from sources import load_market
            from training.states import choose_states, write_states

            choice = choose_states(load_market(market), settings, columns=listed_words(columns), progress=progress)
        if out is not None:
            write_states(choice, out)
        show_json(choice.to_dict()) if as_json else show(choice.text())
