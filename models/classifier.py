"""A regime model that is a calibrated classifier."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.inference import Array
from models.rows import Rows, take


@dataclass(frozen=True)
class RegimeClassifier:
    """Fitted classifier with the interface of a regime model: state 0 is the labelled one.

    Attributes
    ----------
    columns : features it reads, in order
    center : (n_features,) training means; a missing value is put there, where it says nothing
    model : fitted scikit-learn classifier
    base_rate : share of labelled rows in training
    """

    columns: tuple[str, ...]
    center: Array
    model: Any
    base_rate: float

    n_states = 2
    identified = True  # its label is named by construction

    def filter_proba(self, frame: pd.DataFrame | Rows, last: Array | None = None) -> Array:
        """Calibrated probabilities of each row from that row alone, (n_obs, 2); `last` is not used."""
        X = take(frame, self.columns)
        return np.asarray(self.model.predict_proba(np.where(np.isnan(X), self.center, X))[:, ::-1])

    def filter_states(self, frame: pd.DataFrame | Rows, last: Array | None = None) -> Array:
        """Calibrated probabilities: it carries nothing from row to row."""
        return self.filter_proba(frame, last)

    def proba(self, states: Array) -> Array:
        """Give what `filter_states` gave."""
        return states

    def predict_proba_ahead(self, probs: Array, steps: int, frame: pd.DataFrame | Rows | None = None) -> Array:
        """Today's probabilities: the label itself looks ahead."""
        return probs
