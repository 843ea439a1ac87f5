"""The record of a run in MLflow: opened late, closed in every way a process can end."""

import fcntl
import logging
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from training.errors import JobError
from training.ledger.ledger import Ledger
from training.ledger.open_trial import OpenTrial
from training.ledger.place import ledger_root
from training.ledger.trial import Trial
from training.process_mark import process_mark

EXPERIMENT = "appetite"
REGISTERED = "appetite"
CHAMPION = "champion"
PROCESS_TAG = "appetite.process"
ERROR_TAG = "appetite.error"
LONGEST_TAG = 4000
BATCH = 1000
STOPPED = "stopped by "
INVENTED = re.compile("[a-z]+-[a-z]+-[0-9]{1,4}")
"""Names that MLflow gives a run without one: sassy-foal-464."""
STOPS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """The process was asked to stop (SIGINT or SIGTERM); not an error of the job."""


@dataclass(frozen=True)
class RunHandle:
    """An open run.

    Attributes
    ----------
    run_id, experiment_id, experiment : as MLflow names them
    trial : what the ledger has of it; None for a run that is no trial
    """

    run_id: str
    experiment_id: str
    experiment: str
    trial: OpenTrial | None = None


def tracking_uri() -> str:
    """Where runs are recorded: `MLFLOW_TRACKING_URI`, or `mlflow.db` in the current folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd() / 'mlflow.db'}"


def current_ledger() -> Ledger:
    """Give the register of trials that belongs to the store."""
    return Ledger(ledger_root(tracking_uri()))


def connect() -> None:
    """Point MLflow at the store, and create a fresh SQLite store under a lock (two creators at once break it)."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    uri = tracking_uri()
    os.environ["MLFLOW_TRACKING_URI"] = uri
    import mlflow

    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    mlflow.set_tracking_uri(uri)
    if not uri.startswith("sqlite:///"):
        return
    database = Path(uri.removeprefix("sqlite:///"))
    if not database.parent.is_dir():
        raise JobError(f"MLFLOW_TRACKING_URI '{uri}': the folder '{database.parent}' does not exist; make it, or name another")
    with open(f"{database}.lock", "w", encoding="utf-8") as lock:  # noqa: PTH123 - the lock lives as long as the handle
        fcntl.flock(lock, fcntl.LOCK_EX)
        mlflow.MlflowClient().search_experiments(max_results=1)


@contextmanager
def open_run(
    name: str | None, tags: Mapping[str, str], unnamed: str | None = None, *, trial: Trial | None = None, experiment: str = ""
) -> Iterator[RunHandle]:
    """Open a run, or take over the one `mlflow run` opened, and close it as FINISHED, FAILED or KILLED.

    A trial is written to the ledger when it opens and when it ends, before MLflow is told of the end.

    Parameters
    ----------
    name : shown in MLflow; None leaves a run taken over the name that its user gave it
    unnamed : name where `name` is None and no user gave one; None for one that MLflow invents
    tags : set at once, so that a run that fails early says what it was
    trial : what the ledger is to have of it; None for a run that is no trial
    experiment : of a new run; empty for that of the environment, or `EXPERIMENT`

    Raises
    ------
    LedgerError
        Where a trial cannot be written to the ledger.
    JobError
        Where it locks another share away than its family, before a run is opened.
    """
    import mlflow

    ledger = current_ledger()
    if trial is not None:
        register = ledger.read()
        register.refuse_other_share(trial)
        tags = {**tags, **trial.tags(), "prereg": str(trial.hypothesis_id in register.preregistered).lower()}
        if (chosen := register.chosen_by_search(trial)) is not None:
            tags |= {"chosen_by_search": f"{chosen.run_id}, {chosen.candidates} candidates"}
    if not os.environ.get("MLFLOW_RUN_ID"):  # `mlflow run` has chosen the experiment already
        mlflow.set_experiment(experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT))
        name = name or unnamed
    elif not name and INVENTED.fullmatch(str(mlflow.get_run(os.environ["MLFLOW_RUN_ID"]).info.run_name)):
        name = unnamed
    opened = None
    with stop_signals():
        try:
            run = mlflow.start_run(run_name=name, tags={**tags, PROCESS_TAG: process_mark(os.getpid())})
            place = mlflow.get_experiment(run.info.experiment_id).name
            if trial is not None:
                ledger.open(run.info.run_id, str(run.info.run_name), place, trial)
                opened = OpenTrial(ledger, run.info.run_id)
            yield RunHandle(run.info.run_id, run.info.experiment_id, place, opened)
            hold_stops()
            if opened is not None:
                opened.end("FINISHED")
        except BaseException as error:
            hold_stops()  # a second Ctrl-C must not leave the run open
            if opened is not None:
                opened.end_badly(_status(error))
            if mlflow.active_run() is not None:
                mlflow.set_tag(ERROR_TAG, _words(error))
                mlflow.end_run(_status(error))
            raise
        mlflow.end_run("FINISHED")


def close_taken_run(error: BaseException) -> None:
    """Under `mlflow run`, write an error that came before our own work on the run that is open already."""
    run_id = os.environ.get("MLFLOW_RUN_ID")
    if run_id:
        import mlflow

        client = mlflow.MlflowClient()
        if client.get_run(run_id).info.status == "RUNNING":
            client.set_tag(run_id, ERROR_TAG, _words(error))
            client.set_terminated(run_id, _status(error))


def _status(error: BaseException) -> str:
    return "KILLED" if isinstance(error, Interrupted) else "FAILED"


def _words(error: BaseException) -> str:
    said = f"{STOPPED}{error}" if isinstance(error, Interrupted) else str(error)
    return said[:LONGEST_TAG] or type(error).__name__


def hold_stops() -> None:
    """Ignore SIGINT and SIGTERM until the `stop_signals` block around it ends: what comes next is short and must be whole."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def stop_signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into `Interrupted` while the block runs."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def log_steps(metrics: Mapping[str, list[float]]) -> None:
    """Log series of metrics, a step an element, in batches; values that are not finite are left out (MLflow stores none)."""
    import math
    import time

    import mlflow
    from mlflow.entities import Metric

    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("log_steps: no run is open")
    now = int(time.time() * 1000)
    rows = [
        Metric(k, float(v), now, i) for k, values in metrics.items() for i, v in enumerate(values) if v is not None and math.isfinite(v)
    ]
    client = mlflow.MlflowClient()
    for start in range(0, len(rows), BATCH):
        client.log_batch(run.info.run_id, metrics=rows[start : start + BATCH])


def git_commit(folder: Path) -> str:
    """Commit of the code, with '+' where the tree differs from it; 'unknown' outside a checkout."""

    def git(*words: str) -> str:
        answer = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
        return answer.stdout.strip() if answer.returncode == 0 else ""

    commit = git("rev-parse", "HEAD")
    if not commit:
        return "unknown"
    return commit + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def flat_params(values: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Name parameters under a prefix of their own: MLflow has logged the entry point's under theirs."""
    return {f"{prefix}{key}": str(value) for key, value in values.items()}
