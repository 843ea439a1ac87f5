"""`events`: breakouts and what followed."""

from pathlib import Path

import click

from training.commands.answers import show, show_json
from training.commands.faults import told
from training.commands.options import json_option, listed_words, market_option


@click.command()
@click.option("--series", default="", help="Price series, separated by commas (R2000, IWM and IWN, if the market has them).")
@click.option("--grid", is_flag=True, help="Confirmed breakouts in every cell of the sensitivity grid, in place of what followed.")
@click.option(
    "--out",
    default=None,
    type=click.Path(path_type=Path),
    help="Write OUT.csv: series, state, date, margin, asset, horizon, log_return; of a grid, its cells.",
)
@market_option
@json_option
def events(series: str, grid: bool, market: str, out: Path | None, as_json: bool) -> None:
    """List breakouts, and what crypto did after each; or how far they hang on the parameters."""
    with told():
        from serving.output import as_records, check_folder
        from sources import load_market
        from training.claims.listing import list_all, list_cells, render_cells, render_events, write_events

        if out is not None:
            check_folder(out)
        table = (list_cells if grid else list_all)(load_market(market), listed_words(series))
        written = write_events(table, out) if out is not None else None
        if as_json:
            show_json(as_records(table))
            return
        show((render_cells if grid else render_events)(table))
        if written is not None:
            show(f"written: {written}")
