"""Models that cost the same on every row are one model: merged before anything is tested."""

import numpy as np
import pandas as pd

from models.inference import Array

SAME = 1e-9
"""Largest difference, relative to the larger value of the two, that still counts as the same: what rounding on another machine makes."""


def same_losses(one: Array, other: Array) -> bool:
    """Whether two models cost the same on every row, (n_obs,) each."""
    return bool(np.all(np.abs(one - other) <= SAME * np.maximum(np.abs(one), np.abs(other))))


def merge_identical(losses: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Keep the first of the columns that are the same.

    Parameters
    ----------
    losses : rows sessions, columns models, nothing missing

    Returns
    -------
    kept : columns that differ from each other
    same_as : name of each column that was left out, and the one that stands for it
    """
    values = losses.to_numpy(dtype=np.float64)
    means, reach = values.mean(axis=0), 2.0 * SAME * np.abs(values).mean(axis=0)  # columns whose means are further apart differ
    kept: list[int] = []
    same_as: dict[str, str] = {}
    for column, name in enumerate(losses):
        near = np.abs(means[kept] - means[column]) <= reach[kept]
        twin = next((k for k, so in zip(kept, near, strict=True) if so and same_losses(values[:, k], values[:, column])), None)
        if twin is None:
            kept.append(column)
        else:
            same_as[str(name)] = str(losses.columns[twin])
    return losses.iloc[:, kept], same_as
