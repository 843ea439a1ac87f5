"""Regimes of a calibrated classifier as a scikit-learn estimator."""

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import assert_all_finite

from models.classifier import RegimeClassifier
from models.classifier_fit import N_FOLDS, STRENGTH, purged_folds
from models.errors import FitError
from models.estimators import CausalRegimes, Rows
from models.params import Array


class SupervisedRegimes(ClassifierMixin, CausalRegimes):  # type: ignore[misc]
    """Regimes that are told: logistic regression, isotonic calibration on later rows than it was fitted on (METHODS 2.1).

    Each row is answered from itself alone. A value that is missing is put at its training mean, where it says nothing.

    Parameters
    ----------
    purge : rows between a fold's training and its calibration: the rows that a label looks ahead
    n_folds : blocks to calibrate on; those that hold one class only, or are trained on one, are left out
    inverse_penalty : of the logistic regression, for standardised columns

    Attributes
    ----------
    model_ : `models.classifier.RegimeClassifier` on the standardised scale; its state 0 is the last of `classes_`
    n_folds_ : folds that were used
    """

    def __init__(self, *, purge: int = 0, n_folds: int = N_FOLDS, inverse_penalty: float = STRENGTH) -> None:
        self.purge = purge
        self.n_folds = n_folds
        self.inverse_penalty = inverse_penalty

    def fit(self, X: Rows, y: ArrayLike) -> Self:
        """Fit on the rows that are complete and labelled.

        Parameters
        ----------
        X : (n_obs, n_features) consecutive rows, NaN where missing
        y : (n_obs,) one of two classes each; NaN where it is not known on the day of the fit

        Raises
        ------
        FitError
            If a parameter allows no fit, or no fold holds both classes.
        """
        for name, least in (("purge", 0), ("n_folds", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise FitError(f"SupervisedRegimes: {name} is {value!r}; rule: a whole number of at least {least}")
        rows = self._standardise_at_fit(X)
        labels, known = _known_labels(y, len(rows))
        use = known & ~np.isnan(rows).any(axis=1)
        self.classes_, codes = np.unique(labels[use], return_inverse=True)
        if len(self.classes_) < 2:
            raise FitError(f"SupervisedRegimes: {use.sum()} complete, labelled rows hold one class; rule: two. Use more history")
        X_use, folds = rows[use], [f for f in purged_folds(len(codes), self.n_folds, self.purge) if _both(codes, *f)]
        if not folds:
            raise FitError(
                f"SupervisedRegimes: none of {self.n_folds} folds of {len(codes)} rows holds both classes on both sides of a purge of "
                f"{self.purge}; rule: one does at least. Use more history or another label"
            )
        logistic = make_pipeline(StandardScaler(), LogisticRegression(C=self.inverse_penalty))  # each fold on its own scale
        calibrated = CalibratedClassifierCV(logistic, method="isotonic", cv=folds, ensemble=True).fit(X_use, codes)
        columns = tuple(str(position) for position in range(rows.shape[1]))
        self.model_ = RegimeClassifier(columns, np.zeros(rows.shape[1]), calibrated, float(codes.mean()))
        self.n_folds_ = len(folds)
        return self

    def filter_proba(self, X: Rows) -> Array:
        """Calibrated probability of each class for each row from that row alone, (n_obs, 2)."""
        rows = self._standardise(X)
        return self.model_.filter_proba(pd.DataFrame(rows, columns=list(self.model_.columns)))[:, ::-1]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _known_labels(y: ArrayLike, n_obs: int) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Labels, and which of them are known."""
    if y is None:
        raise FitError("SupervisedRegimes requires y to be passed, but the target y is None")
    labels = column_or_1d(y, warn=True)
    check_consistent_length(labels, np.empty(n_obs))
    known = ~np.isnan(labels) if labels.dtype.kind == "f" else np.ones(n_obs, dtype=np.bool_)
    assert_all_finite(labels[known], input_name="y")
    check_classification_targets(labels[known])
    kind = type_of_target(labels[known], input_name="y")
    if kind != "binary":
        raise FitError(f"Only binary classification is supported. The type of the target is {kind}.")
    return labels, known


def _both(codes: NDArray[np.int64], train: NDArray[np.int64], test: NDArray[np.int64]) -> bool:
    return len(set(codes[train])) == 2 and len(set(codes[test])) == 2
