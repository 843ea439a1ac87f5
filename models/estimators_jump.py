"""Regimes of a jump model as a scikit-learn estimator."""

from typing import Self

import numpy as np

from models.estimators import CausalRegimes, Rows
from models.jump_model import JumpModel
from models.params import Array


class JumpRegimes(CausalRegimes):
    """Regimes of a statistical jump model (`models.JumpModel`) on standardised columns.

    A discrete jump model has no probabilities: `predict_proba` is 1 for the online label of a row and 0 else. The continuous one gives a
    vector of the simplex.

    Parameters
    ----------
    n_components : number of states
    jump_penalty, continuous, max_features, n_init, random_state : as of `models.JumpModel`
    score_column : position or name of the column by which states are ordered: highest center first

    Attributes
    ----------
    model_ : the fitted `models.JumpModel`, on the standardised scale
    order_ : (n_components,) states of `model_` in the order of `classes_`
    n_iter_ : rounds of its best start
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        jump_penalty: float = 50.0,
        continuous: bool = False,
        max_features: float | None = None,
        score_column: str | int = 0,
        n_init: int = 10,
        random_state: int | np.random.Generator | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.jump_penalty = jump_penalty
        self.continuous = continuous
        self.max_features = max_features
        self.score_column = score_column
        self.n_init = n_init
        self.random_state = random_state

    def fit(self, X: Rows, y: object = None) -> Self:
        """Fit on consecutive rows.

        Parameters
        ----------
        X : (n_obs, n_features), NaN where missing
        y : not read; scikit-learn passes it

        Raises
        ------
        FitError
            If a parameter or the rows allow no fit.
        """
        rows = self._standardise_at_fit(X)
        at = self._position(self.score_column)
        settings = ("n_components", "jump_penalty", "continuous", "max_features", "n_init", "random_state")
        self.model_ = JumpModel(**{name: getattr(self, name) for name in settings}).fit(rows)
        self.order_ = np.argsort(-self.model_.centers_[:, at], kind="stable")
        self.classes_ = np.arange(self.n_components)
        self.n_iter_ = self.model_.n_iter_
        return self

    def filter_proba(self, X: Rows) -> Array:
        """Online vector of each row over states, (n_obs, n_components): has seen the rows up to it. In the discrete model an indicator."""
        rows = self._standardise(X)
        return self.model_.filter_proba(rows)[:, self.order_]
