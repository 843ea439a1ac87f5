"""The baselines of a family: trials refit on other dates and have other ones, of which the strongest count for all."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.forecast import BASELINES
from models.inference import Array

LOSS = "crps_"
MEAN = "mean_"


def strongest(files: list[pd.DataFrame]) -> pd.DataFrame:
    """Take each baseline, asset and horizon from the file in which its mean loss is least; of equal ones the first.

    Parameters
    ----------
    files : by `training.ledger.mirror.KEY`, on the same rows, with columns `crps_` and `mean_` of each baseline

    Returns
    -------
    DataFrame as the first of them
    """
    best = files[0].copy()
    cell = np.asarray(best.groupby(["asset", "horizon"], sort=False).ngroup(), dtype=np.int64)
    least = {rung: _means(best, rung, cell) for rung in BASELINES}
    for file in files[1:]:
        for rung in BASELINES:
            own = _means(file, rung, cell)
            less = own < least[rung]
            if less.any():
                for column in (LOSS + rung, MEAN + rung):
                    best[column] = np.where(less[cell], file[column], best[column])
                least[rung] = np.minimum(own, least[rung])
    return best


def _means(file: pd.DataFrame, rung: str, cell: NDArray[np.int64]) -> Array:
    """Mean loss of a baseline in each cell."""
    return np.asarray(np.bincount(cell, weights=file[LOSS + rung].to_numpy()) / np.bincount(cell))
