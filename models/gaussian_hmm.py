"""`GaussianHMM`: hmmlearn's, with filtered probabilities, missing values and an EM that is compiled."""

from typing import Any, Literal, Self

import numpy as np
from hmmlearn import hmm
from hmmlearn.base import ConvergenceMonitor
from numpy.typing import ArrayLike

from models.causal import CausalMixin, checked_rows
from models.em import Climb, Prior, climb, data_prior
from models.errors import FitError
from models.params import Array, HMMParams

SECOND_TRY = 1e-7
"""What hmmlearn adds to the variances of a covariance that is not positive definite."""


class GaussianHMM(CausalMixin, hmm.GaussianHMM):  # type: ignore[misc]
    """hmmlearn's `GaussianHMM`, same parameters, defaults and attributes, and three of its own.

    Its own methods say in their names what their answer has seen (`filter_proba`, `predict_next_proba`, `score_next`, `update`,
    `smooth_proba`). hmmlearn's `predict`, `predict_proba` and `decode` are what they are there: they see the whole sequence, the future
    too.

    Parameters
    ----------
    prior : None for hmmlearn's priors; 'data' for variances worth `models.em.PRIOR_ROWS` rows at the pooled variance (hmmlearn's default
        `covars_prior` of .01 is on the unit scale: it makes the variances of daily returns too large). EM then stops by the posterior.
    stickiness : pseudo-counts of staying in a state, added to the diagonal of `transmat_prior`
    **hmmlearn : as there

    Raises
    ------
    FitError
        From `fit`, where a state collapsed.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 1)) * np.repeat([[1.0], [3.0]], 100, axis=0)
    >>> model = GaussianHMM(2, prior="data", stickiness=100.0, n_iter=50, random_state=0).fit(X)
    >>> model.filter_proba(X).shape
    (200, 2)
    """

    def __init__(
        self,
        n_components: int = 1,
        covariance_type: str = "diag",
        min_covar: float = 1e-3,
        startprob_prior: Any = 1.0,
        transmat_prior: Any = 1.0,
        means_prior: Any = 0,
        means_weight: Any = 0,
        covars_prior: Any = 1e-2,
        covars_weight: Any = 1,
        algorithm: str = "viterbi",
        random_state: Any = None,
        n_iter: int = 10,
        tol: float = 1e-2,
        verbose: bool = False,
        params: str = "stmc",
        init_params: str = "stmc",
        implementation: str = "log",
        prior: Literal["data"] | None = None,
        stickiness: float = 0.0,
    ) -> None:
        super().__init__(
            n_components=n_components,
            covariance_type=covariance_type,
            min_covar=min_covar,
            startprob_prior=startprob_prior,
            transmat_prior=transmat_prior,
            means_prior=means_prior,
            means_weight=means_weight,
            covars_prior=covars_prior,
            covars_weight=covars_weight,
            algorithm=algorithm,
            random_state=random_state,
            n_iter=n_iter,
            tol=tol,
            verbose=verbose,
            params=params,
            init_params=init_params,
            implementation=implementation,
        )
        self.prior = prior
        self.stickiness = stickiness

    @property
    def params_(self) -> HMMParams:
        """Parameters in the form that the filter reads."""
        start, trans, means = (np.asarray(each, dtype=np.float64) for each in (self.startprob_, self.transmat_, self.means_))
        return HMMParams(start, trans, means, self._scales())

    def fit(self, X: ArrayLike, lengths: ArrayLike | None = None) -> Self:
        """Estimate the parameters by EM, from where hmmlearn would start.

        Parameters
        ----------
        X : (n_obs, n_features), NaN where missing
        lengths : rows of each sequence in X; one sequence if None
        """
        rows, runs = checked_rows(X, lengths)
        if self.prior not in (None, "data"):
            raise FitError(f"{type(self).__name__}: prior is {self.prior!r}; rule: None (hmmlearn's priors) or 'data'")
        self._init(_without_gaps(rows), runs)
        self._check()
        self.monitor_._reset()
        prior = self._prior(rows)
        stepwise = self.verbose or type(self.monitor_) is not ConvergenceMonitor
        done = False
        while not done:
            left = 1 if stepwise else self.n_iter
            reached = climb(
                rows,
                self.params_,
                prior,
                covariance_type=self.covariance_type,
                n_iter=left,
                tol=self.tol,
                lengths=runs,
                update=self.params,
                maximum_posterior=self.prior is not None,
                jitter=SECOND_TRY if self.prior is None else 0.0,
                **self._heavy_tails(),
            )
            if reached.failed:
                raise FitError(f"{type(self).__name__}: {reached.failed}. Use fewer states, prior='data' or another start")
            self._take(reached)
            done = not stepwise or bool(self.monitor_.converged)
        return self

    def _heavy_tails(self) -> dict[str, Any]:
        return {}

    def _take(self, reached: Climb) -> None:
        for each in reached.objective if self.prior is not None else reached.log_lik:
            self.monitor_.report(each)
        params = reached.params
        self.startprob_, self.transmat_, self.means_ = params.start, params.trans, params.means
        diagonals = np.diagonal(params.scales, axis1=1, axis2=2).copy()
        shaped = {"full": params.scales, "tied": params.scales[0], "spherical": diagonals[:, 0]}
        self._covars_ = shaped.get(self.covariance_type, diagonals)

    def _scales(self) -> Array:
        if self.covariance_type == "spherical":  # hmmlearn keeps one a state or one a column of a state
            return np.asarray(np.reshape(self._covars_, (self.n_components, -1))[:, :1, None] * np.eye(self.means_.shape[1]))
        return np.array(self.covars_, dtype=np.float64)

    def _prior(self, X: Array) -> Prior:
        n_states, n_features = self.n_components, X.shape[1]
        sticky = self.stickiness * np.eye(n_states)
        trans = np.broadcast_to(np.asarray(self.transmat_prior, dtype=np.float64), (n_states, n_states)) + sticky
        start = np.broadcast_to(np.asarray(self.startprob_prior, dtype=np.float64), n_states)
        own = data_prior(X, n_states)
        if self.prior == "data":
            return Prior(start, trans, own.mean, own.scatter, rows=own.rows)
        whole = self.covariance_type in ("full", "tied")
        mean = np.broadcast_to(np.asarray(self.means_prior, dtype=np.float64), (n_states, n_features))
        scatter = np.asarray(self.covars_prior, dtype=np.float64)
        if whole:
            scatter = np.broadcast_to(scatter, (n_states, n_features, n_features))
        else:
            scatter = np.broadcast_to(scatter, (n_states, n_features))[:, :, None] * np.eye(n_features)
        rows = max(float(self.covars_weight) - (n_features if whole else 1), 0.0)
        return Prior(start, trans, mean, scatter, mean_rows=float(self.means_weight), rows=rows)


def _without_gaps(X: Array) -> Array:
    """Rows to start from: those that are complete, or with gaps filled by the column's mean where those are too few."""
    whole = X[~np.isnan(X).any(axis=1)]
    if len(whole) == len(X) or len(whole) > 10 * X.shape[1]:
        return whole
    return np.where(np.isnan(X), np.nanmean(X, axis=0), X)
