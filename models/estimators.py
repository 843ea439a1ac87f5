"""Scikit-learn estimators around every kind of regime model: thin, causal, columns standardised inside.

What all of them answer for a row has seen the rows of X up to it and nothing later: `predict_proba` and `transform` are filtered
probabilities, which is what they may be in a pipeline, a grid search or a back-test. The price is that they are no functions of a row
alone: rows are consecutive, and their order counts. A subset of rows, or rows in another order, is another history.
"""

from abc import abstractmethod

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from models.errors import FitError
from models.params import Array

Rows = pd.DataFrame | ArrayLike


class CausalRegimes(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What the estimators share: probabilities up to each row, and states, features and names from them.

    Attributes
    ----------
    classes_ : (n_states,) states, in the order of the columns of `predict_proba`
    center_, scale_ : (n_features,) standardisation of the columns, frozen at fit
    n_features_in_, feature_names_in_ : the columns; names where `fit` was given a DataFrame
    """

    @abstractmethod
    def filter_proba(self, X: Rows) -> Array:
        """p(state_t | x_1..x_t) of each row, (n_obs, n_states): causal, rows being consecutive, the first the beginning of a history."""

    def predict_proba(self, X: Rows) -> Array:
        """Do what `filter_proba` does, under scikit-learn's name: nothing later than a row is seen."""
        return self.filter_proba(X)

    def predict(self, X: Rows) -> NDArray[np.generic]:
        """Most probable state of each row up to it, (n_obs,): an element of `classes_`."""
        probs = self.filter_proba(X)
        return np.asarray(self.classes_[probs.argmax(axis=1)])

    def transform(self, X: Rows) -> Array:
        """Filtered probabilities as features, (n_obs, n_states)."""
        return self.filter_proba(X)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of what `transform` gives: `p_<class>`."""
        check_is_fitted(self)
        return np.array([f"p_{each}" for each in self.classes_], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _standardise_at_fit(self, X: Rows) -> Array:
        """Check training rows, freeze the standardisation, and give the rows on it."""
        rows = np.asarray(validate_data(self, X, dtype=np.float64, order="C", ensure_all_finite="allow-nan", ensure_min_samples=2))
        names = getattr(self, "feature_names_in_", range(rows.shape[1]))
        for name, column in zip(names, rows.T, strict=True):
            there = column[~np.isnan(column)]
            if not len(there) or np.ptp(there) <= 0.0:
                fault = "has no value" if not len(there) else "is constant"
                raise FitError(f"{type(self).__name__}: column '{name}' {fault} in the {len(rows)} training rows; leave it out")
        self.center_, self.scale_ = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
        return np.asarray((rows - self.center_) / self.scale_)

    def _standardise(self, X: Rows) -> Array:
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, order="C", ensure_all_finite="allow-nan", reset=False)
        return np.asarray((rows - self.center_) / self.scale_)

    def _position(self, column: str | int) -> int:
        """Find a column by name or position."""
        names = [str(name) for name in getattr(self, "feature_names_in_", [])]
        if isinstance(column, str) and column in names:
            return names.index(column)
        if not isinstance(column, str) and -self.n_features_in_ <= column < self.n_features_in_:
            return int(column) % int(self.n_features_in_)
        known = ", ".join(names) if names else f"positions below {self.n_features_in_}, as X has no names"
        raise FitError(f"{type(self).__name__}: score_column is {column!r}; rule: a column of X, by name or position ({known})")
