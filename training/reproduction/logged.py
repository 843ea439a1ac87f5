"""What a run logged, read back from MLflow."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from training.config import TrainConfig, explain, told
from training.errors import JobError
from training.ledger.seen import deleted_words
from training.reproduction.inputs import INPUTS_FILE
from training.reproduction.other_jobs import refuse_other_job

SHORT_ID = 8
"""Characters of an id that are enough to name a run."""


@dataclass(frozen=True)
class Logged:
    """A finished run.

    Attributes
    ----------
    run_id, name : as in MLflow
    config : as it was resolved
    inputs : of `training.reproduction.inputs.gather_inputs`
    metrics : headline metrics
    evaluation : folder of its files
    """

    run_id: str
    name: str
    config: TrainConfig
    inputs: Mapping[str, Any]
    metrics: Mapping[str, float]
    evaluation: Path


def load_logged(name: str, experiment: str) -> Logged:
    """Read a run back.

    Parameters
    ----------
    name : of the run, its id or the beginning of it
    experiment : that it is looked for in

    Raises
    ------
    JobError
        If there is no such run, or it is no training, or it did not finish, or it logged no inputs.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    run = _find(name, experiment)
    refuse_other_job(run.info.run_id, name, experiment, run.data.tags)
    if run.info.status != "FINISHED":
        raise JobError(f"reproduce: run '{name}' is {run.info.status}; rule: only a finished run has numbers to compare with")
    try:
        folder = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="evaluation"))
        inputs = json.loads((folder / INPUTS_FILE).read_text("utf-8"))
        config = TrainConfig.model_validate_json((folder / "config.json").read_text("utf-8"))
    except (MlflowException, OSError, json.JSONDecodeError) as error:
        raise JobError(
            f"reproduce: run '{name}' cannot be read back: {' '.join(str(error).split())}; name a run of train or backtest"
        ) from None
    except ValidationError as error:
        raise JobError(f"reproduce: run '{name}' was made by another version: {told(explain('config.json', error))}") from None
    return Logged(run.info.run_id, str(run.info.run_name), config, inputs, dict(run.data.metrics), folder)


def _find(name: str, experiment: str) -> Any:
    import mlflow
    from mlflow.entities import ViewType

    found = mlflow.get_experiment_by_name(experiment)
    runs = mlflow.search_runs([found.experiment_id], run_view_type=ViewType.ALL, output_format="list") if found else []
    named = [run for run in runs if name in (run.info.run_id, run.info.run_name)]
    if not named and len(name) >= SHORT_ID:
        named = [run for run in runs if run.info.run_id.startswith(name)]
    deleted = [run for run in named if run.info.lifecycle_stage == "deleted"]
    named = [run for run in named if run not in deleted]
    if deleted and not named:
        run_id = deleted[0].info.run_id
        raise JobError(f"reproduce: run '{deleted[0].info.run_name}' ({run_id[:SHORT_ID]}) is {deleted_words(run_id)}")
    if len(named) == 1:
        return named[0]
    ids = ", ".join(run.info.run_id[:SHORT_ID] for run in named)
    fault = f"names {len(named)} runs ({ids}); use an id" if named else "is no run there; `mlflow ui` and `appetite compare` list them"
    raise JobError(f"reproduce: '{name}' in experiment '{experiment}' {fault}")


def note_reproduction(run_id: str, words: str) -> None:
    """Write on the run what came of making it again."""
    import mlflow

    mlflow.MlflowClient().set_tag(run_id, "reproduced", words)
