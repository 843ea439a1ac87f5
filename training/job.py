"""The training job: check everything, open the run, walk forward, log, register, promote."""

import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.market import Market
from serving.card import build_card
from serving.screen import render_screen
from training.artefact import make_scorer
from training.claims.events import event_study
from training.config import TrainConfig
from training.facts import gather_facts
from training.ledger.trial import BACKTEST, TRAIN
from training.promotion.decision import Decision
from training.promotion.rules import PromoteConfig
from training.record import TOLD, log_files, log_numbers, log_warnings, make_trial, register, run_info, run_name, run_tags
from training.reports.report import write_report
from training.study import make_table, run_study
from training.tracking import RunHandle, open_run

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What a job leaves behind.

    Attributes
    ----------
    card : facts of the card
    screen : the card as text
    run : the MLflow run
    report : path of the HTML report
    version : registered version; None for a backtest, and where none may be
    decision : of the promotion; None where nothing was registered
    refused : why the model may not be registered; empty where it was, and for a backtest
    """

    card: dict[str, Any]
    screen: str
    run: RunHandle
    report: Path
    version: str | None
    decision: Decision | None
    refused: str = ""


def run_job(
    market: Market,
    config: TrainConfig,
    rules: PromoteConfig | None,
    *,
    name: str | None,
    report_folder: Path,
    progress: Progress,
) -> Outcome:
    """Train, evaluate and record; register and promote if there are rules to promote by.

    Parameters
    ----------
    rules : None for a backtest, which logs no model
    name : of the run; None for one that says what it is, or that `mlflow run` gave it
    report_folder : where the report is written besides the run's artifacts

    Raises
    ------
    JobError, DataError
        For what can be known beforehand: before a run is opened.
    """
    table = make_table(market, config, progress)
    report_folder.mkdir(parents=True, exist_ok=True)
    job = TRAIN if rules else BACKTEST
    trial = make_trial(market, config, table.features.index, job)
    opening = open_run(name, run_tags(market, config, job), run_name(market, config), trial=trial)
    with opening as run, warnings.catch_warnings(record=True) as caught:
        for category in TOLD:
            warnings.simplefilter("always", category)
        study = run_study(table, config, progress)
        progress("record", 0, 4)
        facts = gather_facts(market, study, config)
        scorer = make_scorer(study, config)
        label = f"run {run.run_id[:8]}"
        card = build_card(facts, scorer.published, label)
        events = event_study(market, list(config.assets), list(config.horizons))
        log_numbers(study, config, facts)
        progress("record", 1, 4)
        with tempfile.TemporaryDirectory() as folder:
            info = run_info(run, market, config)
            report = write_report(Path(folder) / "report.html", card, facts, study, market, events, info)
            log_files(Path(folder), study, events, card, scorer.published, config)
            if run.trial is not None:
                run.trial.keep(study.forecasts.losses, Path(folder) / "evaluation" / "lockbox.parquet")
            kept = report_folder / f"report-{run.run_id[:8]}.html"
            kept.write_bytes(report.read_bytes())
        log_warnings(caught)
        progress("record", 2, 4)
        refused = "; ".join(study.regimes.refits[-1].faults) if rules else ""
        version, decision = register(scorer, facts, study, rules, progress) if rules and not refused else (None, None)
        progress("record", 4, 4)
    return Outcome(card, render_screen(card), run, kept, version, decision, refused)
