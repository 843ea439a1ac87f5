"""A regime model as it is used: columns, frozen standardisation, states in a fixed order."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.identity import Identity
from models.inference import Array, HMMParams, expected_dwell, forward_filter, predict_average, predict_next
from models.rows import Rows, take

if TYPE_CHECKING:  # what serves a model needs no fitting library
    from models.hmm import HMMFit


@dataclass(frozen=True)
class RegimeHMM:
    """Fitted regime model; state 0 has the highest score (mean over standard deviation of the score column).

    Attributes
    ----------
    columns : features it reads, in order
    center, scale : (n_features,) of the training window, frozen
    params : on the standardised scale
    identity : what the states' names rest on
    fit : how the parameters were reached
    clip : standardised values beyond this, either way, are read as this
    """

    columns: tuple[str, ...]
    center: Array
    scale: Array
    params: HMMParams
    identity: Identity
    fit: "HMMFit | None" = field(default=None, compare=False)
    clip: float = np.inf

    @property
    def n_states(self) -> int:
        """Number of states."""
        return self.params.n_states

    @property
    def identified(self) -> bool:
        """Whether the states may carry their names."""
        return self.identity.identified

    @property
    def dwell(self) -> Array:
        """Expected sessions in each state."""
        return expected_dwell(self.params.trans)

    def natural(self) -> HMMParams:
        """Give the parameters in the features' own units."""
        return self.params.rescaled(self.center, self.scale)

    def standardise(self, frame: pd.DataFrame | Rows) -> Array:
        """Rows on the training window's scale, (n_obs, n_features)."""
        rows = (take(frame, self.columns) - self.center) / self.scale
        return np.asarray(np.clip(rows, -self.clip, self.clip))

    def filter_states(self, frame: pd.DataFrame | Rows, last: Array | None = None) -> Array:
        """What the filter carries from row to row; of an HMM the filtered probabilities themselves, (n_obs, n_states).

        Parameters
        ----------
        frame : contiguous rows
        last : what it carried at the row before the first; None at the beginning of history
        """
        prior = None if last is None else predict_next(last, self.params.trans)
        return forward_filter(self.standardise(frame), self.params, prior).probs

    def proba(self, states: Array) -> Array:
        """p(state_t | rows up to t), (n_obs, n_states), from what `filter_states` gave."""
        return states

    def filter_proba(self, frame: pd.DataFrame | Rows, last: Array | None = None) -> Array:
        """p(state_t | rows up to t) of each row, (n_obs, n_states); arguments as of `filter_states`."""
        return self.proba(self.filter_states(frame, last))

    def log_next(self, frame: pd.DataFrame | Rows) -> Array:
        """One-step log scores of each row on the standardised scale, (n_obs,)."""
        return forward_filter(self.standardise(frame), self.params).log_next

    def predict_proba_ahead(self, probs: Array, steps: int, frame: pd.DataFrame | Rows | None = None) -> Array:
        """Average regime probabilities over the next `steps` sessions, (n_obs, n_states).

        Parameters
        ----------
        probs : (n_obs, n_states) filtered probabilities
        frame : rows that they belong to; read by a model whose transitions they drive
        """
        return predict_average(probs, self.params.trans, steps)
