"""Fitting a Gaussian HMM that stays in its states: hmmlearn's EM with a sticky prior and starts that suit daily data."""

import logging
import warnings
from dataclasses import dataclass

import numpy as np
from hmmlearn.hmm import GaussianHMM
from numpy.typing import NDArray

from models.errors import FitError
from models.inference import Array, HMMParams

START_DIAGONAL = 0.98
VARIANCE_SPAN = (0.5, 2.0)
"""Start of EM: persistent states with common means that differ in variance (random starts settle in an i.i.d. mixture)."""

PRIOR_ROWS = 5.0
"""Weight of the variance prior, in rows at the pooled variance: keeps a state from collapsing on a few days."""


class DegenerateFitWarning(UserWarning):
    """A fit ended without converging or with a state that hardly occurs."""


@dataclass(frozen=True)
class HMMFit:
    """A fitted model and how it was reached.

    Attributes
    ----------
    params : states in the order EM left them
    log_posterior : log-likelihood plus log priors (without their constants) at the last step of EM, of the best start
    spread : log-posterior of the best start minus that of the worst
    n_iter : EM iterations of the best start
    converged : whether the best start met `tol`
    """

    params: HMMParams
    log_posterior: float
    spread: float
    n_iter: int
    converged: bool


class _PosteriorHMM(GaussianHMM):  # type: ignore[misc]
    """Stop EM by the posterior it climbs: under a prior the likelihood alone can fall long before the top."""

    def _compute_lower_bound(self, curr_logprob: float) -> float:
        return curr_logprob + log_prior(self.transmat_, self._covars_, self.transmat_prior, self.covars_prior, self.covars_weight)


def log_prior(trans: Array, variances: Array, counts: Array, scatter: Array, weight: float) -> float:
    """Log prior of transitions and variances, without its constants.

    Parameters
    ----------
    counts : (n_states, n_states) Dirichlet parameters of the transitions
    scatter, weight : (n_features,) sum of squares, and rows plus one, that the prior adds to each state's variances
    """
    held = counts > 1.0  # a count of one is no prior, whatever the probability
    transitions = ((counts - 1.0)[held] * np.log(trans[held])).sum()
    return float(transitions - 0.5 * ((weight - 1.0) * np.log(variances) + scatter / variances).sum())


def sticky_start(n_components: int, X: Array) -> HMMParams:
    """Start of EM that suits daily data: `START_DIAGONAL`, common means, variances spread by `VARIANCE_SPAN`."""
    trans = np.full((n_components, n_components), (1.0 - START_DIAGONAL) / max(n_components - 1, 1))
    np.fill_diagonal(trans, START_DIAGONAL if n_components > 1 else 1.0)
    scale = np.geomspace(*VARIANCE_SPAN, n_components)[:, None]
    means = np.tile(X.mean(axis=0), (n_components, 1))
    return HMMParams(np.full(n_components, 1.0 / n_components), trans, means, scale * X.var(axis=0))


def jittered(params: HMMParams, rng: np.random.Generator) -> HMMParams:
    """Give another start near `params`: means moved by half a standard deviation, variances by half a log unit."""
    means = params.means + 0.5 * np.sqrt(params.variances) * rng.normal(size=params.means.shape)
    return HMMParams(params.start, params.trans, means, params.variances * np.exp(0.5 * rng.normal(size=params.means.shape)))


def fit_hmm(
    X: Array,
    n_components: int,
    *,
    kappa: float,
    starts: list[HMMParams],
    n_iter: int,
    tol: float,
    lengths: NDArray[np.int64] | None = None,
) -> HMMFit:
    """Fit by EM from each start and keep the best posterior.

    Maximises the log-likelihood plus a Dirichlet prior on each row of the transition matrix, 1 + `kappa` on the
    diagonal and 1 elsewhere (sticky prior), and a prior of `PRIOR_ROWS` rows at the pooled variance.

    Parameters
    ----------
    X : (n_obs, n_features), complete and on the unit scale
    kappa : pseudo-counts of staying in a state
    starts : where EM begins
    lengths : rows of each contiguous sequence in `X`; one sequence if None

    Raises
    ------
    FitError
        If there are too few rows for the parameters, or every start failed.
    """
    n_params = n_components * (n_components - 1 + 2 * X.shape[1])
    if len(X) < 5 * n_params:
        raise FitError(
            f"fit_hmm: {len(X)} rows for {n_params} parameters; rule: at least 5 rows a parameter. Use fewer states, "
            "fewer columns or more history"
        )
    fits = [fit for start in starts if (fit := _fit_safely(X, start, kappa, n_iter, tol, lengths)) is not None]
    if not fits:
        raise FitError(f"fit_hmm: none of {len(starts)} starts gave finite parameters; look for constant or extreme columns")
    best = max(fits, key=lambda fit: fit.log_posterior)
    spread = best.log_posterior - min(fit.log_posterior for fit in fits)
    return HMMFit(best.params, best.log_posterior, spread, best.n_iter, best.converged)


def _fit_safely(X: Array, start: HMMParams, kappa: float, n_iter: int, tol: float, lengths: NDArray[np.int64] | None) -> HMMFit | None:
    # scaled recursions are five times as fast; a day far beyond every state underflows them, and logarithms stand that
    fast = _fit_from(X, start, kappa, n_iter, tol, lengths, "scaling")
    return fast or _fit_from(X, start, kappa, n_iter, tol, lengths, "log")


def _fit_from(
    X: Array, start: HMMParams, kappa: float, n_iter: int, tol: float, lengths: NDArray[np.int64] | None, implementation: str
) -> HMMFit | None:
    n_components = start.n_states
    model = _PosteriorHMM(
        n_components,
        covariance_type="diag",
        init_params="",
        n_iter=n_iter,
        tol=tol,
        implementation=implementation,
        transmat_prior=1.0 + kappa * np.eye(n_components),
        covars_prior=PRIOR_ROWS * X.var(axis=0),
        covars_weight=1.0 + PRIOR_ROWS,
    )
    model.startprob_, model.transmat_, model.means_ = start.start, start.trans, start.means
    model.covars_ = start.variances
    quiet = logging.getLogger("hmmlearn.base")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL)  # what it logs on convergence is said below, as a warning
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            model.fit(X, None if lengths is None else list(lengths))
    except ValueError:
        return None  # a start can run into a singular covariance: the others stand
    finally:
        quiet.setLevel(level)
    params = HMMParams(model.startprob_, model.transmat_, model.means_, np.array([np.diag(c) for c in model.covars_]))
    if not all(np.isfinite(a).all() for a in (params.start, params.trans, params.means, params.variances)):
        return None
    history = list(model.monitor_.history)
    converged = len(history) > 1 and bool(history[-1] - history[-2] < tol)
    return HMMFit(params, float(history[-1]), 0.0, len(history), converged)


def warn_if_degenerate(fit: HMMFit, occupancy: Array, min_occupancy: float, where: str) -> bool:
    """Warn of a fit that should not be relied on; returns whether it is degenerate."""
    reasons = []
    if not fit.converged:
        reasons.append(f"EM did not converge in {fit.n_iter} iterations (raise n_iter)")
    if occupancy.min() < min_occupancy:
        reasons.append(
            f"state {int(occupancy.argmin())} holds {occupancy.min():.1%} of the days, under {min_occupancy:.0%} (use fewer states)"
        )
    if reasons:
        warnings.warn(f"{where}: {'; '.join(reasons)}", DegenerateFitWarning, stacklevel=2)
    return bool(reasons)
