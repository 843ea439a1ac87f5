"""`train` and `backtest`: walk forward and judge, with or without a model to show for it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from training.commands.answers import bar, load_shown, show, show_json
from training.commands.faults import told
from training.commands.options import AS_CONFIGURED, RULES, study_options, whole_number

if TYPE_CHECKING:
    from features.market import Market
    from training.config import TrainConfig


@click.command()
@click.option("--rules", default=RULES, show_default=True, help="Rules of promotion.")
@study_options
def train(rules: str, **options: Any) -> None:
    """Walk forward, judge, log the model, promote it if sound."""
    _study(rules, **options)


@click.command()
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
        from training.promotion.rules import load_promote_config

        promotion = load_promote_config(rules) if rules else None
        _writable(reports)
        with bar(as_json) as progress:
            loaded = load_shown(market, progress)
        _say_doubts(loaded)
        if dry_run:
            _dry_run(loaded, settings, as_json)
            return
        _run(loaded, market, settings, promotion, name, reports, as_json)


def _run(
    market: "Market", market_file: str, settings: "TrainConfig", promotion: Any, name: str | None, reports: Path, as_json: bool
) -> None:
    from training.dead_runs import mark_dead_runs
    from training.job import run_job
    from training.tracking import connect

    connect()
    for run_id in mark_dead_runs():
        click.echo(f"run {run_id} was left open by a process that is gone: marked KILLED", err=True)
    with bar(as_json) as progress:
        outcome = run_job(market, settings, promotion, name=name, report_folder=reports, progress=progress, market_file=market_file)
    from training.ending import ending, ending_json

    show_json(ending_json(outcome)) if as_json else show(outcome.screen + "\n\n" + ending(outcome))
    labels = outcome.decision and outcome.decision.labels
    if labels and (labels.failed or not as_json):
        click.echo(f"labels   {labels.words}", err=labels.failed)  # no exit code: the model is trained, registered and champion


def _dry_run(market: "Market", settings: "TrainConfig", as_json: bool) -> None:
    from training.plan import make_plan, render_plan

    with bar(as_json) as progress:
        plan = make_plan(market, settings, progress)
    show_json(plan) if as_json else show(render_plan(plan))


def _load_config(path: str, seed: str, n_components: str, kind: str) -> "TrainConfig":
    from training.config import load_config

    given = {"seed": whole_number("--seed", seed), "regime.n_components": whole_number("--n-components", n_components)}
    return load_config(path, **given, **{"regime.kind": None if kind == AS_CONFIGURED else kind})


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
