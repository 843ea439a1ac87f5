"""What a run leaves in MLflow: tags, parameters, few metrics, files, and the registered model."""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from features.market import Market
from models.degenerate import DegenerateFitWarning
from models.identity import UnsureMatchWarning
from models.scoring import UNIDENTIFIED, Scorer
from serving.words import BEATS
from training.book import SERVED, lock_away
from training.config import TrainConfig
from training.evaluated import Evaluated
from training.ledger.trial import Trial, trial_of
from training.logged_model import ROOT, code_hash, log_model
from training.promotion.decision import Decision
from training.promotion.promote import promote_version
from training.promotion.rules import PromoteConfig
from training.refit_history import refit_history
from training.regimes import schedule
from training.reports.kept import Report
from training.reproduction.inputs import INPUTS_FILE
from training.study import Study, Table
from training.tracking import REGISTERED, RunHandle, flat_params, git_commit, hold_stops, log_steps, tracking_uri
from training.window import judged_window, priced_sessions

CURVE_POINTS = 300
"""Points of a metric that MLflow draws; the full series is an artifact."""

REFIT_SERIES = ("churn", "revision", "renamed", "ambiguous", "order_prob", "gain_z", "sd_ratio")
"""Columns of `training.refit_history.refit_history` that MLflow draws refit by refit."""

TOLD = (DegenerateFitWarning, UnsureMatchWarning)
"""Warnings of a training that are kept with its run."""

Progress = Callable[[str, int, int], None]


def run_tags(market: Market, config: TrainConfig, job: str) -> dict[str, str]:
    """Give the tags that say what a run was: job, market, data, code, seed."""
    return {
        "job": job,
        "market": market.name,
        "simulated": str(market.simulated).lower(),
        "market.note": market.note,
        "data.fingerprint": market.fingerprint(),
        "data.last_session": f"{market.sessions[-1]:%Y-%m-%d}",
        "code.commit": git_commit(ROOT),
        "code.hash": code_hash(),
        "seed": str(config.seed),
        "regime.kind": config.regime.kind,
    }


def make_trial(market: Market, config: TrainConfig, table: Table, job: str) -> Trial:
    """Describe the trial that a job is about to make.

    Parameters
    ----------
    table : features and prices of the market
    job : one of `training.ledger.trial.JOBS`
    """
    sessions = table.features.index
    first = schedule(sessions, config)[1][0]
    judged = judged_window(priced_sessions(table.prices, config), config)
    sealed_from = None if judged is None else judged.lockbox
    return trial_of(market, config, (sessions[first], sessions[-1]), job, (code_hash(), git_commit(ROOT)), sealed_from)


def run_name(market: Market, config: TrainConfig) -> str:
    """Name a run by what tells it from others at a glance."""
    regime = config.regime
    return f"{market.name} {regime.kind} {regime.n_components} seed {config.seed}"


def run_info(run: RunHandle, market: Market, config: TrainConfig) -> dict[str, Any]:
    """Give what the report says of how it was made."""
    return {
        "run_id": run.run_id,
        "experiment": run.experiment,
        "tracking_uri": tracking_uri(),
        "config": config.resolved(),
        "fingerprint": market.fingerprint(),
        "commit": git_commit(ROOT),
        "code_hash": code_hash(),
        "seed": config.seed,
    }


def log_numbers(study: Study, config: TrainConfig, facts: Mapping[str, Any]) -> None:
    """Log the resolved config, few headline metrics, and series by refit."""
    mlflow.log_params(flat_params(config.resolved(), "config."))
    mlflow.log_metrics(headline(study, config, facts))
    refits = study.regimes.refits
    history = refit_history(study.regimes, config.regime.enter, config.regime.leave)
    on = study.regimes.published["p_risk_on"].dropna()
    log_steps(
        {
            **{f"refit_{name}": history[name].tolist() for name in REFIT_SERIES},
            "refit_share_risk_on": [float(each.probs[:, 0].mean()) for each in refits],
            "p_risk_on": on.iloc[:: max(len(on) // CURVE_POINTS, 1)].tolist(),
        }
    )
    mlflow.set_tags(_span(study))


def headline(study: Study, config: TrainConfig, facts: Mapping[str, Any]) -> dict[str, float]:
    """Give the few metrics a run is found by; one without a value is left out (MLflow stores none)."""
    refits = study.regimes.refits
    published = study.regimes.published
    history = refit_history(study.regimes, config.regime.enter, config.regime.leave)
    served = study.skill[study.skill["rung"] == SERVED] if len(study.skill) else study.skill
    numbers = {
        "refits": float(len(refits)),
        "degenerate_share": sum(each.degenerate for each in refits) / len(refits),
        "inverted_refits": float(sum(each.inverted for each in refits)),
        **regime_numbers(history, published),
        "cells_beating_baseline": float((served["verdict"] == BEATS).sum()) if len(served) else 0.0,
        "lowest_p_adjusted": served["p_adjusted"].min() if len(served) else float("nan"),
        "crps_skill_mean": served["crps_skill"].mean() if len(served) else float("nan"),
        "label_brier_gain": facts["regime"].get("label_brier_gain"),
        "coverage_80_mean": served["coverage_80"].mean() if len(served) else float("nan"),
    }
    for row in served.to_dict("records"):
        numbers |= {f"{score}_{row['asset']}_{row['horizon']}": row[score] for score in ("crps_skill", "r2_oos")}
    return {name: float(value) for name, value in numbers.items() if pd.notna(value)}


def regime_numbers(history: pd.DataFrame, published: pd.DataFrame) -> dict[str, float]:
    """Headline numbers of how settled the regime is.

    Parameters
    ----------
    history : as `training.refit_history.refit_history`
    published : of the walk

    Returns
    -------
    dict of churn_median, revision_median and renamed_median over the refits, and of ambiguous_share and named_share over the published
    sessions; NaN where the kind of model has none
    """
    said = published[published["refit"].notna()]
    averaged = said["p_risk_on_spec_lo"].notna().any()
    return {
        **{f"{name}_median": float(history[name].median()) for name in ("churn", "revision", "renamed")},
        "ambiguous_share": float(said["ambiguous"].mean()) if averaged else float("nan"),
        "named_share": float((said["regime"] != UNIDENTIFIED).mean()),
    }


def _span(study: Study) -> dict[str, str]:
    losses = study.forecasts.losses
    outer = losses.loc[losses["outer"].astype(bool), "session"] if len(losses) else pd.Series(dtype="datetime64[us]")
    if not len(outer):
        return {"oos.rows": "0"}
    return {"oos.start": f"{outer.min():%Y-%m-%d}", "oos.end": f"{outer.max():%Y-%m-%d}", "oos.rows": str(outer.nunique())}


def log_files(folder: Path, found: Evaluated, config: TrainConfig, inputs: Mapping[str, Any], report: Report) -> None:
    """Log tables, config, card, inputs, plots and the report, written into `folder` first."""
    evaluation = write_evaluation(folder / "evaluation", found, config)
    (evaluation / INPUTS_FILE).write_text(json.dumps(inputs, indent=1), encoding="utf-8")
    plots = folder / "plots"
    plots.mkdir()
    report.write_plots(plots)
    page = folder / "report.html"
    page.write_text(report.html, encoding="utf-8")
    mlflow.log_artifacts(str(evaluation), "evaluation")
    mlflow.log_artifacts(str(plots), "plots")
    mlflow.log_artifact(str(page))


def write_evaluation(folder: Path, found: Evaluated, config: TrainConfig) -> Path:
    """Write the numbers of a run, as they are logged and as a reproduction of it is compared with them."""
    folder.mkdir()
    for name, table in zip(("oos_losses", "lockbox"), lock_away(found.study.forecasts.losses), strict=True):
        table.to_parquet(folder / f"{name}.parquet")
    found.strategies.returns.to_parquet(folder / "strategy.parquet")
    found.study.skill.to_csv(folder / "skill.csv", index=False)
    found.scorer.published.to_parquet(folder / "published.parquet")
    found.events.to_csv(folder / "events.csv", index=False)
    (folder / "config.json").write_text(json.dumps(config.model_dump(mode="json"), indent=1), encoding="utf-8")
    (folder / "card.json").write_text(json.dumps(found.card, indent=1), encoding="utf-8")
    return folder


def register(scorer: Scorer, facts: dict[str, Any], study: Study, rules: PromoteConfig, progress: Progress) -> tuple[str, Decision]:
    """Log the model, register it, and decide on its promotion."""
    uri = log_model(scorer, facts, study.features)
    progress("record", 3, 4)
    hold_stops()  # from here on the registry changes: a stop must not leave a champion of a run that was killed
    version = str(mlflow.register_model(uri, REGISTERED).version)
    return version, promote_version(version, rules)


def log_warnings(caught: list[warnings.WarningMessage]) -> None:
    """Log the fits that should not be relied on, and names that may have changed their meaning."""
    lines = sorted({str(each.message) for each in caught if issubclass(each.category, TOLD)})
    if lines:
        mlflow.log_text("\n".join(lines), "warnings.txt")
