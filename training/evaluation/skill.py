"""Out-of-sample skill against the best baseline, with p-values that survive overlap and the size of the grid."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.forecast import BASELINES
from models.inference import Array
from models.scores import covered, r2_oos
from serving.card import LONGEST_CONFIRMED
from serving.words import BEATS, DESCRIPTIVE, INCONCLUSIVE, INFORMED, TOO_FEW
from training.evaluation.overlap import mean_of

MIN_ROWS = 30
"""Non-overlapping rows below which no p-value is given."""

LONGEST_TESTED = 63
"""Horizons beyond this one get no p-value: one decade holds too few of them."""

LEVEL = 0.05


@dataclass(frozen=True)
class Test:
    """Outcome of a test: statistic, one-sided p-value, and the non-overlapping rows it rests on."""

    __test__ = False

    t: float
    p: float
    n: int


def clark_west(y: Array, baseline: Array, forecast: Array, horizon: int) -> Test:
    """Clark and West (2007) test that a nested forecast carries information its baseline lacks, on overlapping targets.

    f = (y - baseline)^2 - [(y - forecast)^2 - (baseline - forecast)^2] is above zero on average. It does not say that the forecast
    as it is has the smaller loss: `smaller_loss` does.

    Returns
    -------
    Test, with p = NaN where fewer than `MIN_ROWS` non-overlapping rows exist, and 1 where the forecasts never differ
    """
    return _above_zero((y - baseline) ** 2 - (y - forecast) ** 2 + (baseline - forecast) ** 2, horizon)


def smaller_loss(baseline: Array, forecast: Array, horizon: int) -> Test:
    """Diebold and Mariano (1995) test that a forecast's losses are smaller than its baseline's, on overlapping targets.

    Parameters
    ----------
    baseline, forecast : losses, row by row
    """
    return _above_zero(baseline - forecast, horizon)


def _above_zero(values: Array, horizon: int) -> Test:
    n = len(values) // horizon
    if n < MIN_ROWS:
        return Test(float("nan"), float("nan"), n)
    found = mean_of(values, horizon)
    return Test(found.t, found.p, n)


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
    DataFrame with asset, horizon, rung, n, n_independent, crps, crps_skill, r2_oos, brier, coverage_80, cw_t, p (Clark-West),
    p_delay1, p_gain (that the CRPS is smaller); for `served` also p_adjusted (family-wise over the confirmed horizons of the
    grid) and verdict
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
    table["p_adjusted"] = holm(table["p"].where(served & (table["horizon"] <= LONGEST_CONFIRMED)))
    table["verdict"] = np.where(served, [_verdict(row) for _, row in table.iterrows()], "")
    return table


def _cell(asset: str, horizon: int, frame: pd.DataFrame) -> list[dict[str, object]]:
    by_rung = {str(rung): part.set_index("session") for rung, part in frame.groupby("rung", sort=False)}
    best = min(BASELINES, key=lambda rung: float(by_rung[rung]["crps"].mean()))
    out: list[dict[str, object]] = []
    for rung, part in by_rung.items():
        y, mean = part["y"].to_numpy(), part["mean"].to_numpy()
        against = [by_rung[base] for base in BASELINES if base != rung]
        informed = [_informed(part, base, "y", horizon) for base in against]
        weakest = max(informed, key=lambda test: -np.inf if np.isnan(test.p) else test.p)
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
                "p": float("nan") if is_baseline else _worst(informed),
                "p_delay1": float("nan") if is_baseline else _worst([_informed(part, base, "y_delay1", horizon) for base in against]),
                "p_gain": float("nan") if is_baseline else _worst([_cheaper(part, base, horizon) for base in against]),
                "base_rate_up": float((y > 0).mean()),
            }
        )
    return out


def _informed(part: pd.DataFrame, base: pd.DataFrame, target: str, horizon: int) -> Test:
    known = part[target].notna().to_numpy()
    if horizon > LONGEST_TESTED:
        return Test(float("nan"), float("nan"), int(known.sum()) // horizon)
    y, baseline, forecast = (series.to_numpy(dtype=np.float64)[known] for series in (part[target], base["mean"], part["mean"]))
    return clark_west(y, baseline, forecast, horizon)


def _cheaper(part: pd.DataFrame, base: pd.DataFrame, horizon: int) -> Test:
    if horizon > LONGEST_TESTED:
        return Test(float("nan"), float("nan"), len(part) // horizon)
    return smaller_loss(base["crps"].to_numpy(), part["crps"].to_numpy(), horizon)


def _worst(tests: list[Test]) -> float:
    """Largest p-value; missing if any is: a win must be shown against every baseline."""
    return float(np.max([test.p for test in tests]))


def _verdict(row: pd.Series) -> str:
    """Judge a win: information that survives the grid, and losses that are smaller indeed."""
    if row["n_independent"] < MIN_ROWS or row["horizon"] > LONGEST_TESTED:
        return TOO_FEW
    if row["horizon"] > LONGEST_CONFIRMED:
        return DESCRIPTIVE
    if not row["p_adjusted"] <= LEVEL:
        return INCONCLUSIVE
    return BEATS if row["p_gain"] <= LEVEL else INFORMED
