"""EM for a hidden Markov model whose transitions are driven by covariates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.em import Climb, CovarianceType, Prior, entered
from models.engine.em import CONVERGED, IMPOSSIBLE, RAN_OUT, SINGULAR
from models.engine.transitions import smooth_moving
from models.params import Array, HMMParams
from models.transitions import into_rows, log_prior, maximise_coefs, transition_matrices
from models.tvtp_emissions import EmissionSteps, offsets_of


@dataclass(frozen=True)
class MovingClimb(Climb):
    """Where EM went from one start; `trans` of the parameters is the matrix at average covariates.

    Attributes
    ----------
    coefs : (n_states, n_states, 1 + n_covariates) of the transitions
    """

    coefs: Array


def climb_moving(
    X: Array,
    covariates: Array,
    start: HMMParams,
    coefs: Array,
    prior: Prior,
    *,
    ridge: float,
    covariance_type: CovarianceType = "diag",
    n_iter: int,
    tol: float,
    lengths: NDArray[np.int64] | None = None,
) -> MovingClimb:
    """Climb the posterior by EM (Diebold, Lee and Weinbach 1994, section 3; the logit's step is Newton's, not their linear one).

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    covariates : (n_obs, n_covariates) standardised, nothing missing; row t drives the move from t to t + 1
    start : of start probabilities and emissions; finite degrees of freedom make a state Student-t
    coefs : of transitions to begin with
    prior : of emissions, and Dirichlet counts of the transition matrix at average covariates
    ridge : inverse variance of the slopes' normal prior; infinite keeps them at 0
    n_iter, tol : limits: iterations, and the gain below which it stops
    lengths : rows of each contiguous sequence in `X`; one sequence if None
    """
    start = entered(X, start, prior, covariance_type, lengths)
    emissions, offsets = EmissionSteps(X, start, prior, covariance_type), offsets_of(len(X), lengths)
    first = np.zeros(len(X), dtype=np.bool_)
    first[offsets[:-1]] = True
    before = np.flatnonzero(~first) - 1
    began, current = start.start.copy(), coefs.copy()
    gamma, pairs = np.empty_like(emissions.dens), np.empty((len(X), start.n_states, start.n_states))
    history: list[tuple[float, float]] = []
    status = RAN_OUT
    for _ in range(n_iter):
        if not emissions.expect():
            status = SINGULAR
            break
        log_lik = smooth_moving(began, into_rows(transition_matrices(current, covariates)), emissions.dens, offsets, gamma, pairs)
        if not np.isfinite(log_lik):
            status = IMPOSSIBLE
            break
        log_lik = emissions.in_units(log_lik)
        history.append((log_lik, log_lik + emissions.log_prior() + log_prior(current, prior.trans, ridge)))
        began = gamma[:, offsets[:-1]].sum(axis=1) / len(offsets[:-1])
        current = maximise_coefs(current, covariates[before], pairs[before + 1], prior.trans, ridge)
        emissions.maximise(gamma)
        if len(history) > 1 and history[-1][1] - history[-2][1] < tol:
            status = CONVERGED
            break
    average = transition_matrices(current, np.zeros((1, covariates.shape[1])))[0]
    done = np.array(history).reshape(len(history), 2)
    return MovingClimb(emissions.params(began, average), done[:, 0], done[:, 1], status, current)
