"""Each trial by asset and horizon: how much it saves, whether its intervals held, and raw p-values."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.comparison.aligned import BASELINE, Aligned
from training.evaluation.forecast_tests import clark_west, smaller_loss
from training.evaluation.skill import LONGEST_TESTED


def cell_table(aligned: Aligned) -> pd.DataFrame:
    """Score the trials that are shown, cell by cell.

    Returns
    -------
    DataFrame with trial (its number), asset, horizon, n, n_apart, best_baseline, crps_ratio (to the best baseline), coverage_80,
    p (Diebold-Mariano on CRPS) and p_informed (Clark-West on the means), each the largest of those against the baselines, NaN beyond
    `LONGEST_TESTED` sessions and where too few rows do not overlap
    """
    rows = [row for asset, horizon, at in aligned.cells() for row in _cell(aligned, asset, horizon, at)]
    return pd.DataFrame(rows)


def _cell(aligned: Aligned, asset: str, horizon: int, at: NDArray[np.int64]) -> list[dict[str, object]]:
    part = aligned.rows.iloc[at]
    y = part["y"].to_numpy()
    crps = {rung: part[f"{BASELINE}{rung}"].to_numpy() for rung in aligned.baselines}
    means = {rung: part[f"mean_{rung}"].to_numpy() for rung in aligned.baselines}
    best = min(crps, key=lambda rung: float(crps[rung].mean()))
    out: list[dict[str, object]] = []
    for number in range(aligned.n_shown):
        own, mean, pit = (aligned.own[column][at, number] for column in ("crps", "mean", "pit"))
        tested = horizon <= LONGEST_TESTED
        out.append(
            {
                "trial": number,
                "asset": asset,
                "horizon": horizon,
                "n": len(at),
                "n_apart": len(at) // horizon,
                "best_baseline": best,
                "crps_ratio": float(own.mean() / crps[best].mean()),
                "coverage_80": float(((pit >= 0.1) & (pit <= 0.9)).mean()),
                "p": max(smaller_loss(base, own, horizon).p for base in crps.values()) if tested else np.nan,
                "p_informed": max(clark_west(y, base, mean, horizon).p for base in means.values()) if tested else np.nan,
            }
        )
    return out
