"""One candidate of a search: its walk-forward, as far as a choice between candidates needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.forecast import BASELINES
from models.inference import Array
from training.book import SERVED
from training.config import TrainConfig
from training.forecasts import walk_forecasts
from training.regimes import walk_regimes
from training.search.nested import KEY
from training.study import Table

REFERENCE = "M0"
"""Rung whose losses a candidate's are relative to."""


@dataclass(frozen=True)
class Candidate:
    """A config that is tried.

    Attributes
    ----------
    number : by order of proposal, from 0
    values : of the searched keys
    config : with these values
    """

    number: int
    values: Mapping[str, Any]
    config: TrainConfig

    @property
    def words(self) -> str:
        """The values, last part of each key alone."""
        return " ".join(f"{key.rpartition('.')[2]}={_short(value)}" for key, value in self.values.items())


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def walk_candidate(table: Table, config: TrainConfig, path: Path) -> Path:
    """Walk forward and write the losses of the served series and the baselines to a Parquet file.

    It runs in a process of its own: what it gives back is a path, and the numbers are the same wherever it runs.

    Parameters
    ----------
    table : features and prices of the market
    """
    regimes = walk_regimes(table.features, table.small_caps, config, _silent)
    losses = walk_forecasts(table.features, table.prices, regimes, config, _silent).losses
    losses[losses["rung"].isin((*BASELINES, SERVED))].reset_index(drop=True).to_parquet(path)
    return path


def _silent(_stage: str, _done: int, _of: int) -> None:
    return None


def laid_out(paths: Mapping[int, Path], table: Table) -> tuple[pd.DataFrame, Array, Array]:
    """Lay the losses of candidates side by side, on the rows that all of them forecast and whose outcome is known and not locked away.

    Parameters
    ----------
    paths : of `walk_candidate`, by number of the candidate

    Returns
    -------
    rows : asset, horizon, session and `outer` of each row, its `position` (number of the session) and `cell`
    losses : (n_rows, n_candidates) CRPS of the served series
    reference : (n_rows,) CRPS of `REFERENCE` under the first candidate
    """
    columns: dict[int | str, pd.Series] = {}
    for number, path in paths.items():
        read = pd.read_parquet(path, columns=[*KEY, "rung", "crps", "outer", "lockbox"])
        read = read[read["crps"].notna() & ~read["lockbox"].astype(bool)].set_index(KEY)
        own = read[read["rung"] == SERVED]
        columns[number] = own["crps"]
        if number == min(paths):
            columns |= {"outer": own["outer"], REFERENCE: read.loc[read["rung"] == REFERENCE, "crps"]}
    together = pd.concat(columns, axis=1, join="inner").sort_index()
    rows = together[["outer"]].reset_index()
    rows["position"] = table.features.index.get_indexer(pd.Index(rows["session"]))
    rows["cell"] = rows.groupby(["asset", "horizon"], sort=False).ngroup()
    return rows, together[list(paths)].to_numpy(dtype=np.float64), together[REFERENCE].to_numpy(dtype=np.float64)
