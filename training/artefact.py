"""From a study to what is served: the scorer, the facts that only training knows, and the folder they are stored in."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.answers import QUANTILES, finite_or_missing, forecast_columns, range_columns
from models.average import quantile_range
from models.cell import Cell
from models.classifier import RegimeClassifier
from models.conformal import ENDS
from models.forecast import BASELINES, RUNGS
from models.parts import Parts, take_apart
from models.row_marks import row_marks
from models.scoring import BEFORE, PUBLISHED, Scorer
from serving.words import BEATS
from sources.calendar import sessions as sessions_between
from training.book import SERVED
from training.config import TrainConfig
from training.evaluation.skill import LEVEL
from training.forecasts import REGIME_FEATURE, CellFit, momentum_columns, volatility_column
from training.regimes import names_of
from training.study import Study

CALENDAR_YEARS = 5


def served_rung(cell: CellFit, verdict: str, own_p: float = float("nan")) -> tuple[str, str]:
    """Decide which rung is served, and say why.

    Parameters
    ----------
    cell : newest fit, with the inner walk's choice
    verdict : outcome of the outer walk for the inner walk's choices, which were not always this rung
    own_p : p-value of the chosen rung's own outer walk
    """
    if verdict == BEATS and cell.rung not in BASELINES:
        if own_p <= LEVEL:
            return cell.rung, f"{cell.rung} ({RUNGS[cell.rung]}): beat the best baseline out of sample"
        reason = f"the walk's choices beat it, the newest, {cell.rung}, has not by itself"
        return cell.baseline, f"baseline {cell.baseline} ({RUNGS[cell.baseline]}): {reason}"
    reason = verdict if verdict and verdict != BEATS else "no out-of-sample rows yet" if not verdict else "the inner walk chose it"
    return cell.baseline, f"baseline {cell.baseline} ({RUNGS[cell.baseline]}): {reason}"


def make_scorer(study: Study, config: TrainConfig) -> Scorer:
    """Assemble what is served from the newest refit of everything."""
    refit = study.regimes.refits[-1]
    judged = {
        (str(row["asset"]), int(row["horizon"]), str(row["rung"])): {str(k): v for k, v in row.items()}
        for row in study.skill.to_dict("records")
    }
    cells = tuple(_cell(asset, horizon, fit, judged) for (asset, horizon), fit in study.forecasts.last.items())
    held = bool(study.regimes.held)
    calendar = sessions_between(study.features.index[-1], study.features.index[-1] + pd.DateOffset(years=CALENDAR_YEARS))[1:]
    scorer = Scorer(
        regime=refit.model,
        names=names_of(refit.model),
        identified=refit.identified,
        enter=config.regime.enter,
        leave=config.regime.leave,
        cells=cells,
        published=pd.DataFrame(),
        last_state=refit.states[-1],
        held=held,
        calendar=calendar,
    )
    spread = (np.full(len(study.features) - refit.position, np.nan),) * 2
    paths = study.ensemble_states
    if paths is not None:
        scorer = replace(scorer, ensemble=study.ensemble, last_ensemble=paths[-1])
        spread = quantile_range(paths[refit.position - study.regimes.first :])
    return replace(scorer, published=_published(study, scorer, spread), marks=row_marks(study.features[list(scorer.columns)]))


def _cell(asset: str, horizon: int, fit: CellFit, judged: Mapping[tuple[str, int, str], Mapping[str, Any]]) -> Cell:
    choices, own = judged.get((asset, horizon, SERVED), {}), judged.get((asset, horizon, fit.rung), {})
    rung, why = served_rung(fit, str(choices.get("verdict", "")), float(own.get("p", np.nan)))
    features = tuple(None if column == REGIME_FEATURE else column for column in fit.features)
    return Cell(asset, horizon, fit.ladder, rung, why, volatility_column(asset), momentum_columns(asset), features, fit.half_width)


def _published(study: Study, scorer: Scorer, spread: tuple[np.ndarray, np.ndarray]) -> pd.DataFrame:
    """What was said on each session: the walk's own answers, and on the last session the answer that is served from now on."""
    walk = study.regimes
    table = walk.published.drop(columns="refit")
    said = table[f"p_{scorer.names[0]}"].notna()
    out = pd.DataFrame({"session": np.asarray(table.index, dtype="datetime64[us]")})
    out["status"] = np.where(said, PUBLISHED, BEFORE)
    out["regime"] = table["regime"].to_numpy()
    for name in scorer.names:
        out[f"p_{name}"] = table[f"p_{name}"].to_numpy()
    for end, values in zip(("lo", "hi"), spread, strict=True):
        out[f"p_{scorer.names[0]}_{end}"] = np.concatenate([np.full(len(out) - len(values), np.nan), values])
    for column in [c for c in range_columns(scorer.names[0], None, None, 0) if c not in out]:
        out[column] = table[column].to_numpy()
    out = pd.concat([out, *(_published_cell(study, cell) for cell in scorer.cells)], axis=1)
    return _last_answer(out, study, scorer)


def _published_cell(study: Study, cell: Cell) -> pd.DataFrame:
    losses = study.forecasts.losses
    rows = losses[(losses["rung"] == SERVED) & (losses["asset"] == cell.asset) & (losses["horizon"] == cell.horizon)].set_index("session")
    rows = rows.reindex(study.features.index)
    out = {f"{cell.prefix}_{name}": rows[name].to_numpy() for name in QUANTILES}
    out |= {f"{cell.prefix}_{name}": finite_or_missing(rows[name].to_numpy()) for name in ENDS}
    out[f"{cell.prefix}_p_up"] = rows["p_up"].to_numpy()
    said = "walk-forward: " + rows["chosen"].astype("str")
    out[f"{cell.prefix}_served_by"] = said.where(rows["chosen"].notna()).to_numpy()
    return pd.DataFrame(out)


def _last_answer(table: pd.DataFrame, study: Study, scorer: Scorer) -> pd.DataFrame:
    at = len(table) - 1
    probs = scorer.regime.proba(scorer.last_state[None])
    table.loc[at, "regime"] = scorer.call(probs, [scorer.held])[0]
    for cell, forecast in scorer.forecasts(study.features.iloc[[-1]], probs):
        for column, value in forecast_columns(cell.prefix, forecast, [cell.served_by], cell.half_width).items():
            table.loc[at, column] = value[0]
    return table


def write_artefact(folder: Path, scorer: Scorer, facts: dict[str, Any]) -> dict[str, str]:
    """Write a scorer and its facts without pickle; returns the files by the names they are logged under."""
    parts: Parts = take_apart(scorer)
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "scorer": folder / "scorer.json",
        "arrays": folder / "arrays.npz",
        "published": folder / "published.parquet",
        "facts": folder / "facts.json",
    }
    files["scorer"].write_text(json.dumps(parts.values, indent=1), encoding="utf-8")
    np.savez(files["arrays"], allow_pickle=False, **parts.arrays)
    parts.published.to_parquet(files["published"])
    files["facts"].write_text(json.dumps(facts, indent=1), encoding="utf-8")
    if isinstance(scorer.regime, RegimeClassifier):
        import skops.io

        files["estimator"] = folder / "classifier.skops"
        skops.io.dump(parts.estimator, files["estimator"])
    return {name: str(path) for name, path in files.items()}
