"""Each trial by asset and horizon: how much it saves, whether its intervals held, and raw p-values."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.inference import Array
from training.comparison.aligned import BASELINE, Aligned
from training.comparison.columns import p_of_columns
from training.evaluation.forecast_tests import adjusted_gain
from training.evaluation.skill import LONGEST_TESTED


def cell_table(aligned: Aligned) -> pd.DataFrame:
    """Score the trials that are shown, cell by cell.

    Returns
    -------
    DataFrame with trial (its number), asset, horizon, n, n_apart, best_baseline, crps_ratio (to the best baseline), coverage_80,
    p (Diebold-Mariano on CRPS) and p_informed (Clark-West on the means), each the largest of those against the baselines, NaN beyond
    `LONGEST_TESTED` sessions and where too few rows do not overlap
    """
    return pd.concat([_cell(aligned, *cell) for cell in aligned.cells()], ignore_index=True)


def _cell(aligned: Aligned, asset: str, horizon: int, at: NDArray[np.int64]) -> pd.DataFrame:
    part = aligned.rows.iloc[at]
    own, mean, pit = (aligned.own[column][at, : aligned.n_shown] for column in ("crps", "mean", "pit"))
    crps = {rung: part[f"{BASELINE}{rung}"].to_numpy() for rung in aligned.baselines}
    means = {rung: part[f"mean_{rung}"].to_numpy()[:, None] for rung in aligned.baselines}
    best = min(crps, key=lambda rung: float(crps[rung].mean()))
    none = np.full(aligned.n_shown, np.nan)
    tested = horizon <= LONGEST_TESTED
    y = part["y"].to_numpy()[:, None]
    return pd.DataFrame(
        {
            "trial": range(aligned.n_shown),
            "asset": asset,
            "horizon": horizon,
            "n": len(at),
            "n_apart": len(at) // horizon,
            "best_baseline": best,
            "crps_ratio": own.mean(axis=0) / crps[best].mean(),
            "coverage_80": ((pit >= 0.1) & (pit <= 0.9)).mean(axis=0),
            "p": _largest([base[:, None] - own for base in crps.values()], horizon) if tested else none,
            "p_informed": _largest([adjusted_gain(y, base, mean) for base in means.values()], horizon) if tested else none,
        }
    )


def _largest(gains: list[Array], horizon: int) -> Array:
    """p-value of each column, the largest over the baselines."""
    return np.asarray(np.max([p_of_columns(each, horizon) for each in gains], axis=0))
