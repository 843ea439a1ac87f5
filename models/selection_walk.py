"""One candidate on an expanding walk: refits, out-of-sample log scores, and what the last fit looks like."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from models.em import CovarianceType
from models.engine.filtering import filter_history
from models.engine.posterior import smooth_history
from models.errors import FitError
from models.hmm import HMMFit, count_parameters, fit_hmm
from models.identity import match
from models.inference import expected_dwell
from models.params import Array, HMMParams
from models.starts import COLD_GUARDS, START_DOF, cold_starts

Emission = Literal["gaussian", "student"]


@dataclass(frozen=True, order=True)
class Candidate:
    """A number of states and the form of their emissions."""

    n_states: int
    emission: Emission

    def __str__(self) -> str:
        """How it is called in tables and sentences."""
        return f"K={self.n_states} {'Student-t' if self.emission == 'student' else 'Gaussian'}"


CANDIDATES = tuple(Candidate(k, emission) for k in (1, 2, 3, 4) for emission in ("gaussian", "student"))


@dataclass(frozen=True)
class WalkSettings:
    """How candidates are fitted and judged; the same for all of them.

    Attributes
    ----------
    min_history : rows before the first refit
    n_blocks : refits of the walk; each scores the rows up to the next
    kappa : sessions that the sticky prior is worth in each state
    n_init : starts of the first refit; later ones take the last parameters and the sticky start
    n_iter, tol : limits of EM
    covariance_type : of every state
    seed : of the further starts
    """

    min_history: int = 1008
    n_blocks: int = 8
    kappa: float = 100.0
    n_init: int = 4
    n_iter: int = 300
    tol: float = 1e-3
    covariance_type: CovarianceType = "diag"
    seed: int = 0


@dataclass(frozen=True)
class Trial:
    """What became of a candidate.

    Attributes
    ----------
    candidate : Candidate
    log_next : (n_out,) out-of-sample one-step log scores, of the rows from `min_history` on
    params : of the last fit, on all rows
    bic, icl : of the last fit; ICL is BIC plus twice the entropy of the smoothed probabilities (an upper bound of the path's entropy)
    occupancy : share of rows of the rarest state, by smoothed probabilities
    dwell : expected rows in the shortest-lived state, 1 / (1 - a_kk)
    churn : mean over refits of the share of common rows whose most probable state changed, states matched
    converged : whether EM of the last fit met its tolerance
    failure : why it could not be fitted; empty where it could
    """

    candidate: Candidate
    log_next: Array
    params: HMMParams | None = None
    bic: float = float("nan")
    icl: float = float("nan")
    occupancy: float = float("nan")
    dwell: float = float("nan")
    churn: float = float("nan")
    converged: bool = False
    failure: str = ""


def refit_rows(n_obs: int, settings: WalkSettings) -> NDArray[np.int64]:
    """Rows that each refit has seen, (n_blocks + 1,): from `min_history` to all of them, evenly."""
    return np.linspace(settings.min_history, n_obs, settings.n_blocks + 1).astype(np.int64)


def try_candidate(X: Array, candidate: Candidate, settings: WalkSettings) -> Trial:
    """Walk one candidate over the rows; a fit that fails ends it, and says why.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    """
    rng = np.random.default_rng([settings.seed, candidate.n_states, candidate.emission == "student"])
    ends = refit_rows(len(X), settings)
    scores, changed = [], []
    try:
        fit = _fit(X[: ends[0]], candidate, settings, rng, None)
        for seen, end in pairwise(ends):
            before = filter_history(X[:end], fit.params)
            scores.append(before.log_next[seen:])
            fit = _matched(fit.params, _fit(X[:end], candidate, settings, rng, fit.params))
            after = filter_history(X[:end], fit.params)
            changed.append(np.mean(before.probs.argmax(axis=1) != after.probs.argmax(axis=1)))
    except FitError as error:
        return Trial(candidate, np.full(len(X) - settings.min_history, np.nan), failure=str(error))
    return _judged(X, candidate, settings, fit, np.concatenate(scores), float(np.mean(changed)))


def _fit(X: Array, candidate: Candidate, settings: WalkSettings, rng: np.random.Generator, warm: HMMParams | None) -> HMMFit:
    dof = START_DOF if candidate.emission == "student" else np.inf
    fit = fit_hmm(
        X,
        candidate.n_states,
        kappa=settings.kappa,
        starts=cold_starts(COLD_GUARDS if warm else settings.n_init, candidate.n_states, X, rng, dof),
        last=warm,
        n_iter=settings.n_iter,
        tol=settings.tol,
        covariance_type=settings.covariance_type,
    )
    if not np.isfinite(fit.params.means).all():
        raise FitError(f"a state was left without any of the first {len(X)} rows; use fewer states")
    return fit


def _matched(before: HMMParams, fit: HMMFit) -> HMMFit:
    order = match(before, fit.params)
    return HMMFit(fit.params.reordered(order), fit.log_posterior, fit.spread, fit.n_iter, fit.converged, fit.fell)


def _judged(X: Array, candidate: Candidate, settings: WalkSettings, fit: HMMFit, scores: Array, churn: float) -> Trial:
    n_params = count_parameters(candidate.n_states, X.shape[1], settings.covariance_type, heavy=candidate.emission == "student")
    smoothed = smooth_history(X, fit.params)
    bic = -2.0 * filter_history(X, fit.params).log_lik + n_params * float(np.log(len(X)))
    return Trial(
        candidate,
        scores,
        fit.params,
        bic,
        bic + 2.0 * float(entr(smoothed).sum()),
        float(smoothed.mean(axis=0).min()),
        float(expected_dwell(fit.params.trans).min()),
        churn,
        fit.converged,
    )
