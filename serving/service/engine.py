"""The model that a worker serves: loaded once in its process, by the code that was logged with it, and checked before it answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.errors import ServingError


@dataclass(frozen=True)
class Served:
    """Which model answers.

    Attributes
    ----------
    name, version : as it is registered
    run_id : of the training
    code_hash : of the code that travels with it
    """

    name: str
    version: str
    run_id: str
    code_hash: str


@dataclass(frozen=True)
class Engine:
    """A model that may serve.

    Attributes
    ----------
    served : which one
    scorer : of the model, `models.scoring.Scorer` of the code that was logged
    facts : that training stored with it
    """

    served: Served
    scorer: Any
    facts: dict[str, Any]


def load_engine(name: str, version: str, folder: Path) -> Engine:
    """Load a version; the first thing a worker does, so that the logged code comes before any other.

    Parameters
    ----------
    name, version : as it is registered
    folder : with its files

    Raises
    ------
    ServingError
        Where it cannot be loaded, or answers its logged example otherwise.
    """
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    called = f"version {version} of '{name}'"
    try:
        loaded = mlflow.pyfunc.load_model(str(folder))
    except (MlflowException, OSError, ImportError, ValueError) as error:
        raise ServingError(f"{called} cannot be loaded: {(str(error).strip().splitlines() or [type(error).__name__])[0]}") from None
    inner = loaded.unwrap_python_model()
    fault = inner.answers_its_example() if hasattr(inner, "answers_its_example") else "it was logged before models had one: train anew"
    if fault:
        raise ServingError(f"{called} must answer its example first: {fault}")
    told = loaded.metadata
    return Engine(Served(name, version, str(told.run_id), str((told.metadata or {}).get("code_hash", ""))), inner.scorer, inner.facts)
