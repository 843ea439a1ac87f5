"""A comparison leaves a run of its own in MLflow, with links to the runs it compared; it is no trial."""

import tempfile
from pathlib import Path

import mlflow

from serving.output import write_table, write_text
from serving.words import is_missing
from training.comparison.compare import Comparison
from training.comparison.screen import placed
from training.tracking import LONGEST_TAG, RunHandle, open_run

JOB = "compare"
NOTE = "mlflow.note.content"
"""The tag that MLflow shows as a run's description."""


def log_comparison(comparison: Comparison, experiment: str, html: str) -> RunHandle:
    """Log tables, page and few numbers; runs are found from it by link, and it from the tag `family_id`.

    Parameters
    ----------
    html : the page
    """
    choice = comparison.choice
    ids = ",".join(dict.fromkeys(each.run_id for each in choice.shown))
    tags = {
        "job": JOB,
        "family_id": choice.family_id,
        "market": choice.shown[-1].trial.market,
        "simulated": str(comparison.simulated).lower(),
        "best": comparison.best or "none",
        "verdict": comparison.verdict()[:LONGEST_TAG],
        "compared": ids[:LONGEST_TAG],
    }
    with open_run(None, tags, f"compare {choice.family_id}, {len(choice.shown)} runs", experiment=experiment) as run:
        mlflow.set_tag(NOTE, _links(comparison)[:LONGEST_TAG])
        tested = comparison.runs[comparison.runs["trial"] >= 0]
        numbers = {
            "n_trials": choice.n,
            "n_effective": comparison.verdicts.n_effective,
            "lowest_p_adjusted": tested["p_adjusted"].min(),
            "lowest_crps_ratio": tested["crps_ratio"].min(),
        }
        mlflow.log_metrics({name: float(value) for name, value in numbers.items() if not is_missing(value)})
        with tempfile.TemporaryDirectory() as folder:
            write_files(comparison, html, Path(folder) / "comparison")
            mlflow.log_artifacts(folder)
    return run


def write_files(comparison: Comparison, html: str, out: Path) -> list[Path]:
    """Write OUT.csv (runs), OUT-cells.csv (by asset and horizon) and OUT.html."""
    runs, cells, shown = (out.with_name(out.name + ending) for ending in (".csv", "-cells.csv", ".html"))
    write_table(placed(comparison.runs), runs)
    write_table(comparison.cells, cells)
    write_text(html, shown)
    return [runs, cells, shown]


def _links(comparison: Comparison) -> str:
    client = mlflow.MlflowClient()
    places = {each.name: each.experiment_id for each in client.search_experiments()}
    rows = comparison.runs[comparison.runs["trial"] >= 0]
    place = {each.run_id: places.get(each.experiment, "0") for each in comparison.choice.shown}
    named = zip(map(str, rows["name"]), map(str, rows["run_id"]), strict=True)
    lines = [f"- [{name}](#/experiments/{place[run_id]}/runs/{run_id})" for name, run_id in named]
    return "\n".join([comparison.verdict(), "", *lines])
