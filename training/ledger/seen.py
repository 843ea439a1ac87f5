"""What MLflow has of the trials of a family, deleted runs included; and the sealed file of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from training.errors import JobError
from training.ledger.trial import JOBS

if TYPE_CHECKING:
    from mlflow.entities import Run

SEALED = "evaluation/lockbox.parquet"
"""Artifact that holds the rows of the lock-box with their outcomes."""


@dataclass(frozen=True)
class Seen:
    """A run as MLflow has it.

    Attributes
    ----------
    run_id, name : of the run
    experiment : name of its experiment
    deleted : whether it is marked so; one that was purged is not seen at all
    tags : of the run
    """

    run_id: str
    name: str
    experiment: str
    deleted: bool
    tags: Mapping[str, str]


def deleted_words(run_id: str) -> str:
    """Say of a run that it is only marked deleted, and the way back."""
    return f"deleted in MLflow; restore with `mlflow runs restore --run-id {run_id}`"


def experiment_names() -> list[str]:
    """List the experiments that are not deleted."""
    import mlflow

    return [each.name for each in mlflow.MlflowClient().search_experiments()]


def runs_of(tag: str, value: str) -> list[Seen]:
    """List all runs with a tag in all experiments, deleted ones too."""
    return _runs(f"tags.`{tag}` = '{value}'")


def trials_seen() -> list[Seen]:
    """List all runs that say they are trials, of whatever family, deleted ones too."""
    return [each for each in _runs("tags.`family_id` != ''") if each.tags.get("job") in JOBS]


def _runs(wanted: str) -> list[Seen]:
    import mlflow
    from mlflow.entities import ViewType

    client = mlflow.MlflowClient()
    experiments = {each.experiment_id: each.name for each in client.search_experiments(view_type=ViewType.ALL)}
    found: list[Seen] = []
    token: str | None = None
    while True:
        page = client.search_runs(list(experiments), wanted, ViewType.ALL, max_results=1000, page_token=token)
        found += [_seen(run, experiments[run.info.experiment_id]) for run in page]
        token = page.token
        if not token:
            return found


def run_seen(run_id: str) -> Seen | None:
    """Give a run; None where MLflow does not know it."""
    import mlflow

    try:
        run = mlflow.get_run(run_id)
    except mlflow.MlflowException:
        return None
    return _seen(run, mlflow.get_experiment(run.info.experiment_id).name)


def _seen(run: "Run", experiment: str) -> Seen:
    return Seen(run.info.run_id, str(run.info.run_name), experiment, run.info.lifecycle_stage == "deleted", run.data.tags)


def sealed_file(run_id: str) -> Path:
    """Fetch the sealed file of a run, unread.

    Raises
    ------
    JobError
        Where MLflow cannot give it.
    """
    import mlflow

    try:
        return Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=SEALED))
    except (mlflow.MlflowException, OSError) as error:
        raise JobError(f"lock-box of run {run_id}: '{SEALED}' cannot be read: {' '.join(str(error).split())}; restore the run") from None


def refuse_deleted(run_id: str) -> None:
    """Refuse to open the lock-box of a run that is marked deleted: nothing could be written on it.

    Raises
    ------
    JobError
        Where it is.
    """
    run = run_seen(run_id)
    if run is not None and run.deleted:
        raise JobError(f"lock-box of run {run_id}: the run is {deleted_words(run_id)}")


def tag_unsealed(run_id: str) -> None:
    """Say on a run that its lock-box was opened."""
    import mlflow

    mlflow.MlflowClient().set_tag(run_id, "lockbox_opened", "true")
