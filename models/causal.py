"""What hmmlearn's models lack: probabilities that have seen the past alone, with what is missing left out of the evidence."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from models.engine.filtering import filter_history
from models.engine.posterior import smooth_history
from models.inference import Filtered, predict_next
from models.online import FilterState, OnlineFilter
from models.params import Array, HMMParams


class CausalMixin:
    """Filtering for a class with the attributes of an hmmlearn model; the class says what its parameters are in `params_`.

    In every method X is (n_obs, n_features) with NaN where missing, and `lengths` the rows of each sequence in X, one sequence if None.
    """

    @property
    def params_(self) -> HMMParams:
        """Parameters in the form that the filter reads."""
        raise NotImplementedError

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
        x : (n_features,), NaN where missing
        """
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
        return checked_rows(X, lengths)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_online"}  # type: ignore[attr-defined]


def checked_rows(X: ArrayLike, lengths: ArrayLike | None) -> tuple[Array, NDArray[np.int64] | None]:
    """Check observations and the lengths of their sequences.

    Raises
    ------
    ValueError
        For what is not two-dimensional, not numeric or infinite, and for lengths that do not add up.
    """
    rows = np.asarray(check_array(X, dtype=np.float64, ensure_all_finite="allow-nan"))
    if lengths is None:
        return rows, None
    runs = np.asarray(lengths, dtype=np.int64)
    if runs.sum() != len(rows) or (runs < 1).any():
        raise ValueError(f"lengths {runs.tolist()[:5]} add up to {runs.sum()}; rule: positive, and together the {len(rows)} rows of X")
    return rows, runs
