"""The jump model as an estimator."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_is_fitted

from models.errors import FitError, ScoringError
from models.inference import Array
from models.jump import JumpParams, JumpState, Labels, Values, filter_labels, filter_proba, filter_values, row_losses, update
from models.jump_rows import refuse_infinite, sequence_lengths

MIN_OCCUPANCY = 0.01
"""A state that holds a smaller share of the training rows is warned of."""


class JumpModel(BaseEstimator):  # type: ignore[misc]
    """Statistical jump model: k-means whose states cost something to leave.

    Finds centers and a path of states of least

        sum_t 1/2 sum_j w_j (x_tj - c_{s_t j})^2 + jump_penalty * number of jumps

    by coordinate descent (Nystrup, Lindstrom and Madsen 2020). The penalty is on the scale of the squared features: standardise them first,
    with what the training rows say. Its states differ in the features' means alone.

    What a model says of row t is argmin_i V_t(i), V the value function of the rows up to t: `filter_labels` and its one-row twin `update`.
    `smooth_labels` sees the whole sample and is for research.

    States are in the order of their centers: rising in the first column (of those that carry weight), equal ones in the next.

    Parameters
    ----------
    n_components : number of states
    jump_penalty : cost of a jump. To be chosen by what the labels are for (`models.jump_penalty.select_penalty`): it sets the delay and
        must suit how long regimes last
    continuous : whether the state is a vector of the simplex and moving costs jump_penalty / 4 * ||s_t - s_{t-1}||_1^2
        (Aydinhan, Kolm, Mulvey and Shu 2024)
    grid_step : step of the simplex' grid, a divisor of 1 (continuous model)
    mode_loss : whether leaving a vector with many neighbours is made dearer, so that none is favoured (continuous model)
    max_features : about how many features to use: weights of length 1 that add up to at most its square root (Nystrup, Kolm and
        Lindstrom 2021). None to use all alike. With it the penalty is divided by sqrt(n_features)
    n_init, random_state : starts drawn by k-means++, and the seed or generator to draw them with
    max_iter, tol : of the descent from one start
    warm_start : whether a further fit has the present centers as one more start

    Attributes
    ----------
    centers_ : (n_components, n_features)
    weights_ : (n_features,) 1 each without `max_features`
    objective_ : least sum found (with weights: under the last of them)
    n_iter_ : rounds of the best start (with weights: of reweighting)
    occupancy_ : (n_components,) share of the training rows on the cheapest path
    params_ : `models.jump.JumpParams`, all that a server needs
    n_features_in_, feature_names_in_ : the columns; names where `fit` was given a DataFrame
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        jump_penalty: float = 50.0,
        continuous: bool = False,
        grid_step: float = 0.05,
        mode_loss: bool = True,
        max_features: float | None = None,
        n_init: int = 10,
        max_iter: int = 1000,
        tol: float = 1e-8,
        random_state: int | np.random.Generator | np.random.RandomState | None = None,
        warm_start: bool = False,
    ) -> None:
        self.n_components = n_components
        self.jump_penalty = jump_penalty
        self.continuous = continuous
        self.grid_step = grid_step
        self.mode_loss = mode_loss
        self.max_features = max_features
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.warm_start = warm_start

    def fit(self, X: pd.DataFrame | Array, lengths: Sequence[int] | None = None) -> Self:
        """Fit on contiguous rows.

        Parameters
        ----------
        X : (n_obs, n_features), NaN where missing
        lengths : rows of each sequence where there are several

        Raises
        ------
        FitError
            If a parameter or the rows allow no fit.

        Warns
        -----
        DegenerateFitWarning
            If a state holds hardly a row or the descent did not end.
        """
        from models.jump_fit import warn_if_degenerate  # here: what serves a model needs neither the fit nor its compiler
        from models.jump_rows import check_rows
        from models.jump_settings import JumpSettings, check_settings
        from models.jump_sparse import fit_any_jump

        settings = JumpSettings(**{name.name: getattr(self, name.name) for name in fields(JumpSettings)})
        check_settings(settings)
        rows, names = _values(X, FitError)
        check_rows(rows, self.n_components, names)
        held = getattr(self, "centers_", np.empty((0, 0)))
        warm = held if self.warm_start and held.shape == (self.n_components, rows.shape[1]) else None
        fit = fit_any_jump(rows, settings, np.random.default_rng(self.random_state), warm=warm, lengths=lengths)
        self.params_: JumpParams = fit.params
        self.centers_, self.weights_ = fit.params.centers, fit.params.weights
        self.objective_, self.n_iter_ = fit.objective, fit.n_iter
        self.occupancy_ = fit.proba.mean(axis=0)
        self.n_features_in_ = rows.shape[1]
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        warn_if_degenerate(fit, MIN_OCCUPANCY if self.n_components > 1 else 0.0, type(self).__name__)
        return self

    def filter_labels(self, X: pd.DataFrame | Array, lengths: Sequence[int] | None = None) -> Labels:
        """Online label of each row, (n_obs,): has seen the rows of its sequence up to it. Before anything is seen it is 0."""
        return np.concatenate([filter_labels(values, self.params_) for values in self._values(X, lengths)])

    def filter_proba(self, X: pd.DataFrame | Array, lengths: Sequence[int] | None = None) -> Array:
        """Online vector of each row over states, (n_obs, n_components).

        Continuous: the point of the simplex the cheapest path up to the row ends in. Discrete: 1 for the online label and 0 for the rest;
        that is an indicator, a discrete jump model has no probabilities and a log score of it may be infinite. For probabilities calibrate
        a classifier of what is to be foretold on `filter_values`, inside training.
        """
        return np.concatenate([filter_proba(values, self.params_) for values in self._values(X, lengths)])

    def filter_values(self, X: pd.DataFrame | Array, lengths: Sequence[int] | None = None) -> Array:
        """By how much the cheapest path up to each row is dearer if it ends in each state (or grid point), (n_obs, n_grid)."""
        return np.concatenate([values.relative for values in self._values(X, lengths)])

    def update(self, state: JumpState | None, x: pd.Series | Array) -> JumpState:
        """Take one more row in: the same to the bit as `filter_labels` of the whole sequence.

        Parameters
        ----------
        state : what the row before gave; None for the first
        x : (n_features,), NaN where missing
        """
        check_is_fitted(self, "params_")
        if isinstance(x, pd.Series):
            return update(self.params_, state, self._checked(x.to_frame().T)[0])
        row = np.asarray(x, dtype=np.float64)
        if row.shape != (self.n_features_in_,):
            raise ScoringError(f"JumpModel: x has shape {row.shape}; rule: one row of the {self.n_features_in_} columns of fit")
        return update(self.params_, state, row)

    def smooth_labels(self, X: pd.DataFrame | Array, lengths: Sequence[int] | None = None) -> Labels:
        """Cheapest path, (n_obs,): each label has seen the whole sample. For research; a signal takes `filter_labels`."""
        from models.jump_path import cheapest_paths

        rows = self._checked(X)
        path, _ = cheapest_paths(row_losses(rows, self.params_), self.params_.moves, sequence_lengths(len(rows), lengths))
        return np.asarray(self.params_.vectors.argmax(axis=1)[path])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _values(self, X: pd.DataFrame | Array, lengths: Sequence[int] | None) -> list[Values]:
        rows = self._checked(X)
        bounds = np.cumsum(sequence_lengths(len(rows), lengths))[:-1]
        return [filter_values(part, self.params_) for part in np.split(rows, bounds)]

    def _checked(self, X: pd.DataFrame | Array) -> Array:
        check_is_fitted(self, "params_")
        known = list(getattr(self, "feature_names_in_", [])) or None
        rows, names = _values(X, ScoringError)
        if rows.shape[1] != self.n_features_in_ or (names is not None and known is not None and names != known):
            given, wanted = names or rows.shape[1], known or self.n_features_in_
            raise ScoringError(f"JumpModel: X has columns {given}; rule: those of fit, in order, {wanted}. Select them first")
        refuse_infinite(rows, known)
        return rows


def _values(X: pd.DataFrame | Array, error: type[ValueError]) -> tuple[Array, list[str] | None]:
    """Rows as numbers, and their names where they have any."""
    names = [str(name) for name in X.columns] if isinstance(X, pd.DataFrame) else None
    try:
        return check_array(X, dtype=np.float64, ensure_all_finite=False), names
    except ValueError as trouble:
        raise error(f"JumpModel: {trouble}") from trouble
