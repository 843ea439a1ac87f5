"""An empty MLflow store, made once a process: making one takes seconds, copying it none."""

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@cache
def _folder() -> tempfile.TemporaryDirectory:
    folder = tempfile.TemporaryDirectory()  # cached, so it lives as long as the process
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{folder.name}/mlflow.db", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", "from training.tracking import connect; connect()"]
    subprocess.run(command, cwd=folder.name, env=environment, check=True, capture_output=True)
    return folder


def put_store(folder: Path) -> str:
    """Put an empty store into a folder and return its address."""
    shutil.copy(Path(_folder().name) / "mlflow.db", folder / "mlflow.db")
    return f"sqlite:///{folder / 'mlflow.db'}"


@contextmanager
def store_in(folder: Path) -> Iterator[str]:
    """Put an empty store into a folder and make it MLflow's while the block runs; gives its address."""
    uri = put_store(folder)
    with working_in(folder, uri):
        yield uri


@contextmanager
def working_in(folder: Path, uri: str) -> Iterator[None]:
    """Make a folder the current one, where artifacts go, and a store MLflow's."""
    import_mlflow()
    import mlflow

    before = mlflow.get_tracking_uri()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        patch.delenv("MLFLOW_RUN_ID", raising=False)
        mlflow.set_tracking_uri(uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)


def import_mlflow() -> None:
    """Import what MLflow needs for a store: its own use of deprecated things is not ours to mend, and no error here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.store.model_registry.sqlalchemy_store
        import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
