"""One asset over one horizon: what is needed to forecast it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from models.conformal import UNBOUNDED
from models.forecast import BASELINES, Inputs, Ladder
from models.inference import Array
from models.rows import Rows, take


@dataclass(frozen=True)
class Cell:
    """What is needed to forecast one asset over one horizon.

    Attributes
    ----------
    asset, horizon : what is forecast, sessions
    ladder : fitted rungs
    rung : the one that is served
    served_by : why that one, in words
    vol, momentum, features : columns it reads; None among `features` stands for the probability of state 0
    half_width : of the calibrated intervals, in sd, by `models.conformal.LEVELS`; frozen at the end of training
    """

    asset: str
    horizon: int
    ladder: Ladder
    rung: str
    served_by: str
    vol: str
    momentum: tuple[str, ...]
    features: tuple[str | None, ...]
    half_width: Mapping[str, float] = field(default_factory=lambda: UNBOUNDED)

    @property
    def prefix(self) -> str:
        """Begin of this cell's column names."""
        return f"{self.asset}_{self.horizon}"

    def inputs(self, rows: pd.DataFrame | Rows, probs: Array, average: Array) -> Inputs:
        """Gather the rungs' inputs of `rows`."""
        vol = take(rows, (self.vol,))[:, 0]
        if self.rung in BASELINES:  # reads nothing else
            nothing = np.empty((len(vol), 0))
            return Inputs(vol, nothing, nothing, nothing)
        given = take(rows, tuple(column for column in self.features if column is not None))
        gaps = [k for k, column in enumerate(self.features) if column is None]
        own = np.insert(given, [k - before for before, k in enumerate(gaps)], probs[:, [0]], axis=1)
        return Inputs(vol, take(rows, self.momentum), average, own)
