"""What hmmlearn's models lack: probabilities that have seen the past alone, with what is missing left out of the evidence."""

from abc import ABC, abstractmethod
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from models.engine.filtering import filter_history
from models.engine.posterior import smooth_history
from models.errors import ScoringError
from models.inference import Filtered, predict_next
from models.observations import check_columns, read_lengths, read_rows
from models.online import FilterState, OnlineFilter
from models.params import Array, HMMParams


class CausalMixin(ABC):
    """Filtering for a class with the attributes of an hmmlearn model; the class says what its parameters are in `params_`.

    In every method X is (n_obs, n_features) with NaN where missing, and `lengths` the rows of each sequence in X, one sequence if None.
    """

    means_: Array

    @property
    @abstractmethod
    def params_(self) -> HMMParams:
        """Parameters in the form that the filter reads."""

    def filter_proba(self, X: ArrayLike, lengths: ArrayLike | None = None) -> Array:
        """p(state_t | x_1..x_t) of each row, (n_obs, n_states): nothing after t is seen."""
        return self._filter(X, lengths).probs

    def predict_next_proba(self, X: ArrayLike, lengths: ArrayLike | None = None) -> Array:
        """p(state_{t+1} | x_1..x_t) of each row, (n_obs, n_states)."""
        return predict_next(self._filter(X, lengths).probs, self.params_.trans)

    def score_next(self, X: ArrayLike, lengths: ArrayLike | None = None) -> Array:
        """One-step log scores log p(x_t | x_1..x_{t-1}), (n_obs,); they add up to `score`."""
        return self._filter(X, lengths).log_next

    def score(self, X: ArrayLike, lengths: ArrayLike | None = None) -> float:
        """Log-likelihood, as hmmlearn's, and with NaN where something is missing."""
        return self._filter(X, lengths).log_lik

    def smooth_proba(self, X: ArrayLike, lengths: ArrayLike | None = None) -> Array:
        """p(state_t | all rows), (n_obs, n_states): it has seen the future, and is for looking back only."""
        rows, runs = self._rows(X, lengths)
        return smooth_history(rows, self.params_, runs)

    def update(self, state: FilterState | ArrayLike | None, x: ArrayLike) -> FilterState:
        """Filter one new observation.

        Parameters
        ----------
        state : what the last update gave, or the last row of `filter_proba`; None before the first observation
        x : (n_features,), NaN where missing; a Series must have the columns of fit
        """
        if isinstance(x, pd.Series):
            x = self._rows(x.to_frame().T, None)[0][0]
        elif not hasattr(self, "startprob_"):
            check_is_fitted(self, "startprob_")
        params = self.params_
        key = b"".join(each.tobytes() for each in (params.start, params.trans, params.means, params.scales, params.dof))
        if getattr(self, "_online", (b"", None))[0] != key:
            self._online = key, OnlineFilter(params)
        return self._online[1].update(state, x)

    def _filter(self, X: ArrayLike, lengths: ArrayLike | None) -> Filtered:
        rows, runs = self._rows(X, lengths)
        return filter_history(rows, self.params_, lengths=runs)

    def _rows(self, X: ArrayLike, lengths: ArrayLike | None) -> tuple[Array, NDArray[np.int64] | None]:
        check_is_fitted(self, "startprob_")
        where = type(self).__name__
        rows, names = read_rows(X, where, ScoringError)
        fitted = [str(name) for name in getattr(self, "feature_names_in_", [])] or None
        check_columns(rows, names, fitted, np.shape(self.means_)[1], where)
        return rows, read_lengths(lengths, len(rows), where, ScoringError)

    def __getstate__(self) -> dict[str, Any]:
        state = cast("dict[str, Any]", super().__getstate__())  # scikit-learn's
        return {name: value for name, value in state.items() if name != "_online"}


def keep_names(model: Any, names: list[str] | None) -> None:
    """Keep the names of the columns of fit as scikit-learn does, or none where there were none."""
    if names is not None:
        model.feature_names_in_ = np.array(names, dtype=object)
    elif hasattr(model, "feature_names_in_"):
        del model.feature_names_in_
