"""A jump model as a regime model: hard labels, held by a price on every switch."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.identity import Identity
from models.inference import Array, predict_average
from models.jump import JumpParams, JumpState, filter_values
from models.rows import Rows, take

if TYPE_CHECKING:  # what serves a model needs no fitting library
    from models.jump_fit import JumpFit


@dataclass(frozen=True)
class RegimeJump:
    """Fitted jump model with the interface of a regime model; state 0 has the highest score.

    What it gives is an indicator of the online label, not a probability: a jump model has none.

    Attributes
    ----------
    columns : features it reads, in order
    center, scale : (n_features,) of the training window, frozen
    params : on the standardised scale
    trans : (n_states, n_states) moves of the online labels in training
    identity : what the states' names rest on
    fit : how the parameters were reached
    """

    columns: tuple[str, ...]
    center: Array
    scale: Array
    params: JumpParams
    trans: Array
    identity: Identity
    fit: "JumpFit | None" = field(default=None, compare=False)

    @property
    def n_states(self) -> int:
        """Number of states."""
        return self.params.n_states

    @property
    def identified(self) -> bool:
        """Whether the states may carry their names."""
        return self.identity.identified

    def standardise(self, frame: pd.DataFrame | Rows) -> Array:
        """Rows on the training window's scale, (n_obs, n_features)."""
        return np.asarray((take(frame, self.columns) - self.center) / self.scale)

    def filter_states(self, frame: pd.DataFrame | Rows, last: Array | None = None) -> Array:
        """Value function of each row, (n_obs, n_grid): the least cost of a path that ends in each point.

        Parameters
        ----------
        frame : contiguous rows
        last : (n_grid,) of the row before the first; None at the beginning of history
        """
        before = None if last is None else JumpState(last, 0, last)
        return filter_values(self.standardise(frame), self.params, before).relative

    def proba(self, states: Array) -> Array:
        """The cheapest end of each row as a vector over states, (n_obs, n_states): 0 or 1 in the discrete model."""
        return np.asarray(self.params.vectors[states.argmin(axis=1)])

    def filter_proba(self, frame: pd.DataFrame | Rows, last: Array | None = None) -> Array:
        """Online label of each row as a vector over states, (n_obs, n_states); arguments as of `filter_states`."""
        return self.proba(self.filter_states(frame, last))

    def predict_proba_ahead(self, probs: Array, steps: int, frame: pd.DataFrame | Rows | None = None) -> Array:
        """Average over the next `steps` sessions, (n_obs, n_states), by the moves of the labels in training."""
        return predict_average(probs, self.trans, steps)
