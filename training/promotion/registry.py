"""Versions of the registered model: the newest, and the champion."""

from training.errors import JobError
from training.tracking import CHAMPION, REGISTERED

NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow calls a model that is not registered, and an alias that no version carries."""


def champion_version() -> str | None:
    """Version that carries the alias; None where there is none.

    Raises
    ------
    JobError
        If the registry does not answer: that is not to be taken for having no champion.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        return str(mlflow.MlflowClient().get_model_version_by_alias(REGISTERED, CHAMPION).version)
    except MlflowException as error:
        if error.error_code in NOT_THERE:
            return None
        raise JobError(f"registry: it does not say which version is champion ({error.message}); look at MLFLOW_TRACKING_URI") from error


def champion_behind(model: str) -> str | None:
    """Version of the champion where a model URI names it, by alias or number; None for every other model."""
    holder = champion_version()
    named = model in (f"models:/{REGISTERED}@{CHAMPION}", f"models:/{REGISTERED}/{holder}")
    return holder if named else None


def latest_version() -> str:
    """Newest registered version.

    Raises
    ------
    JobError
        If there is none.
    """
    import mlflow

    versions = [int(each.version) for each in mlflow.MlflowClient().search_model_versions(f"name='{REGISTERED}'")]
    if not versions:
        raise JobError(f"promote: the registry has no version of '{REGISTERED}'; run `appetite train` first")
    return str(max(versions))
