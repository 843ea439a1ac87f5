"""`GaussianHMM`: hmmlearn's, with filtered probabilities, missing values and an EM that is compiled."""

from typing import Any, Literal, Self

import numpy as np
from hmmlearn import hmm
from hmmlearn.base import ConvergenceMonitor
from numpy.typing import ArrayLike, NDArray

from models.causal import CausalMixin, keep_names
from models.em import Climb, Prior, climb, data_prior
from models.emissions import SECOND_TRY
from models.errors import FitError
from models.fit_checks import check_fit, check_settings
from models.fit_outcome import warn_of_outcome
from models.hmm import count_parameters
from models.observations import read_lengths, read_rows
from models.params import Array, HMMParams
from models.unit_prior import unit_prior
from models.whole_sequence import WholeSequenceMixin


class GaussianHMM(CausalMixin, WholeSequenceMixin, hmm.GaussianHMM):  # type: ignore[misc]
    """hmmlearn's `GaussianHMM`, same parameters, defaults and attributes, and three of its own.

    Its own methods say in their names what their answer has seen (`filter_proba`, `predict_next_proba`, `score_next`, `update`,
    `smooth_proba`). hmmlearn's `predict`, `predict_proba` and `decode` are what they are there: they see the whole sequence, the future
    too.

    Parameters
    ----------
    prior : None for hmmlearn's priors; 'data' for variances worth `models.em.PRIOR_ROWS` rows at the pooled variance (hmmlearn's default
        `covars_prior` of .01 is on the unit scale: it makes the variances of daily returns too large). EM then stops by the posterior.
    stickiness : sessions that a sticky prior (`models.em.sticky_prior`) adds to each row of `transmat_prior`
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
        self.n_features = means.shape[1]  # hmmlearn learns it from a fit; parameters may be set by hand
        return HMMParams(start, trans, means, self._scales())

    def fit(self, X: ArrayLike, lengths: ArrayLike | None = None) -> Self:
        """Estimate the parameters by EM, from where hmmlearn would start.

        Parameters
        ----------
        X : (n_obs, n_features), NaN where missing
        lengths : rows of each sequence in X; one sequence if None

        Raises
        ------
        FitError
            If a parameter or the rows allow no fit, or a state collapsed.

        Warns
        -----
        DegenerateFitWarning
            Where the priors are not hmmlearn's: if the rows or the fit should not be relied on. With hmmlearn's it logs, as hmmlearn does.
        """
        where = type(self).__name__
        check_settings(self, where)
        rows, names = read_rows(X, where, FitError)
        runs = read_lengths(lengths, len(rows), where, FitError)
        n_params = count_parameters(self.n_components, rows.shape[1], self.covariance_type, self._heavy)
        check_fit(rows, self.n_components, n_params, names, where, quiet=not self._warns)
        self._init(_without_gaps(rows, self.n_components), runs)
        self._check()
        keep_names(self, names)
        if type(self.monitor_) is ConvergenceMonitor:
            for name in ("tol", "n_iter", "verbose"):  # which may have been set since the monitor was made
                setattr(self.monitor_, name, getattr(self, name))
        self.monitor_._reset()
        reached = self._climb(rows, runs)
        if self._warns and reached is not None:
            warn_of_outcome(self, rows, runs, reached)
        return self

    @property
    def _warns(self) -> bool:
        return self.prior is not None

    @property
    def _heavy(self) -> bool:
        return False

    def _climb(self, rows: Array, runs: NDArray[np.int64] | None) -> Climb | None:
        """Run EM in one go, or step by step where somebody listens; None where no iteration was asked for."""
        stepwise = self.verbose or type(self.monitor_) is not ConvergenceMonitor
        prior, reached = self._prior(rows), None
        for _ in range(self.n_iter if stepwise else min(self.n_iter, 1)):
            reached = climb(
                rows,
                self.params_,
                prior,
                covariance_type=self.covariance_type,
                n_iter=1 if stepwise else self.n_iter,
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
            if stepwise and self.monitor_.converged:
                break
        return reached

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
            return np.asarray(np.reshape(self._covars_, (self.n_components, -1))[:, :1, None] * np.eye(np.shape(self.means_)[1]))
        return np.array(self.covars_, dtype=np.float64)

    def _prior(self, X: Array) -> Prior:
        if self.prior is None:
            return unit_prior(self, X.shape[1], self.stickiness)
        own, hers = data_prior(X, self.n_components), unit_prior(self, X.shape[1], self.stickiness)
        return Prior(hers.start, hers.trans, own.mean, own.scatter, rows=own.rows)


def _without_gaps(X: Array, n_components: int) -> Array:
    """Rows to start from: those that are complete, or with gaps filled by the column's mean where those are too few."""
    whole = X[~np.isnan(X).any(axis=1)]
    if len(whole) == len(X) or len(whole) > 10 * max(X.shape[1], n_components):
        return whole
    return np.where(np.isnan(X), np.nanmean(X, axis=0), X)
