"""Out-of-sample skill against the best baseline, with p-values that survive overlap and the size of the grid."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.forecast import BASELINES
from models.scores import covered, r2_oos
from serving.card import LONGEST_CONFIRMED
from serving.words import BEATS, DESCRIPTIVE, INCONCLUSIVE, INFORMED, TOO_FEW
from training.book import SERVED
from training.evaluation.family import family_wise
from training.evaluation.forecast_tests import adjusted_gain
from training.evaluation.identical import same_losses
from training.evaluation.offsets import MIN_ROWS, mean_over_offsets
from training.evaluation.overlap import mean_of
from training.evaluation.pit import pit_test

LONGEST_TESTED = 63
"""Horizons beyond this one get no p-value: one decade holds too few of them."""

LEVEL = 0.05
PINBALLS = ("pinball_05", "pinball_25", "pinball_50", "pinball_75", "pinball_95")
TAIL = 0.1
"""Outside each end of the interval that the interval score judges: the central 80%."""


@dataclass(frozen=True)
class Comparison:
    """One forecast against the baseline that it has most trouble with.

    Attributes
    ----------
    t, p : mean over offsets of the statistic, one-sided p-value; NaN where refused
    p_overlap : the same by all rows (`training.evaluation.overlap`)
    gains : whose means were tested, by session, a column a baseline; None where refused
    """

    t: float = float("nan")
    p: float = float("nan")
    p_overlap: float = float("nan")
    gains: pd.DataFrame | None = None


def skill_table(losses: pd.DataFrame) -> pd.DataFrame:
    """Skill of each rung and of the served series on the outer rows, one row per asset, horizon and rung.

    A win counts against the best baseline: the p-value is the largest of those against each. None is computed against a baseline
    with the same losses, nor on fewer than 30 rows that do not overlap.

    Parameters
    ----------
    losses : as `training.forecasts.ForecastWalk.losses`

    Returns
    -------
    DataFrame with asset, horizon, rung, n, n_independent, best_baseline, crps, crps_skill, r2_oos, brier, coverage_80, log_score,
    pinball (mean of the five), interval_score (of the central 80%, on the served series; the three NaN where the losses lack them),
    cw_t, p (Clark-West, every h-th row), p_overlap (the same, all rows), p_delay1, p_gain (that the CRPS is smaller), ks_p,
    berkowitz_p, base_rate_up, note (why there is no p-value); for `served` also p_adjusted (family-wise over the confirmed horizons
    of the grid) and verdict
    """
    judged = losses[losses["outer"].astype(bool)]
    cell_session = [judged[column] for column in ("asset", "horizon", "session")]
    judged = judged[judged["crps"].isna().groupby(cell_session).transform("sum") == 0]  # rungs are compared on the same rows
    rows: list[dict[str, object]] = []
    family: dict[int, pd.DataFrame] = {}
    for _, frame in judged.groupby(["asset", "horizon"], sort=False):
        horizon = int(frame["horizon"].iloc[0])
        cell, gains = _cell(str(frame["asset"].iloc[0]), horizon, frame)
        family |= {len(rows) + place: gain for place, gain in gains.items() if horizon <= LONGEST_CONFIRMED}
        rows += cell
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    table["p_adjusted"] = family_wise(table["p"], family, LONGEST_CONFIRMED)
    served = table["rung"] == SERVED
    table["verdict"] = np.where(served, [_verdict(row) for _, row in table.iterrows()], "")
    return table


def _cell(asset: str, horizon: int, frame: pd.DataFrame) -> tuple[list[dict[str, object]], dict[int, pd.DataFrame]]:
    """Rows of one asset and horizon, and what was tested of the served one, by its place among them."""
    by_rung = {str(rung): part.set_index("session") for rung, part in frame.groupby("rung", sort=False)}
    best = min(BASELINES, key=lambda rung: float(by_rung[rung]["crps"].mean()))
    out: list[dict[str, object]] = []
    tested: dict[int, pd.DataFrame] = {}
    for rung, part in by_rung.items():
        against = {} if rung in BASELINES else {base: by_rung[base] for base in BASELINES}
        note = _note(part, against, horizon)
        informed = _hardest(part, against, _information("y"), horizon, note)
        late = _hardest(part, against, _information("y_delay1"), horizon, note)
        cheaper = _hardest(part, against, _saving, horizon, note)
        pit = pit_test(part["pit"].to_numpy(), horizon)
        if rung == SERVED and informed.gains is not None:
            tested[len(out)] = informed.gains
        out.append(
            {"asset": asset, "horizon": horizon, "rung": rung, "n": len(part), "n_independent": len(part) // horizon, "best_baseline": best}
            | _scores(part, by_rung[best], by_rung["M0"])
            | {"cw_t": informed.t, "p": informed.p, "p_overlap": informed.p_overlap, "p_delay1": late.p, "p_gain": cheaper.p}
            | {"ks_p": pit.ks_p, "berkowitz_p": pit.berkowitz_p, "base_rate_up": float((part["y"] > 0).mean()), "note": note}
        )
    return out, tested


def _scores(part: pd.DataFrame, best: pd.DataFrame, mean: pd.DataFrame) -> dict[str, float]:
    y, own = part["y"].to_numpy(), float(part["crps"].mean())
    there = all(name in part for name in PINBALLS)
    return {
        "crps": own,
        "crps_skill": 1.0 - own / float(best["crps"].mean()),
        "r2_oos": r2_oos(y, part["mean"].to_numpy(), mean["mean"].to_numpy()),
        "brier": float(np.mean((part["p_up"].to_numpy() - (y > 0)) ** 2)),
        "coverage_80": float(covered(part["pit"].to_numpy(), 0.8).mean()),
        "log_score": float(part["log_score"].mean()) if "log_score" in part else float("nan"),
        "pinball": float(np.mean(part[list(PINBALLS)].to_numpy())) if there else float("nan"),
        "interval_score": _interval_score(part) if {"lo80", "hi80"} <= set(part.columns) else float("nan"),
    }


def _interval_score(part: pd.DataFrame) -> float:
    """Width of the 80% interval, and 10 times what an outcome misses it by (Gneiting and Raftery 2007, equation 43)."""
    y, low, high = (part[name].to_numpy(dtype=np.float64) for name in ("y", "lo80", "hi80"))
    return float(np.mean(high - low + (np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0)) / TAIL))


def _note(part: pd.DataFrame, against: dict[str, pd.DataFrame], horizon: int) -> str:
    """Why there is no p-value; empty where there is, and for baselines."""
    same = [base for base, other in against.items() if same_losses(part["crps"].to_numpy(), other["crps"].to_numpy())]
    if same:
        return f"same as {same[0]}"
    if against and horizon > LONGEST_TESTED:
        return f"beyond {LONGEST_TESTED} sessions"
    return f"fewer than {MIN_ROWS} rows that do not overlap" if against and len(part) < MIN_ROWS * horizon else ""


def _information(target: str) -> Callable[[pd.DataFrame, pd.DataFrame], pd.Series]:
    def gains(part: pd.DataFrame, base: pd.DataFrame) -> pd.Series:
        known = part[target].notna()
        y, baseline, forecast = (each[known].to_numpy(dtype=np.float64) for each in (part[target], base["mean"], part["mean"]))
        return pd.Series(adjusted_gain(y, baseline, forecast), index=part.index[known])

    return gains


def _saving(part: pd.DataFrame, base: pd.DataFrame) -> pd.Series:
    return base["crps"] - part["crps"]


def _hardest(
    part: pd.DataFrame,
    against: dict[str, pd.DataFrame],
    gains_of: Callable[[pd.DataFrame, pd.DataFrame], pd.Series],
    horizon: int,
    note: str,
) -> Comparison:
    """Test against each baseline and keep the largest p-value: a win must be shown against every one."""
    if note or not against:
        return Comparison()
    tried = {base: gains_of(part, other) for base, other in against.items()}
    tests = {base: mean_over_offsets(gains.to_numpy(), horizon) for base, gains in tried.items()}
    if any(np.isnan(test.p) for test in tests.values()):
        return Comparison()
    hardest = max(tests, key=lambda base: tests[base].p)
    overlap = max(mean_of(gains.to_numpy(), horizon).p for gains in tried.values())
    return Comparison(tests[hardest].t, tests[hardest].p, overlap, pd.DataFrame(tried))


def _verdict(row: pd.Series) -> str:
    """Judge a win: information that survives the grid, and losses that are smaller indeed."""
    if row["n_independent"] < MIN_ROWS or row["horizon"] > LONGEST_TESTED:
        return TOO_FEW
    if row["horizon"] > LONGEST_CONFIRMED:
        return DESCRIPTIVE
    if not row["p_adjusted"] <= LEVEL:
        return INCONCLUSIVE
    return BEATS if row["p_gain"] <= LEVEL else INFORMED
