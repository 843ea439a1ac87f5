"""The last lines of a job: where the report is, what became of the model, how to look at the run."""

from typing import Any

from training.job import Outcome
from training.tracking import REGISTERED, tracking_uri


def ending(outcome: Outcome) -> str:
    """Say what a job left behind."""
    lines = []
    if outcome.decision is not None:
        verdict = "champion" if outcome.decision.promoted else "not champion"
        lines.append(f"model    {REGISTERED} version {outcome.version}: {verdict} ({outcome.decision.reason})")
    if outcome.refused:
        lines.append(f"model    not registered: the newest regime fit is degenerate ({outcome.refused})")
    lines.append(f"report   {outcome.report}")
    lines.append(f"run      {outcome.run.run_id} in experiment '{outcome.run.experiment}'")
    lines.append(f"look     mlflow ui --backend-store-uri {tracking_uri()}, then open {_page(outcome)}")
    return "\n".join(lines)


def _page(outcome: Outcome) -> str:
    return f"http://127.0.0.1:5000/#/experiments/{outcome.run.experiment_id}/runs/{outcome.run.run_id}"


def ending_json(outcome: Outcome) -> dict[str, Any]:
    """Give card and ending for machines."""
    decision = outcome.decision
    return {
        "card": outcome.card,
        "run_id": outcome.run.run_id,
        "experiment": outcome.run.experiment,
        "report": str(outcome.report),
        "version": outcome.version,
        "promoted": None if decision is None else decision.promoted,
        "labels": None if decision is None or decision.labels is None else decision.labels.words,
        "reason": (outcome.refused or None) if decision is None else decision.reason,
    }
