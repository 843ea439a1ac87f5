"""The run and the trial of each candidate: opened before it is computed, so that one that dies counts as well."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from training.ledger.open_trial import OpenTrial
from training.ledger.trial import Trial, config_hash_of, hypothesis_of
from training.process_mark import process_mark
from training.search.candidate import Candidate
from training.tracking import PROCESS_TAG, Interrupted, RunHandle, current_ledger

PARENT_TAG = "mlflow.parentRunId"


@dataclass
class Child:
    """A candidate's run.

    Attributes
    ----------
    candidate : what is tried
    run_id : of its run
    trial : of the ledger
    open : whether it has not ended yet
    """

    candidate: Candidate
    run_id: str
    trial: OpenTrial
    open: bool = True

    def finish(self, losses: Path, metrics: Mapping[str, float]) -> None:
        """Keep the numbers and end the run as finished.

        Parameters
        ----------
        losses : of `training.search.candidate.walk_candidate`
        metrics : by name
        """
        import mlflow

        client = mlflow.MlflowClient()
        self.trial.keep(pd.read_parquet(losses))
        for key, value in metrics.items():
            client.log_metric(self.run_id, key, value)
        self._end("FINISHED")

    def _end(self, status: str) -> None:
        import mlflow

        self.trial.end(status)
        mlflow.MlflowClient().set_terminated(self.run_id, status)
        self.open = False


@contextmanager
def open_children(parent: RunHandle, candidates: Sequence[Candidate], tags: Mapping[str, str], trial: Trial) -> Iterator[list[Child]]:
    """Open a run below the search's own for each candidate; those that are open when the block ends badly are ended with it.

    Parameters
    ----------
    tags, trial : of the search; config, hypothesis and parent are the child's own
    """
    children: list[Child] = []
    try:
        children.extend(_open(parent, candidate, tags, trial) for candidate in candidates)
        yield children
    except BaseException as error:
        for child in children:
            if child.open:
                child._end("KILLED" if isinstance(error, Interrupted) else "FAILED")
        raise


def _open(parent: RunHandle, candidate: Candidate, tags: Mapping[str, str], trial: Trial) -> Child:
    import mlflow

    client, ledger = mlflow.MlflowClient(), current_ledger()
    own = replace(
        trial,
        hypothesis_id=hypothesis_of(candidate.config),
        parent=parent.run_id,
        config_hash=config_hash_of(candidate.config),
        seed=candidate.config.seed,
    )
    name = f"candidate {candidate.number} {candidate.words}"
    told = {**tags, **own.tags(), PARENT_TAG: parent.run_id, PROCESS_TAG: process_mark(os.getpid())}
    run = client.create_run(parent.experiment_id, run_name=name, tags=told)
    ledger.open(run.info.run_id, name, parent.experiment, own)
    for key, value in candidate.values.items():
        client.log_param(run.info.run_id, f"config.{key}", str(value))
    return Child(candidate, run.info.run_id, OpenTrial(ledger, run.info.run_id))
