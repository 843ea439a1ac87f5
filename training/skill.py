"""Out-of-sample skill against the best baseline, with p-values that survive overlap and the size of the grid."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from models.forecast import BASELINES
from models.inference import Array
from models.scores import covered, r2_oos

MIN_ROWS = 30
"""Non-overlapping rows below which no p-value is given."""

LONGEST_TESTED = 63
"""Horizons beyond this one are descriptive (METHODS 3.4)."""

LEVEL = 0.05
BEATS, INCONCLUSIVE, TOO_FEW = "beats the baseline", "does not beat the baseline", "too few rows to tell"


@dataclass(frozen=True)
class ClarkWest:
    """Outcome of `clark_west`: statistic, one-sided p-value, and the non-overlapping rows it rests on."""

    t: float
    p: float
    n: int


def clark_west(y: Array, baseline: Array, forecast: Array, horizon: int) -> ClarkWest:
    """Clark and West (2007) test that a nested forecast has the smaller mean squared error, on overlapping targets.

    f = (y - baseline)^2 - [(y - forecast)^2 - (baseline - forecast)^2]. The mean of f is taken over all rows; its
    standard error is that of every `horizon`-th row, averaged in variance over the `horizon` ways to begin. Using all
    rows can only make the mean more precise than that, so the test does not exceed its level by the overlap.

    Returns
    -------
    ClarkWest, with p = NaN where fewer than `MIN_ROWS` non-overlapping rows exist, and 1 where the forecasts never differ
    """
    n = len(y) // horizon
    f = (y - baseline) ** 2 - (y - forecast) ** 2 + (baseline - forecast) ** 2
    if n < MIN_ROWS:
        return ClarkWest(float("nan"), float("nan"), n)
    variance = float(np.mean([np.var(f[start::horizon], ddof=1) / len(f[start::horizon]) for start in range(horizon)]))
    if variance <= 0:
        return ClarkWest(0.0, 1.0, n)
    t = float(f.mean() / np.sqrt(variance))
    return ClarkWest(t, float(student.sf(t, n - 1)), n)


def holm(p: pd.Series) -> pd.Series:
    """Family-wise adjusted p-values (Holm 1979); a missing one is not in the family."""
    known = p.dropna().sort_values()
    factor = np.arange(len(known), 0, -1)
    adjusted = np.minimum(np.maximum.accumulate(known.to_numpy() * factor), 1.0)
    return pd.Series(adjusted, index=known.index, dtype=np.float64).reindex(p.index)


def skill_table(losses: pd.DataFrame) -> pd.DataFrame:
    """Skill of each rung and of the served series on the outer rows, one row per asset, horizon and rung.

    A win counts against the best baseline: the p-value is the larger of those against each.

    Parameters
    ----------
    losses : as `training.forecasts.ForecastWalk.losses`

    Returns
    -------
    DataFrame with asset, horizon, rung, n, n_independent, crps, crps_skill, r2_oos, brier, coverage_80, cw_t, p,
    p_delay1; for `served` also p_adjusted (family-wise over the printed grid) and verdict
    """
    judged = losses[losses["outer"].astype(bool)]
    cell_session = [judged[column] for column in ("asset", "horizon", "session")]
    judged = judged[judged["crps"].isna().groupby(cell_session).transform("sum") == 0]  # rungs are compared on the same rows
    rows = [
        _cell(str(frame["asset"].iloc[0]), int(frame["horizon"].iloc[0]), frame)
        for _, frame in judged.groupby(["asset", "horizon"], sort=False)
    ]
    table = pd.DataFrame([row for cell in rows for row in cell])
    if table.empty:
        return table
    served = table["rung"] == "served"
    table["p_adjusted"] = holm(table["p"].where(served))
    table["verdict"] = np.where(served, [_verdict(row) for _, row in table.iterrows()], "")
    return table


def _cell(asset: str, horizon: int, frame: pd.DataFrame) -> list[dict[str, object]]:
    by_rung = {str(rung): part.set_index("session") for rung, part in frame.groupby("rung", sort=False)}
    best = min(BASELINES, key=lambda rung: float(by_rung[rung]["crps"].mean()))
    out: list[dict[str, object]] = []
    for rung, part in by_rung.items():
        y, mean = part["y"].to_numpy(), part["mean"].to_numpy()
        tests = [_test(part, by_rung[base], "y", horizon) for base in BASELINES if base != rung]
        weakest = max(tests, key=lambda test: -np.inf if np.isnan(test.p) else test.p)
        delayed = [_test(part, by_rung[base], "y_delay1", horizon).p for base in BASELINES if base != rung]
        is_baseline = rung in BASELINES
        out.append(
            {
                "asset": asset,
                "horizon": horizon,
                "rung": rung,
                "n": len(part),
                "n_independent": len(part) // horizon,
                "best_baseline": best,
                "crps": float(part["crps"].mean()),
                "crps_skill": 1.0 - float(part["crps"].mean()) / float(by_rung[best]["crps"].mean()),
                "r2_oos": r2_oos(y, mean, by_rung["M0"]["mean"].to_numpy()),
                "brier": float(np.mean((part["p_up"].to_numpy() - (y > 0)) ** 2)),
                "coverage_80": float(covered(part["pit"].to_numpy(), 0.8).mean()),
                "cw_t": float("nan") if is_baseline else weakest.t,
                "p": float("nan") if is_baseline else _worst([test.p for test in tests]),
                "p_delay1": float("nan") if is_baseline else _worst(delayed),
                "base_rate_up": float((y > 0).mean()),
            }
        )
    return out


def _test(part: pd.DataFrame, base: pd.DataFrame, target: str, horizon: int) -> ClarkWest:
    known = part[target].notna().to_numpy()
    if horizon > LONGEST_TESTED:
        return ClarkWest(float("nan"), float("nan"), int(known.sum()) // horizon)
    y, baseline, forecast = (series.to_numpy(dtype=np.float64)[known] for series in (part[target], base["mean"], part["mean"]))
    return clark_west(y, baseline, forecast, horizon)


def _worst(p: list[float]) -> float:
    """Largest p-value; missing if any is: a win must be shown against every baseline."""
    return float(np.max(p))


def _verdict(row: pd.Series) -> str:
    if row["n_independent"] < MIN_ROWS or row["horizon"] > LONGEST_TESTED:
        return TOO_FEW
    won = row["p_adjusted"] <= LEVEL and row["crps_skill"] > 0
    return BEATS if won else INCONCLUSIVE
