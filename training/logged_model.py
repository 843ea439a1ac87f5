"""Logging a model from code: no pickle, explicit requirements, checked in a fresh process before it counts."""

import hashlib
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from models.classifier import RegimeClassifier
from models.scoring import Scorer
from training.artefact import write_artefact
from training.errors import JobError

ROOT = Path(__file__).resolve().parent.parent
CODE = ("models", "features")
REQUIREMENTS = ("mlflow", "numpy", "pandas", "scipy", "pyarrow", "pandera")
CLASSIFIER_REQUIREMENTS = ("scikit-learn", "skops")
EXAMPLE_ROWS = 3

CHECK = """
import json, sys
import mlflow.pyfunc, pandas as pd
rows = pd.read_parquet(sys.argv[2])
mlflow.pyfunc.load_model(sys.argv[1]).predict(rows).to_parquet(sys.argv[3])
"""


def code_hash() -> str:
    """Hash of the code that travels with a model."""
    digest = hashlib.sha256()
    for path in sorted(p for folder in CODE for p in (ROOT / folder).rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def example_rows(scorer: Scorer, features: pd.DataFrame) -> pd.DataFrame:
    """The last training rows, and the newest one again as the next session, which the filter has to answer."""
    rows = features[list(scorer.columns)].iloc[-EXAMPLE_ROWS:]
    to_come = rows.iloc[[-1]].set_axis(scorer.calendar[:1])
    return pd.concat([rows, to_come]).rename_axis("session").reset_index()


def log_model(scorer: Scorer, facts: dict[str, Any], features: pd.DataFrame) -> str:
    """Log the model to the open run and return its URI.

    Raises
    ------
    JobError
        If a fresh process, started in an empty folder, does not give the same answers.
    """
    import mlflow
    from mlflow.models import infer_signature

    example = example_rows(scorer, features)
    answers = scorer.score(example)
    requirements = (*REQUIREMENTS, *(CLASSIFIER_REQUIREMENTS if isinstance(scorer.regime, RegimeClassifier) else ()))
    with tempfile.TemporaryDirectory() as folder:
        files = write_artefact(Path(folder), scorer, facts) | write_example(Path(folder), example, answers)
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(ROOT / "serving" / "pyfunc_model.py"),
            artifacts=files,
            code_paths=[str(ROOT / each) for each in CODE],
            pip_requirements=[f"{name}=={version(name)}" for name in requirements],
            signature=infer_signature(_as_double(example), answers),
            metadata={"code_hash": code_hash(), "trained_to": facts["trained_to"], "simulated": facts["market"]["simulated"]},
        )
        check_in_fresh_process(info.model_uri, example, answers)
    return str(info.model_uri)


def write_example(folder: Path, rows: pd.DataFrame, answers: pd.DataFrame) -> dict[str, str]:
    """Write what a process that loads the model must answer before it may serve; returns the files by the names they are logged under."""
    files = {"example": folder / "example.parquet", "example_answers": folder / "example_answers.parquet"}
    for table, path in zip((rows, answers), files.values(), strict=True):
        table.to_parquet(path)
    return {name: str(path) for name, path in files.items()}


def _as_double(example: pd.DataFrame) -> pd.DataFrame:
    return example.astype({c: "float64" for c in example if c != "session"})


def check_in_fresh_process(uri: str, rows: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Score `rows` in a new process that starts in an empty folder, so that only the logged code can answer."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "rows.parquet", Path(folder) / "answers.parquet"
        empty = Path(folder) / "empty"
        empty.mkdir()
        rows.to_parquet(asked)
        command = [sys.executable, "-W", "ignore", "-c", CHECK, uri, str(asked), str(answered)]
        done = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no word"])[-1]
            raise JobError(f"the logged model does not load in a fresh process: {last}")
        try:
            pd.testing.assert_frame_equal(pd.read_parquet(answered), expected, check_exact=False, rtol=1e-12, atol=0, check_dtype=False)
        except AssertionError as difference:
            raise JobError(f"the logged model answers differently in a fresh process: {' '.join(str(difference).split())}") from None
