"""Hidden Markov regimes as scikit-learn estimators."""

import warnings
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.utils import check_random_state

from models.degenerate import DegenerateFitWarning
from models.errors import FitError
from models.estimators import CausalRegimes, Rows
from models.inference import forward_filter, predict_next
from models.params import Array, HMMParams

if TYPE_CHECKING:  # what serves a model needs no compiler
    from models.em import CovarianceType

MIN_OCCUPANCY = 0.05


class GaussianRegimes(CausalRegimes):
    """Regimes of a Gaussian HMM that stays in its states: what `models.GaussianHMM` fits with prior='data', from sticky starts.

    Parameters
    ----------
    n_components : number of states
    covariance_type : 'diag', 'full', 'tied' or 'spherical', of the standardised columns
    stickiness : sessions that the sticky prior (`models.em.sticky_prior`) is worth in each state
    score_column : position or name of the column by which states are ordered: highest mean over standard deviation first
    n_init : starts of EM; the best posterior is kept
    n_iter, tol : limits of EM
    random_state : of the starts after the first

    Attributes
    ----------
    params_ : `models.params.HMMParams` on the standardised scale, states in order; all that a server needs
    last_proba_ : (n_components,) filtered probabilities of the last training row, for `filter_proba` of the rows after it
    n_iter_, converged_ : of EM from the best start

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(300, 1)) * np.repeat([[1.0], [3.0]], 150, axis=0)
    >>> model = GaussianRegimes(random_state=0).fit(X[:250])
    >>> model.filter_proba(X[250:], model.last_proba_).shape
    (50, 2)
    """

    _start_dof: float = np.inf

    def __init__(
        self,
        n_components: int = 2,
        *,
        covariance_type: "CovarianceType" = "diag",
        stickiness: float = 100.0,
        score_column: str | int = 0,
        n_init: int = 6,
        n_iter: int = 300,
        tol: float = 1e-3,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.stickiness = stickiness
        self.score_column = score_column
        self.n_init = n_init
        self.n_iter = n_iter
        self.tol = tol
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
            If a parameter, a column or EM allows no fit.

        Warns
        -----
        DegenerateFitWarning
            If there are few rows for the parameters, EM did not converge or a state hardly occurs.
        """
        self._validate_params_of_fit()
        rows = self._standardise_at_fit(X)
        at = self._position(self.score_column)
        params = self._climbed(rows)
        score = (params.means[:, at] * self.scale_[at] + self.center_[at]) / np.sqrt(params.variances[:, at])
        self.params_ = params.reordered(np.argsort(-score, kind="stable").astype(np.int64))
        self.classes_ = np.arange(self.n_components)
        probs = forward_filter(rows, self.params_).probs
        self.last_proba_ = probs[-1]
        self._warn(len(rows), probs)
        return self

    def filter_proba(self, X: Rows, last: Array | None = None) -> Array:
        """p(state_t | x_1..x_t) of each row, (n_obs, n_components).

        Parameters
        ----------
        X : consecutive rows
        last : (n_components,) filtered probabilities of the row before the first; None at the beginning of history
        """
        rows = self._standardise(X)
        return forward_filter(rows, self.params_, None if last is None else predict_next(np.asarray(last), self.params_.trans)).probs

    def score(self, X: Rows, y: object = None) -> float:
        """Mean one-step log score log p(x_t | x_1..x_{t-1}) a row, in the units of X: comparable between fits."""
        rows = self._standardise(X)
        seen_scale = np.where(np.isnan(rows), 0.0, np.log(self.scale_)).sum(axis=1)
        return float((forward_filter(rows, self.params_).log_next - seen_scale).mean())

    def _climbed(self, rows: Array) -> HMMParams:
        from models.em import climb, data_prior
        from models.starts import cold_starts

        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
        starts = cold_starts(self.n_init, self.n_components, rows, rng, self._start_dof)
        prior = data_prior(rows, self.n_components, self.stickiness)
        climbs = [climb(rows, start, prior, covariance_type=self.covariance_type, n_iter=self.n_iter, tol=self.tol) for start in starts]
        reached = [each for each in climbs if not each.failed and np.isfinite(each.objective).all() and _finite(each.params)]
        if not reached:
            raise FitError(
                f"{type(self).__name__}: none of {len(starts)} starts gave finite parameters on {len(rows)} rows; use fewer states, more "
                "rows, or leave extreme columns out"
            )
        best = max(reached, key=lambda each: each.objective[-1])
        self.n_iter_, self.converged_ = len(best.objective), best.converged
        return best.params

    def _warn(self, n_obs: int, probs: Array) -> None:
        from models.hmm import ROWS_A_PARAMETER, count_parameters

        heavy = bool(np.isfinite(self._start_dof))
        n_params = count_parameters(self.n_components, int(self.n_features_in_), self.covariance_type, heavy)
        occupancy = probs.mean(axis=0)
        reasons = []
        if n_obs < ROWS_A_PARAMETER * n_params:
            reasons.append(f"{n_obs} rows for {n_params} parameters, under {ROWS_A_PARAMETER} a parameter (use fewer states or columns)")
        if not self.converged_:
            reasons.append(f"EM did not converge in {self.n_iter_} iterations (raise n_iter)")
        if occupancy.min() < MIN_OCCUPANCY:
            reasons.append(f"state {int(occupancy.argmin())} holds {occupancy.min():.1%} of the rows (use fewer states)")
        if reasons:
            warnings.warn(f"{type(self).__name__}: {'; '.join(reasons)}", DegenerateFitWarning, stacklevel=3)

    def _validate_params_of_fit(self) -> None:
        kinds = ("diag", "full", "tied", "spherical")
        if self.covariance_type not in kinds:
            raise FitError(f"{type(self).__name__}: covariance_type is {self.covariance_type!r}; rule: one of {', '.join(kinds)}")
        for name in ("n_components", "n_init", "n_iter"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise FitError(f"{type(self).__name__}: {name} is {value!r}; rule: a whole number of at least 1")
        for name in ("stickiness", "tol"):
            value = getattr(self, name)
            if not 0.0 <= value < np.inf:
                raise FitError(f"{type(self).__name__}: {name} is {value!r}; rule: at least 0 and finite")


class StudentTRegimes(GaussianRegimes):
    """Regimes of an HMM with heavy tails: what `models.StudentTHMM` fits, from sticky starts.

    A day far out counts for less in a state's mean and scale, so that one crash does not make a regime. Parameters and attributes are those
    of `GaussianRegimes`; degrees of freedom (`params_.dof`) are estimated under a prior, at least 3.
    """

    _start_dof = 10.0  # the mode of their prior


def _finite(params: HMMParams) -> bool:
    return bool(np.isfinite(params.means).all() and np.isfinite(params.scales).all() and np.isfinite(params.trans).all())
