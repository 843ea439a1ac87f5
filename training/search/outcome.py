"""What a search leaves in MLflow, on the screen and as a config."""

import json
import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from serving.output import as_records, write_text
from serving.words import p_value, signed
from training.book import SERVED, lock_away
from training.config import TrainConfig
from training.search.space import SearchConfig
from training.search.tries import OBJECTIVE

if TYPE_CHECKING:
    from training.search.search import Found

SHOWN = 10
"""Candidates that the screen lists, best on the tuning rows first."""


def log_found(found: "Found", search: SearchConfig) -> None:
    """Log the table of candidates, the choices, the losses of the procedure and the config that it ends with."""
    import mlflow

    mlflow.log_params({f"search.{key}": str(value) for key, value in search.model_dump().items() if key != "space"})
    served = found.skill[found.skill["rung"] == SERVED] if len(found.skill) else found.skill
    numbers = {
        "candidates": float(len(found.tried)),
        "changes": float(changes(found)),
        f"best_{OBJECTIVE}": float(found.tried[OBJECTIVE].min()),
        "crps_skill_mean": float(served["crps_skill"].mean()) if len(served) else float("nan"),
    }
    mlflow.log_metrics({name: value for name, value in numbers.items() if pd.notna(value)})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lock_away(found.losses)[0].to_parquet(folder / "oos_losses.parquet")
        found.tried.to_csv(folder / "candidates.csv", index=False)
        found.skill.to_csv(folder / "skill.csv", index=False)
        choices_table(found).to_csv(folder / "choices.csv", index=False)
        (folder / "search.json").write_text(json.dumps(search.model_dump(mode="json"), indent=1), encoding="utf-8")
        (folder / "best.yaml").write_text(config_text(found.best), encoding="utf-8")
        mlflow.log_artifacts(name, "evaluation")


def changes(found: "Found") -> int:
    """Count how often the candidate in force changed."""
    numbers = [each.candidate for each in found.choices[1:]]
    return sum(a != b for a, b in pairwise(numbers))


def choices_table(found: "Found") -> pd.DataFrame:
    """List what was chosen when, and how it had done by then."""
    return pd.DataFrame([vars(each) for each in found.choices])


def config_text(config: TrainConfig) -> str:
    """Write a config as a file that `appetite train --config` takes."""
    return yaml.safe_dump(config.model_dump(mode="python"), sort_keys=False, width=140)


def write_best(found: "Found", path: Path) -> Path:
    """Write the config that the search ends with."""
    write_text(config_text(found.best), path)
    return path


def render_found(found: "Found", search: SearchConfig, market: Mapping[str, Any]) -> str:
    """Lay the outcome out for a terminal."""
    keys = list(search.space)
    ranked = found.tried.sort_values(OBJECTIVE, kind="stable")
    lines = ["SIMULATED market"] if market["simulated"] else []
    lines += [
        f"search on market '{market['name']}': {len(found.tried)} candidates, each a trial of its own; sampler {search.sampler}",
        f"tuning rows: outcomes known before {found.split:%Y-%m-%d}. CRPS relative to the expanding mean's, smaller is better",
        "",
        f"{'':>4}{'CRPS ratio':>11}  " + "  ".join(f"{key.rpartition('.')[2]:>12}" for key in keys),
    ]
    for row in ranked.head(SHOWN).to_dict("records"):
        lines.append(f"{row['candidate']:>4}{row[OBJECTIVE]:>11.4f}  " + "  ".join(f"{_short(row[key]):>12}" for key in keys))
    if len(ranked) > SHOWN:
        lines.append(f"     and {len(ranked) - SHOWN} more: evaluation/candidates.csv of the run")
    lines += ["", *_judgement(found), "", f"chosen by all judged rows: candidate {found.best_number}", f"run {found.run.run_id}"]
    return "\n".join(lines)


def _judgement(found: "Found") -> list[str]:
    served = found.skill[found.skill["rung"] == SERVED] if len(found.skill) else found.skill
    head = f"the procedure, from {found.split:%Y-%m-%d} on: the candidate in force changed {changes(found)} times"
    if not len(served):
        return [head, "no judged row: nothing can be said of it"]
    table = [f"{'':<6}{'sessions':>8}{'apart':>7}{'best':>6}{'skill':>8}{'p':>11}{'p adj.':>11}  verdict"]
    table += [
        f"{row['asset']:<6}{row['horizon']:>8}{row['n_independent']:>7}{row['best_baseline']:>6}{signed(row['crps_skill']):>8}"
        f"{p_value(row['p']):>11}{p_value(row['p_adjusted']):>11}  {row['verdict']}"
        for row in served.to_dict("records")
    ]
    return [head, *table]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def found_json(found: "Found") -> dict[str, Any]:
    """Give the outcome for machines."""
    served = found.skill[found.skill["rung"] == SERVED] if len(found.skill) else found.skill
    return {
        "run_id": found.run.run_id,
        "candidates": as_records(found.tried),
        "split": f"{found.split:%Y-%m-%d}",
        "choices": as_records(choices_table(found)),
        "skill": as_records(served),
        "best": found.best_number,
        "config": found.best.model_dump(mode="json"),
    }
