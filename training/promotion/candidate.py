"""What a run is judged on when it asks to be champion, read back from its evaluation."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from training.book import SERVED
from training.errors import JobError

COLUMNS = ["session", "asset", "horizon", "rung", "y", "crps", "outer"]


@dataclass(frozen=True)
class Candidate:
    """What a promotion is decided on.

    Attributes
    ----------
    losses : of the served series in the walk-forward: `COLUMNS`
    skill : of the walk-forward
    cells : assets and horizons that the run was asked to forecast
    simulated : whether its market is simulated
    market : name of its market
    degenerate_share, churn : of its regime refits; NaN where the run logged none
    refits : how many they were
    label_gain : of a classifier: share of the base rate's Brier score it saves out of sample; NaN if unknown; None for an HMM
    rolled_back : when and why the version was taken back; None if it never was
    """

    losses: pd.DataFrame
    skill: pd.DataFrame
    cells: tuple[tuple[str, int], ...]
    simulated: bool
    market: str
    degenerate_share: float
    churn: float
    refits: int
    label_gain: float | None = None
    rolled_back: str | None = None


def load_candidate(run_id: str) -> Candidate:
    """Read back what a run was judged on.

    Raises
    ------
    JobError
        If the run is not there, or logged none.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        run = mlflow.get_run(run_id)
        folder = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="evaluation"))
        losses = pd.read_parquet(folder / "oos_losses.parquet", columns=COLUMNS, filters=[("rung", "==", SERVED)])
        skill = _read_skill(folder / "skill.csv")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (MlflowException, OSError) as error:
        raise JobError(f"run '{run_id}' has no evaluation to judge by: {' '.join(str(error).split())}") from None
    tags, metrics = run.data.tags, run.data.metrics
    return Candidate(
        losses,
        skill,
        tuple((asset, horizon) for asset in config["assets"] for horizon in config["horizons"]),
        tags.get("simulated") == "true",
        tags.get("market", "unknown"),
        metrics.get("degenerate_share", float("nan")),
        metrics.get("churn_median", float("nan")),
        int(metrics.get("refits", 0)),
        metrics.get("label_brier_gain", float("nan")) if tags.get("regime.kind") == "classifier" else None,
    )


def _read_skill(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:  # no out-of-sample row, so no column either
        return pd.DataFrame()
