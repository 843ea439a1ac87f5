"""`StudentTHMM`: a hidden Markov model whose states have heavy tails."""

from typing import Any, Literal

import numpy as np
from numpy.random import RandomState

from models.em import Climb
from models.engine.filtering import log_densities
from models.gaussian_hmm import GaussianHMM
from models.params import Array, HMMParams


class StudentTHMM(GaussianHMM):
    """HMM with multivariate Student-t emissions, fitted by ECM with scale weights (Peel and McLachlan 2000; Liu and Rubin 1995).

    A day far out counts for less in a state's mean and scale, so that one crash does not make a regime. Degrees of freedom are
    estimated under a Gamma(2, .1) prior (Juarez and Steel 2010), at least 3.

    Parameters
    ----------
    dof : degrees of freedom to start from, or to keep where 'd' is not in `params`
    shared_dof : whether all states have the same
    prior : 'data' by default, as the degrees of freedom are under a prior in any case
    **gaussian : as of `GaussianHMM`; `n_iter` is 100 by default

    Attributes
    ----------
    dof_ : (n_components,) degrees of freedom
    covars_ : scale matrices; the covariances are `params_.covars`, dof / (dof - 2) times as large
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
        n_iter: int = 100,
        tol: float = 1e-2,
        verbose: bool = False,
        params: str = "stmcd",
        init_params: str = "stmcd",
        implementation: str = "log",
        prior: Literal["data"] | None = "data",
        stickiness: float = 0.0,
        dof: float = 10.0,
        shared_dof: bool = False,
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
            prior=prior,
            stickiness=stickiness,
        )
        self.dof = dof
        self.shared_dof = shared_dof

    @property
    def params_(self) -> HMMParams:
        """Parameters in the form that the filter reads."""
        gaussian = super().params_
        return HMMParams(gaussian.start, gaussian.trans, gaussian.means, gaussian.scales, np.asarray(self.dof_, dtype=np.float64))

    def _init(self, X: Array, lengths: Any = None) -> None:
        super()._init(X, lengths)
        if self._needs_init("d", "dof_"):
            self.dof_ = np.full(self.n_components, float(self.dof))

    @property
    def _warns(self) -> bool:
        return True

    @property
    def _heavy(self) -> bool:
        return True

    def _heavy_tails(self) -> dict[str, Any]:
        return {"shared_dof": self.shared_dof}

    def _take(self, reached: Climb) -> None:
        super()._take(reached)
        self.dof_ = reached.params.dof

    def _get_n_fit_scalars_per_param(self) -> dict[str, int]:
        return {**super()._get_n_fit_scalars_per_param(), "d": 1 if self.shared_dof else self.n_components}

    def _compute_log_likelihood(self, X: Array) -> Array:
        return log_densities(np.asarray(X, dtype=np.float64), self.params_)

    def _generate_sample_from_state(self, state: int, random_state: RandomState) -> Array:
        normal = random_state.multivariate_normal(np.zeros(self.n_features), self.covars_[state])
        return np.asarray(self.means_[state] + normal / np.sqrt(random_state.chisquare(self.dof_[state]) / self.dof_[state]))
