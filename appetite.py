"""The command line: one word a job. A package is imported when its word is called, not before."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from features.market import Market
    from training.config import TrainConfig

AS_CONFIGURED = "config"
NOT_NOW, BAD_INPUT, INTERRUPTED = 1, 2, 130
SAMPLE, CONFIG, RULES, PLAN = "conf/market-sample.yaml", "conf/train.yaml", "conf/promote.yaml", "conf/fetch.yaml"
CHAMPION = "models:/appetite@champion"

Fn = Callable[..., Any]


OWN_ERRORS = ("features.errors", "models.errors", "training.errors", "serving.errors")
"""Modules whose errors are the user's to mend; their messages are written for that."""


@contextmanager
def told(stopped: str = "a run that was open is marked KILLED, no model was registered") -> Iterator[None]:
    """Turn a fault of the input into one line and exit code 2, a stop into 130, anything else into one line and exit code 1."""
    from training.tracking import Interrupted, stop_signals

    try:
        with stop_signals():
            yield
    except click.exceptions.Exit:
        raise
    except click.ClickException as error:
        _close_run(error)
        raise
    except Interrupted as stop:
        _close_run(stop)
        click.echo(f"appetite: stopped by {stop}; {stopped}", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        _close_run(error)
        if os.environ.get("APPETITE_DEBUG"):
            raise
        if any(each.__module__ in OWN_ERRORS for each in type(error).__mro__):
            click.echo(f"appetite: {error}", err=True)
            sys.exit(BAD_INPUT)
        click.echo(f"appetite: unexpected {type(error).__name__}: {error}; set APPETITE_DEBUG=1 to see where", err=True)
        sys.exit(1)


def _close_run(error: BaseException) -> None:
    if os.environ.get("MLFLOW_RUN_ID"):
        from training.tracking import close_taken_run, connect

        connect()
        close_taken_run(error)


def show(text: str) -> None:
    """Print to standard output."""
    click.echo(text)


def show_json(value: Any) -> None:
    """Print JSON that any reader takes: missing values are null."""
    click.echo(json.dumps(value, indent=1, allow_nan=False))


def _say_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        show(f"appetite {version('appetite')}")
    except PackageNotFoundError:  # run from a checkout, as `mlflow run` does
        show("appetite, from a checkout that is not installed")
    context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version, help="Print the version.")
def main() -> None:
    """Small caps as a gauge of risk appetite, and what that means for crypto."""


def market_option(function: Fn) -> Fn:
    """Add the option that names a market."""
    return click.option("--market", default=SAMPLE, show_default=True, help="Market file.")(function)


def json_option(function: Fn) -> Fn:
    """Add the option for machines."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(function)


def study_options(function: Fn) -> Fn:
    """Add the options of a study."""
    for option in (
        click.option(
            "--reports", default="reports", show_default=True, type=click.Path(path_type=Path), help="Folder for the HTML report."
        ),
        click.option("--name", default=None, help="Name of the run."),
        click.option("--dry-run", is_flag=True, help="Print what would be done, and how long it would take."),
        click.option("--kind", default=AS_CONFIGURED, metavar="hmm|classifier", help="How to label, if not as configured."),
        click.option("--n-components", default=AS_CONFIGURED, metavar="N", help="Number of regimes, if not as configured."),
        click.option("--seed", default=AS_CONFIGURED, metavar="N", help="Seed of every random number, if not as configured."),
        click.option("--config", default=CONFIG, show_default=True, help="Training config."),
        market_option,
        json_option,
    ):
        function = option(function)
    return function


@main.command()
@click.option("--rules", default=RULES, show_default=True, help="Rules of promotion.")
@study_options
def train(rules: str, **options: Any) -> None:
    """Walk forward, judge, log the model, promote it if sound."""
    _study(rules, **options)


@main.command()
@study_options
def backtest(**options: Any) -> None:
    """Do as train does, without logging a model."""
    _study(None, **options)


def _study(
    rules: str | None,
    *,
    market: str,
    config: str,
    seed: str,
    n_components: str,
    kind: str,
    dry_run: bool,
    name: str | None,
    reports: Path,
    as_json: bool,
) -> None:
    with told():
        settings = _load_config(config, seed, n_components, kind)
        from training.promote import load_promote_config

        promotion = load_promote_config(rules) if rules else None
        _writable(reports)
        with _bar(as_json) as progress:
            progress("market", 0, 1)
            from sources import load_market

            loaded = load_market(market)
            progress("market", 1, 1)
        _say_doubts(loaded)
        if dry_run:
            _dry_run(loaded, settings, as_json)
            return
        _run(loaded, settings, promotion, name, reports, as_json)


def _run(market: "Market", settings: "TrainConfig", promotion: Any, name: str | None, reports: Path, as_json: bool) -> None:
    from training.job import run_job
    from training.tracking import connect, mark_dead_runs

    connect()
    for run_id in mark_dead_runs():
        click.echo(f"run {run_id} was left open by a process that is gone: marked KILLED", err=True)
    with _bar(as_json) as progress:
        outcome = run_job(market, settings, promotion, name=name, report_folder=reports, progress=progress)
    from training.ending import ending, ending_json

    show_json(ending_json(outcome)) if as_json else show(outcome.screen + "\n\n" + ending(outcome))
    labels = outcome.decision and outcome.decision.labels
    if labels and (labels.failed or not as_json):
        click.echo(f"labels   {labels.words}", err=labels.failed)  # no exit code: the model is trained, registered and champion


def _dry_run(market: "Market", settings: "TrainConfig", as_json: bool) -> None:
    from training.plan import make_plan, render_plan

    with _bar(as_json) as progress:
        plan = make_plan(market, settings, progress)
    show_json(plan) if as_json else show(render_plan(plan))


@main.command()
@click.option("--model", default=CHAMPION, show_default=True, help="MLflow model URI.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Table of all rows: .parquet or .csv.")
@market_option
@json_option
def score(model: str, market: str, out: Path | None, as_json: bool) -> None:
    """Answer for every session of a market.

    Sessions of training get what was published then, later ones go on from the stored state.
    """
    with told():
        from serving.batch import score_in_fresh_process
        from serving.label_place import labels_root
        from serving.label_rows import publish_answer
        from serving.output import check_out
        from training.promote import champion_behind, champion_version
        from training.tracking import REGISTERED, connect, mark_dead_runs, tracking_uri

        if out is not None:
            check_out(out)
        connect()
        mark_dead_runs()
        with _bar(as_json) as progress:
            progress("score", 0, 1)
            version = champion_behind(model)
            if model == CHAMPION and champion_version() is None:
                from serving.baseline import score_baseline

                answer = score_baseline(market, out)
            else:
                loaded = f"models:/{REGISTERED}/{version}" if version else model  # the alias may move while this works
                answer = score_in_fresh_process(loaded, market, out, called=model)
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


@main.command()
@click.option("--newest", default=20, show_default=True, type=click.IntRange(min=0), metavar="N", help="List the newest N; 0 for all.")
@click.option("--revisions", is_flag=True, help="What later versions say of published sessions, in the order in which they did.")
@click.option("--verify", "check", is_flag=True, help="Check every line instead. Ends with 1 where one is not as it was written.")
@click.option("--market", default="", help="Only the series of the market of this name.")
@json_option
def labels(newest: int, revisions: bool, check: bool, market: str, as_json: bool) -> None:
    """List the labels that were published, which never change, and how later models see them."""
    with told():
        from serving.label_place import labels_root
        from serving.label_words import gather_labels, render_labels, render_verified, verify_labels
        from training.tracking import REGISTERED, tracking_uri

        root = labels_root(tracking_uri())
        if check:
            checked = verify_labels(root, REGISTERED, market)
            show_json(checked) if as_json else show(render_verified(checked))
            sys.exit(NOT_NOW if any(each["broken"] for each in checked) else 0)
        listed = gather_labels(root, REGISTERED, newest=newest, revisions=revisions, market=market)
        show_json(listed) if as_json else show(render_labels(listed))


@main.command()
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
        from training.comparing import compare_experiment, render_comparison, write_comparison
        from training.tracking import connect, mark_dead_runs

        if out is not None:
            check_folder(out)
        connect()
        mark_dead_runs()
        table = compare_experiment(experiment, _words(runs), market=market, common=common)
        files = write_comparison(table, experiment, out) if out is not None else []
        if as_json:
            show_json(as_records(table))
            return
        show(render_comparison(table, experiment))
        for path in files:
            show(f"written: {path}")


@main.command()
@click.option("--version", default="latest", show_default=True, help="Registered version, or latest.")
@click.option("--rules", default=RULES, show_default=True, help="Rules of promotion.")
@click.option("--dry-run", is_flag=True, help="Say the decision, move nothing.")
@json_option
def promote(version: str, rules: str, dry_run: bool, as_json: bool) -> None:
    """Say whether a version becomes champion, and why."""
    with told():
        from training.promote import latest_version, load_promote_config, promote_version
        from training.tracking import connect, mark_dead_runs

        promotion = load_promote_config(rules)
        connect()
        mark_dead_runs()
        chosen = latest_version() if version == "latest" else version
        decision = promote_version(chosen, promotion, dry_run=dry_run)
        said = decision.labels
        if as_json:
            words = said.words if said else None
            show_json({"version": chosen, "promoted": decision.promoted, "reason": decision.reason, "dry_run": dry_run, "labels": words})
        else:
            would = ("would become" if dry_run else "is now") if decision.promoted else "does not become"
            show(f"version {chosen} {would} champion: {decision.reason}")
            if said and not said.failed:
                show(f"labels: {said.words}")
        if said and said.failed:
            click.echo(f"appetite: {said.words}", err=True)
            sys.exit(BAD_INPUT)


@main.command()
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
        with _bar(as_json) as progress:
            from sources import load_market
            from training.states import choose_states, write_states

            choice = choose_states(load_market(market), settings, columns=_words(columns), progress=progress)
        if out is not None:
            write_states(choice, out)
        show_json(choice.to_dict()) if as_json else show(choice.text())


@main.command()
@click.option("--series", default="", help="Price series, separated by commas (R2000, IWM and IWN, if the market has them).")
@click.option("--grid", is_flag=True, help="Confirmed breakouts in every cell of the sensitivity grid, in place of what followed.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Write OUT.csv.")
@market_option
@json_option
def events(series: str, grid: bool, market: str, out: Path | None, as_json: bool) -> None:
    """List breakouts, and what crypto did after each; or how far they hang on the parameters."""
    with told():
        from serving.output import as_records, check_folder
        from sources import load_market
        from training.listing import list_all, list_cells, render_cells, render_events, write_events

        if out is not None:
            check_folder(out)
        table = (list_cells if grid else list_all)(load_market(market), _words(series))
        written = write_events(table, out) if out is not None else None
        if as_json:
            show_json(as_records(table))
            return
        show((render_cells if grid else render_events)(table))
        if written is not None:
            show(f"written: {written}")


@main.command()
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
            listed = describe(list_sources(spec, tuple(_words(only))))
            show_json(listed) if as_json else show("\n".join(f"{each['source']:<8} {each['words']}" for each in listed))
            return
        with _bar(as_json) as progress:
            outcomes = fetch_into(spec, Path(plan).parent, only=tuple(_words(only)), progress=progress)
        show_json({"store": spec.store, "sources": as_rows(outcomes)}) if as_json else show(render(outcomes, spec.store))
        fault = fault_of(outcomes)
        if fault:
            click.echo(f"appetite: {fault}", err=True)
            sys.exit(NOT_NOW)


@main.group()
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
        from sources import load_market
        from sources.inventory import inventory_table, take_inventory
        from training.data_report import render_status

        with _bar(as_json) as progress:
            progress("market", 0, 1)
            loaded = load_market(market)
            progress("market", 1, 1)
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
        from sources import load_market
        from training.data_report import write_data_report

        check_page(out)
        with _bar(as_json) as progress:
            progress("market", 0, 1)
            loaded = load_market(market)
            progress("market", 1, 1)
            written = write_data_report(loaded, out, progress)
        show_json({"written": str(written)}) if as_json else show(f"written: {written}")


def store_option(function: Fn) -> Fn:
    """Add the option that names a store."""
    return click.option("--store", required=True, envvar="APPETITE_STORE", show_envvar=True, help="Folder of the store.")(function)


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


def _load_config(path: str, seed: str, n_components: str, kind: str) -> "TrainConfig":
    from training.config import load_config

    given = {"seed": _whole("--seed", seed), "regime.n_components": _whole("--n-components", n_components)}
    return load_config(path, **given, **{"regime.kind": None if kind == AS_CONFIGURED else kind})


def _words(listed: str) -> list[str]:
    return [each.strip() for each in listed.split(",") if each.strip()]


def _whole(option: str, value: str) -> int | None:
    if value == AS_CONFIGURED:
        return None
    try:
        return int(value)
    except ValueError:
        raise click.BadParameter(
            f"'{value}' is no whole number; rule: a whole number, or '{AS_CONFIGURED}' for the config's own", param_hint=option
        ) from None


def _writable(folder: Path) -> None:
    from serving.output import takes_files
    from training.errors import JobError

    existing = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not existing.is_dir():
        raise JobError(f"folder '{folder}' cannot be made: {existing} is a file; name another")
    if not takes_files(existing):
        raise JobError(f"folder '{folder}' cannot be written to ({existing} is not writable); name another")


def _say_doubts(market: "Market") -> None:
    for (frame, series, rule), rows in market.quarantine.groupby(["frame", "series", "rule"]):
        of = frame if frame == series else f"{frame} {series}"
        click.echo(f"set aside: {len(rows)} of {of}: {rule}", err=True)
    from sources.alignment import misfits

    for misfit in misfits(market):
        click.echo(f"warning: {misfit.words()}", err=True)


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Progress on standard error; a line a stage where it is no terminal."""
    from serving.progress import shown

    with shown(quiet) as report:
        yield report


if __name__ == "__main__":
    main()
