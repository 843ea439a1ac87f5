"""The training job: check everything, open the run, walk forward, log, register, promote."""

import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.market import Market
from serving.screen import render_screen
from training.config import TrainConfig
from training.evaluated import evaluate
from training.ledger.trial import BACKTEST, TRAIN
from training.promotion.decision import Decision
from training.promotion.rules import PromoteConfig
from training.record import TOLD, log_files, log_numbers, log_warnings, make_trial, register, run_info, run_name, run_tags
from training.reports.report import make_report
from training.reproduction.inputs import gather_inputs
from training.study import make_table
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
    market_file: str | None = None,
) -> Outcome:
    """Train, evaluate and record; register and promote if there are rules to promote by.

    Parameters
    ----------
    rules : None for a backtest, which logs no model
    name : of the run; None for one that says what it is, or that `mlflow run` gave it
    report_folder : where the report is written besides the run's artifacts
    market_file : that the market was loaded from, for whoever reproduces the run

    Raises
    ------
    JobError, DataError
        For what can be known beforehand: before a run is opened. So is another lock-box share than the family's.
    """
    table = make_table(market, config, progress)
    report_folder.mkdir(parents=True, exist_ok=True)
    job = TRAIN if rules else BACKTEST
    trial = make_trial(market, config, table, job)
    opening = open_run(name, run_tags(market, config, job), run_name(market, config), trial=trial)
    with opening as run, warnings.catch_warnings(record=True) as caught:
        for category in TOLD:
            warnings.simplefilter("always", category)
        found = evaluate(market, table, config, run.run_id, progress)
        log_numbers(found.study, config, found.facts)
        progress("record", 1, 4)
        with tempfile.TemporaryDirectory() as folder:
            info = run_info(run, market, config)
            report = make_report(found.card, found.facts, found.study, market, found.events, found.strategies, info)
            log_files(Path(folder), found, config, gather_inputs(market, market_file), report)
            if run.trial is not None:
                run.trial.keep(found.study.forecasts.losses, Path(folder) / "evaluation" / "lockbox.parquet")
            kept = report_folder / f"report-{run.run_id[:8]}.html"
            kept.write_text(report.html, encoding="utf-8")
        log_warnings(caught)
        progress("record", 2, 4)
        refused = "; ".join(found.study.regimes.refits[-1].faults) if rules else ""
        version, decision = register(found.scorer, found.facts, found.study, rules, progress) if rules and not refused else (None, None)
        progress("record", 4, 4)
    return Outcome(found.card, render_screen(found.card), run, kept, version, decision, refused)
