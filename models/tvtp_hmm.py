"""`TVTPHMM`: a hidden Markov model whose transition probabilities move with covariates."""

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from models.degenerate import DegenerateFitWarning
from models.em import CovarianceType, data_prior
from models.engine.filtering import filter_rows, log_densities
from models.engine.transitions import smooth_moving
from models.errors import FitError, ScoringError
from models.hmm import fit_hmm
from models.inference import Filtered, predict_moved
from models.observations import read_lengths, read_rows
from models.params import Array
from models.starts import sticky_start
from models.transitions import homogeneous_coefs, into_rows
from models.tvtp import TVTPFilter, TVTPParams, TVTPState
from models.tvtp_covariates import checked_covariates, units_of
from models.tvtp_em import MovingClimb, climb_moving
from models.tvtp_emissions import offsets_of


class TVTPHMM(BaseEstimator):  # type: ignore[misc]
    """HMM with Gaussian or Student-t states whose transitions are a multinomial logit of covariates (Filardo 1994).

    The covariates of row t - 1 drive the move to row t, so whatever is said of row t has seen x_1..x_t and z_1..z_{t-1}; only
    `predict_next_proba`, which speaks of t + 1, uses z_t. EM starts at the optimum of the model without covariates, so that they can only
    add to it, and from random slopes besides. A covariate that is missing counts as average.

    Parameters
    ----------
    n_components : number of states
    covariance_type : 'spherical', 'diag', 'tied' or 'full'
    ridge : inverse variance of the normal prior of the slopes, in log-odds per standard deviation of a covariate; infinite gives the
        homogeneous model
    stickiness : sessions that a sticky prior (`models.em.sticky_prior`) is worth in each state at average covariates
    dof : degrees of freedom that Student-t states start from; None for Gaussian states
    n_init : starts: one from no slopes, the others from random ones
    n_iter, tol : limits of EM: iterations, and the gain of log-posterior below which it stops
    random_state : of the random slopes

    Attributes
    ----------
    params_ : `models.tvtp.TVTPParams`
    log_lik_, objective_ : (n_iter,) log-likelihood and log-posterior of each iteration of the best start
    converged_ : whether the best start met `tol`
    spread_ : log-posterior of the best start minus that of the worst

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 1)) * np.repeat([[1.0], [3.0]], 100, axis=0)
    >>> z = np.sin(np.arange(200.0))[:, None]
    >>> model = TVTPHMM(2, random_state=0).fit(X, covariates=z)
    >>> model.predict_next_proba(X, z).shape
    (200, 2)
    """

    def __init__(
        self,
        n_components: int = 2,
        covariance_type: CovarianceType = "diag",
        ridge: float = 1.0,
        stickiness: float = 0.0,
        dof: float | None = None,
        n_init: int = 3,
        n_iter: int = 200,
        tol: float = 1e-3,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.ridge = ridge
        self.stickiness = stickiness
        self.dof = dof
        self.n_init = n_init
        self.n_iter = n_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: ArrayLike, covariates: ArrayLike, lengths: ArrayLike | None = None) -> Self:
        """Estimate the parameters by EM.

        Parameters
        ----------
        X : (n_obs, n_features), NaN where missing
        covariates : (n_obs, n_covariates), known when the row of X is, NaN where missing
        lengths : rows of each sequence in X; one sequence if None

        Raises
        ------
        FitError
            For a setting out of range, covariates that do not vary, too few rows, or where every start failed.
        """
        self._validate_params()
        rows, _ = read_rows(X, "TVTPHMM", FitError)
        runs = read_lengths(lengths, len(rows), "TVTPHMM", FitError)
        seen = checked_covariates(covariates, len(rows))
        center, scale = units_of(seen)
        z = np.nan_to_num((seen - center) / scale, nan=0.0)
        dof = np.inf if self.dof is None else float(self.dof)
        limits: dict[str, Any] = {"n_iter": self.n_iter, "tol": self.tol, "lengths": runs, "covariance_type": self.covariance_type}
        begin = [sticky_start(self.n_components, rows, dof)]
        base = fit_hmm(rows, self.n_components, kappa=self.stickiness, starts=begin, **limits).params
        prior = data_prior(rows, self.n_components, self.stickiness)
        flat = homogeneous_coefs(base.trans, z.shape[1])
        climbs = [climb_moving(rows, z, base, each, prior, ridge=self.ridge, **limits) for each in self._starts(flat)]
        reached = [each for each in climbs if not each.failed and len(each.objective)]
        if not reached:
            raise FitError(f"TVTPHMM: none of {len(climbs)} starts gave finite parameters; use fewer states, or look for extreme values")
        self._take(reached, center, scale)
        return self

    def _take(self, reached: list[MovingClimb], center: Array, scale: Array) -> None:
        tops = [float(each.objective[-1]) for each in reached]
        best = reached[int(np.argmax(tops))]
        self.params_ = TVTPParams(best.params, best.coefs, center, scale)
        self.log_lik_, self.objective_, self.converged_ = best.log_lik, best.objective, best.converged
        self.spread_ = max(tops) - min(tops)
        self.n_features_in_ = best.params.n_features
        if not self.converged_:
            words = f"TVTPHMM: EM did not converge in {len(best.objective)} iterations (raise n_iter, or tol, now {self.tol})"
            warnings.warn(words, DegenerateFitWarning, stacklevel=3)

    def _validate_params(self) -> None:
        if not self.ridge > 0.0:
            raise FitError(f"TVTPHMM: ridge is {self.ridge}; rule: above 0, infinite for no slopes")
        if self.n_init < 1:
            raise FitError(f"TVTPHMM: n_init is {self.n_init}; rule: at least 1")

    def _starts(self, flat: Array) -> list[Array]:
        rng, starts = check_random_state(self.random_state), [flat]
        off = ~np.eye(self.n_components, dtype=np.bool_)
        for _ in range(self.n_init - 1 if np.isfinite(self.ridge) else 0):
            each = flat.copy()
            each[off, 1:] = rng.normal(size=each[off, 1:].shape)
            starts.append(each)
        return starts

    def filter_proba(self, X: ArrayLike, covariates: ArrayLike, lengths: ArrayLike | None = None) -> Array:
        """p(state_t | x_1..x_t, z_1..z_{t-1}) of each row, (n_obs, n_states)."""
        return self._filter(X, covariates, lengths)[0].probs

    def predict_next_proba(self, X: ArrayLike, covariates: ArrayLike, lengths: ArrayLike | None = None) -> Array:
        """p(state_{t+1} | x_1..x_t, z_1..z_t) of each row, (n_obs, n_states): the one that uses the newest covariates."""
        filtered, leading = self._filter(X, covariates, lengths)
        return predict_moved(filtered.probs, leading)

    def score_next(self, X: ArrayLike, covariates: ArrayLike, lengths: ArrayLike | None = None) -> Array:
        """One-step log scores log p(x_t | x_1..x_{t-1}, z_1..z_{t-1}), (n_obs,)."""
        return self._filter(X, covariates, lengths)[0].log_next

    def smooth_proba(self, X: ArrayLike, covariates: ArrayLike, lengths: ArrayLike | None = None) -> Array:
        """p(state_t | all rows), (n_obs, n_states): it has seen the future, and is for looking back only."""
        rows, z, runs = self._rows(X, covariates, lengths)
        gamma, pairs = np.empty((self.n_components, len(rows))), np.empty((len(rows), self.n_components, self.n_components))
        dens = np.ascontiguousarray(log_densities(rows, self.params_.hmm).T)
        smooth_moving(self.params_.hmm.start, into_rows(self.params_.leading(z)), dens, offsets_of(len(rows), runs), gamma, pairs)
        return np.ascontiguousarray(gamma.T)

    def update(self, state: TVTPState | None, x: ArrayLike, z: ArrayLike) -> TVTPState:
        """Filter one new observation x with its covariates z: see `models.tvtp.TVTPFilter.update`."""
        check_is_fitted(self, "params_")
        online: TVTPFilter | None = getattr(self, "_online", None)
        if online is None or online.params is not self.params_:
            online = self._online = TVTPFilter(self.params_)
        return online.update(state, x, z)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_online"}

    def _filter(self, X: ArrayLike, covariates: ArrayLike, lengths: ArrayLike | None) -> tuple[Filtered, Array]:
        rows, z, runs = self._rows(X, covariates, lengths)
        dens, leading = log_densities(rows, self.params_.hmm), self.params_.leading(z)
        probs, log_next = np.empty_like(dens), np.empty(len(dens))
        filter_rows(dens, self.params_.hmm.start, into_rows(leading), offsets_of(len(rows), runs)[1:], probs, log_next)
        return Filtered(probs, log_next), leading

    def _rows(self, X: ArrayLike, covariates: ArrayLike, lengths: ArrayLike | None) -> tuple[Array, Array, NDArray[np.int64] | None]:
        check_is_fitted(self, "params_")
        rows, _ = read_rows(X, "TVTPHMM", ScoringError)
        runs = read_lengths(lengths, len(rows), "TVTPHMM", ScoringError)
        z = checked_covariates(covariates, len(rows))
        if z.shape[1] != self.params_.n_covariates:
            raise ScoringError(f"TVTPHMM: {z.shape[1]} covariates; rule: the {self.params_.n_covariates} the model was fitted on")
        return rows, z, runs
