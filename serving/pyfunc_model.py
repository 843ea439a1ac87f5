"""The entry file of the logged model: reads the parts, hands rows to the one scoring function."""

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from models.errors import ScoringError
from models.parts import Parts, put_together
from models.scoring import Scorer

TRUSTED = ["sklearn.calibration._CalibratedClassifier"]
"""Types of the classifier's file beyond those skops trusts by itself; anything else is refused."""


SAME = 1e-12
"""Relative difference up to which two answers are the same: another machine may round otherwise."""


class RegimeModel(PythonModel):
    """Regime probabilities and forward-return distributions of feature rows."""

    scorer: Scorer
    facts: dict[str, Any]
    example: tuple[pd.DataFrame, pd.DataFrame] | None

    def load_context(self, context: PythonModelContext) -> None:
        """Read the parts that were logged; no pickle is involved."""
        files = {name: Path(path) for name, path in context.artifacts.items()}
        with np.load(files["arrays"], allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        values = json.loads(files["scorer"].read_text(encoding="utf-8"))
        estimator = None
        if "estimator" in files:
            import skops.io

            estimator = skops.io.load(files["estimator"], trusted=TRUSTED)
        self.scorer = put_together(Parts(values, arrays, pd.read_parquet(files["published"]), estimator))
        example = [pd.read_parquet(files[name]) for name in ("example", "example_answers") if name in files]
        self.example = (example[0], example[1]) if len(example) == 2 else None
        self.facts = json.loads(files["facts"].read_text(encoding="utf-8"))

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Score rows: a `session` column and the feature columns (`models.scoring.Scorer.score`)."""
        try:
            return self.scorer.score(model_input)
        except ScoringError as error:  # MLflow's server hides every other error from the one who asked
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from error

    def answers_its_example(self) -> str:
        """Answer the example that was logged; say where the answer is another than then, empty where it is the same."""
        if self.example is None:
            return "it was logged without an example: train anew"
        rows, expected = self.example
        try:
            answers = self.scorer.score(rows)
        except ScoringError as error:
            return f"it cannot answer its own example: {error}"
        other = [name for name in expected if name not in answers or not _same(answers[name], expected[name])]
        return f"it answers its own example otherwise than when it was logged ('{other[0]}' and {len(other) - 1} more)" if other else ""

    def features_of(self, market: Any) -> Any:
        """Make features and their quality with the code the model was trained with.

        Parameters
        ----------
        market : features.market.Market
        """
        from features.matrix import features_with_quality

        return features_with_quality(market)

    def rows_of(self, values: pd.DataFrame) -> pd.DataFrame:
        """Take the rows and columns that the model reads from a feature matrix."""
        rows = values.rename_axis("session").reset_index()
        begin = self.scorer.published["session"].iloc[0]
        rows = rows[rows["session"] >= begin]
        if not len(rows):
            raise ScoringError(f"the market ends before {begin:%Y-%m-%d}, the first session the model knows")
        return pd.DataFrame(rows[["session", *self.scorer.columns]])


def _same(now: pd.Series, then: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(then):
        return bool(np.allclose(now.to_numpy(dtype=np.float64), then.to_numpy(dtype=np.float64), rtol=SAME, atol=0.0, equal_nan=True))
    return bool(((now == then) | (now.isna() & then.isna())).all())


mlflow.models.set_model(RegimeModel())
