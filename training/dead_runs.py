"""Runs whose process is gone: found by a later command, and ended as they would have been."""

import os
import socket
from typing import TYPE_CHECKING

from training.process_mark import process_mark
from training.tracking import ERROR_TAG, PROCESS_TAG, STOPPED, current_ledger

if TYPE_CHECKING:
    from mlflow import MlflowClient


def mark_dead_runs() -> list[str]:
    """Mark runs that say RUNNING though their process is gone (killed outright) as KILLED; returns their ids."""
    import mlflow

    client = mlflow.MlflowClient()
    experiments = [each.experiment_id for each in client.search_experiments()]
    _restore_stopped(client, experiments)
    dead = []
    for run in client.search_runs(experiments, filter_string="attributes.status = 'RUNNING'") if experiments else []:
        mark = run.data.tags.get(PROCESS_TAG)
        if mark is None or not mark.startswith(f"{socket.gethostname()} ") or run.info.run_id == os.environ.get("MLFLOW_RUN_ID"):
            continue
        if process_mark(int(mark.split()[1])) != mark:
            client.set_tag(run.info.run_id, ERROR_TAG, "its process ended without a word; marked by a later command")
            client.set_terminated(run.info.run_id, "KILLED")
            if "family_id" in run.data.tags:
                current_ledger().end(run.info.run_id, "KILLED")
            dead.append(run.info.run_id)
    return dead


def _restore_stopped(client: "MlflowClient", experiments: list[str]) -> None:
    """Write KILLED again where `mlflow run`, stopped with its job, wrote FAILED over it."""
    wanted = f"attributes.status = 'FAILED' and tags.`{ERROR_TAG}` LIKE '{STOPPED}%'"
    for run in client.search_runs(experiments, filter_string=wanted) if experiments else []:
        client.set_terminated(run.info.run_id, "KILLED", end_time=run.info.end_time)
