"""A hidden Markov model whose transitions are driven by covariates: its parameters and its filter. NumPy alone, nothing is compiled."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.emissions import log_density
from models.errors import ScoringError
from models.inference import Filtered, filter_densities, filter_step, predict_moved
from models.online import FilterState, OnlineFilter, observation
from models.params import Array, HMMParams
from models.transitions import into_rows, transition_matrices


@dataclass(frozen=True)
class TVTPParams:
    """Parameters of an HMM with time-varying transition probabilities.

    Attributes
    ----------
    hmm : start and emissions; its `trans` is the matrix at average covariates
    coefs : (n_states, n_states, 1 + n_covariates) as of `models.transitions.transition_matrices`, for standardised covariates
    center, scale : (n_covariates,) mean and standard deviation of the covariates over the rows of the fit
    """

    hmm: HMMParams
    coefs: Array
    center: Array
    scale: Array

    @property
    def n_covariates(self) -> int:
        """Number of covariates."""
        return len(self.center)

    def standardised(self, covariates: Array) -> Array:
        """Covariates (n_obs, n_covariates) in the units of `coefs`; one that is missing counts as average, so that it moves nothing."""
        return np.nan_to_num((covariates - self.center) / self.scale, nan=0.0)

    def leading(self, covariates: Array) -> Array:
        """p(state_{t+1} | state_t, z_t) of each row, (n_obs, n_states, n_states): matrix t leads from t to t + 1."""
        return transition_matrices(self.coefs, self.standardised(covariates))

    def reordered(self, order: NDArray[np.int64]) -> "TVTPParams":
        """Same model with its states in another order."""
        return replace(self, hmm=self.hmm.reordered(order), coefs=self.coefs[np.ix_(order, order)])

    def recentred(self, center: Array, scale: Array) -> "TVTPParams":
        """Same model with its coefficients for covariates in other units: (z - center) / scale."""
        slopes = self.coefs[:, :, 1:] * (scale / self.scale)
        intercepts = self.coefs[:, :, 0] + self.coefs[:, :, 1:] @ ((center - self.center) / self.scale)
        coefs = np.concatenate([intercepts[:, :, None], slopes], axis=2)
        average = transition_matrices(coefs, np.zeros((1, self.n_covariates)))[0]
        return TVTPParams(replace(self.hmm, trans=average), coefs, center, scale)


class TVTPState(NamedTuple):
    """What is carried from one observation to the next.

    Attributes
    ----------
    probs : (n_states,) p(state_t | x_1..x_t, z_1..z_{t-1})
    log_next : log p(x_t | x_1..x_{t-1}, z_1..z_{t-1}) of the newest observation
    next_probs : (n_states,) p(state_{t+1} | x_1..x_t, z_1..z_t): here the newest covariates have been used
    """

    probs: Array
    log_next: float
    next_probs: Array


def filter_sequence(X: Array, covariates: Array, params: TVTPParams) -> Filtered:
    """Filter one sequence: row t has seen x_1..x_t and z_1..z_{t-1}, as the covariates of row t - 1 drive the move to t.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    covariates : (n_obs, n_covariates), known when the row of X is; NaN counts as average
    """
    return filter_densities(log_density(X, params.hmm), params.hmm.start, into_rows(params.leading(covariates)))


class Moving(NamedTuple):
    """Outcome of `filter_onward`: each row's `TVTPState`, stacked.

    Attributes
    ----------
    probs : (n_obs, n_states) p(state_t | x_1..x_t, z_1..z_{t-1})
    log_next : (n_obs,) log p(x_t | x_1..x_{t-1}, z_1..z_{t-1})
    next_probs : (n_obs, n_states) p(state_{t+1} | x_1..x_t, z_1..z_t)
    """

    probs: Array
    log_next: Array
    next_probs: Array


def filter_onward(X: Array, covariates: Array, params: TVTPParams, prior: Array | None = None) -> Moving:
    """Filter rows that follow others: as `filter_sequence`, and with what the last row's covariates lead to.

    Parameters
    ----------
    prior : (n_states,) `next_probs` of the row before the first; the model's `start` if None
    """
    dens, leading = log_density(X, params.hmm), params.leading(covariates)
    out = Moving(np.empty_like(dens), np.empty(len(dens)), np.empty_like(dens))
    belief = params.hmm.start if prior is None else prior
    for t in range(len(dens)):
        out.probs[t], out.log_next[t] = filter_step(belief, dens[t])
        belief = out.next_probs[t] = out.probs[t] @ leading[t]
    return out


class TVTPFilter:
    """The filter made ready for one observation after another.

    Parameters
    ----------
    params : of the model
    """

    def __init__(self, params: TVTPParams) -> None:
        self.params = params
        self._emissions = OnlineFilter(replace(params.hmm, trans=np.eye(params.hmm.n_states)))

    def update(self, state: TVTPState | None, x: ArrayLike, z: ArrayLike) -> TVTPState:
        """Filter one observation, and say where its covariates lead.

        Parameters
        ----------
        state : what the last update gave; None before the first observation
        x : (n_features,), NaN where missing
        z : (n_covariates,) of the row of x: it is not in `probs`, and drives the move to the next row

        Raises
        ------
        ScoringError
            For an observation or covariates of another length, or infinite.
        """
        belief = self.params.hmm.start if state is None else state.next_probs
        newest = observation(x, self.params.hmm.n_features)
        nothing = bool(np.isnan(newest).all())
        seen = FilterState(belief, 0.0) if nothing else self._emissions.update(belief, newest)
        row = np.asarray(z, dtype=np.float64)
        if row.shape != (self.params.n_covariates,):
            raise ScoringError(f"update: covariates of shape {row.shape}; rule: ({self.params.n_covariates},), as in the fit")
        if np.isinf(row).any():
            raise ScoringError(f"update: covariate {int(np.isinf(row).argmax())} is infinite; rule: finite numbers, NaN where missing")
        moved = predict_moved(seen.probs[None], self.params.leading(row[None]))[0]
        return TVTPState(seen.probs, seen.log_next, moved)
