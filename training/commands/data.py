"""`data`: the words that look at a market's data and care for a store."""

import sys
from pathlib import Path

import click

from training.commands.answers import bar, load_shown, show, show_json
from training.commands.faults import NOT_NOW, told
from training.commands.options import json_option, market_option, store_option


@click.group()
def data() -> None:
    """Look at the data of a market."""


@data.command()
@click.option("--store", default="", help="Folder of a store, in the place of a market: what it holds, all vintages counted.")
@market_option
@json_option
def status(market: str, store: str, as_json: bool) -> None:
    """List every series: first and last, delay, age, gaps, records set aside; of a store also revisions."""
    with told():
        if store:
            from sources.store import Store
            from sources.store.words import render_status as render_store

            listed = Store.open(store).status()
            show(listed.write_json()) if as_json else show(render_store(listed))
            return
        from serving.output import as_records
        from sources.inventory import inventory_table, take_inventory
        from training.data.report import render_status

        with bar(as_json) as progress:
            loaded = load_shown(market, progress)
        inventory = take_inventory(loaded)
        show_json(as_records(inventory_table(inventory))) if as_json else show(render_status(loaded, inventory))


@data.command()
@click.option("--out", default="data.html", show_default=True, type=click.Path(path_type=Path), help="HTML file to write.")
@market_option
@json_option
def report(out: Path, market: str, as_json: bool) -> None:
    """Draw every series, its delay and holes, and what the features make of it."""
    with told():
        from serving.output import check_page
        from training.data.report import write_data_report

        check_page(out)
        with bar(as_json) as progress:
            written = write_data_report(load_shown(market, progress), out, progress)
        show_json({"written": str(written)}) if as_json else show(f"written: {written}")


@data.command()
@store_option
@json_option
def verify(store: str, as_json: bool) -> None:
    """Hash every file of a store anew. Ends with 1 where one is not as it was written."""
    with told():
        from sources.store import Store

        found = Store.open(store).verify()
        harmful = [each for each in found if not each.harmless]
        if as_json:
            show_json({"as_written": not harmful, "differences": [vars(each) for each in found]})
        else:
            show("\n".join(f"{each.path}: {each.what}" for each in found) or "every file is as it was written")
        sys.exit(NOT_NOW if harmful else 0)


@data.command()
@store_option
@json_option
def compact(store: str, as_json: bool) -> None:
    """Join the small files of old batches; every answer stays the same to the bit."""
    with told():
        from sources.store import Store
        from sources.store.words import render_compaction

        done = Store.open(store).compact()
        if as_json:
            show_json({"number": done.number, "files": dict(done.files)})
            return
        show(render_compaction(done))


@data.command()
@store_option
@json_option
def migrate(store: str, as_json: bool) -> None:
    """Bring a store that an earlier version wrote to this one's format."""
    with told():
        from sources.store import migrate as migrate_store

        version = migrate_store(Path(store)).schema
        show_json({"version": version}) if as_json else show(f"the store has version {version}")
