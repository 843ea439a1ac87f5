"""EM for hidden Markov models: from starting parameters to a maximum of likelihood or posterior."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.emissions import patterns
from models.engine.em import CONVERGED, IMPOSSIBLE, SINGULAR, run_em
from models.engine.maximise import DIAG, FULL, SPHERICAL, TIED
from models.engine.quadratic import augmented
from models.params import Array, HMMParams

CovarianceType = Literal["spherical", "diag", "tied", "full"]

KINDS = {"spherical": SPHERICAL, "diag": DIAG, "tied": TIED, "full": FULL}

PRIOR_ROWS = 1.0
"""Rows at the pooled variance that a prior on the scale of the data adds to each state (unit information, Kass and Wasserman 1995): keeps
one from collapsing on a few days. Five cost .016 nats a day out of sample in the benchmark's walk, more where a state's variance is far
below the pooled one (tests/recovery/test_priors.py)."""

STAYING = 0.99
"""Share of a sticky prior's sessions on which the state stays. With all of them a move that was never seen becomes impossible, and the day
on which it comes ruinous: .024 nats a day in the benchmark's walk, three quarters of it on one day (tests/recovery/test_priors.py)."""

DOF_SHAPE, DOF_RATE = 2.0, 0.1
"""Gamma prior of the degrees of freedom (Juarez and Steel 2010): mode 10, mean 20."""


@dataclass(frozen=True)
class Prior:
    """Priors of all parameters, in hmmlearn's meaning.

    Attributes
    ----------
    start, trans : (n_states,), (n_states, n_states) Dirichlet parameters; one is none
    mean : (n_states, n_features), worth `mean_rows` rows of a state
    scatter : (n_states, n_features, n_features) sums of squares added to those of a state, worth `rows` rows (tied: the first alone)
    """

    start: Array
    trans: Array
    mean: Array
    scatter: Array
    mean_rows: float = 0.0
    rows: float = 0.0

    def rescaled(self, center: Array, scale: Array) -> "Prior":
        """Same prior for observations x * scale + center, in place of x."""
        return replace(self, mean=self.mean * scale + center, scatter=self.scatter * np.outer(scale, scale))


def sticky_prior(n_states: int, kappa: float) -> Array:
    """Dirichlet parameters of the transitions, (n_states, n_states): `kappa` sessions in each state, `STAYING` of them followed by it.

    Stickiness is that of Fox et al. (2011), who leave the moves their flat prior.
    """
    moves = kappa * (1.0 - STAYING) / max(n_states - 1, 1)
    return 1.0 + np.where(np.eye(n_states, dtype=np.bool_), kappa * STAYING if n_states > 1 else kappa, moves)


def data_prior(X: Array, n_states: int, kappa: float = 0.0) -> Prior:
    """Sticky prior with variances on the scale of the data.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    kappa : as of `sticky_prior`
    """
    _, scale = standardisation(X)
    scatter = np.tile(PRIOR_ROWS * np.diag(scale**2), (n_states, 1, 1))
    return Prior(np.ones(n_states), sticky_prior(n_states, kappa), np.zeros((n_states, X.shape[1])), scatter, rows=PRIOR_ROWS)


@dataclass(frozen=True)
class Climb:
    """Where EM went from one start.

    Attributes
    ----------
    params : after the last iteration
    log_lik, objective : (n_iter,) of the parameters before each iteration; the objective has the log prior in it where it counts
    status : of `models.engine.em`
    """

    params: HMMParams
    log_lik: Array
    objective: Array
    status: int

    @property
    def converged(self) -> bool:
        """Whether the last gain was below the tolerance."""
        return self.status == CONVERGED

    @property
    def failed(self) -> str:
        """What went wrong, in words; empty where nothing did."""
        words = {SINGULAR: "a state collapsed: its covariance is not positive definite", IMPOSSIBLE: "a state's numbers left their range"}
        return words.get(self.status, "")


def climb(
    X: Array,
    start: HMMParams,
    prior: Prior,
    *,
    covariance_type: CovarianceType = "diag",
    n_iter: int,
    tol: float,
    lengths: NDArray[np.int64] | None = None,
    update: str = "stmcd",
    shared_dof: bool = False,
    maximum_posterior: bool = True,
    jitter: float = 0.0,
) -> Climb:
    """Run EM from `start` (Baum et al. 1970; with scale weights for Student-t states, Peel and McLachlan 2000).

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    start : finite degrees of freedom make a state Student-t
    n_iter, tol : limits: iterations, and the gain below which it stops
    lengths : rows of each contiguous sequence in `X`; one sequence if None
    update : what is estimated: s(tart), t(ransitions), m(eans), c(ovariances), d(egrees of freedom)
    shared_dof : whether all states have the same degrees of freedom
    maximum_posterior : whether the priors belong to the objective that must rise
    jitter : variance added to a state whose covariance is not positive definite, before it is called collapsed
    """
    lengths = np.array([len(X)]) if lengths is None else np.asarray(lengths)
    start = entered(X, start, prior, covariance_type, lengths, "m" if "m" in update else "")
    center, scale = standardisation(X, common=covariance_type == "spherical")
    rows = (X - center) / scale
    inside, priors = start.rescaled(-center / scale, 1.0 / scale), prior.rescaled(-center / scale, 1.0 / scale)
    params = tuple(np.array(each, dtype=np.float64, order="C") for each in _tuple(inside))
    history = np.zeros((n_iter, 2))
    n_done, status = run_em(
        augmented(rows),
        gap_patterns(rows),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        params,
        prior_numbers(priors),
        KINDS[covariance_type],
        (*(letter in update for letter in "stmc"), "d" in update and bool(np.isfinite(start.dof).any())),
        shared_dof,
        maximum_posterior,
        n_iter,
        tol,
        jitter / scale**2,
        history,
    )
    shift = (~np.isnan(rows)).sum(axis=0) @ np.log(scale)
    prior_shift = 2.0 * prior.rows * np.log(scale).sum() * 0.5 * (1 if covariance_type == "tied" else start.n_states)
    log_lik = history[:n_done, 0] - shift
    objective = history[:n_done, 1] - shift - (prior_shift if maximum_posterior else 0.0)
    if maximum_posterior:  # any row is as good for a state that is never left: it keeps the one it came with
        never = ~params[1].any(axis=1)
        params[1][never] = start.trans[never]
    return Climb(HMMParams(*params).rescaled(center, scale), log_lik, objective, status)


def of_type(params: HMMParams, covariance_type: CovarianceType) -> bool:
    """Whether the scales are of a covariance type."""
    if covariance_type == "tied":
        return bool(np.allclose(params.scales, params.scales[0], rtol=1e-9, atol=0.0))
    if covariance_type == "spherical":
        return bool(np.allclose(params.scales, params.scales[:, :1, :1] * np.eye(params.n_features), rtol=1e-9, atol=0.0))
    return covariance_type == "full" or params.diagonal


def entered(
    X: Array, start: HMMParams, prior: Prior, covariance_type: CovarianceType, lengths: NDArray[np.int64] | None, update: str = "m"
) -> HMMParams:
    """Step into the covariance type from scales that may tell states apart: the gain of it would say nothing of convergence."""
    if of_type(start, covariance_type):
        return start
    step = climb(X, start, prior, covariance_type="full", n_iter=1, tol=0.0, lengths=lengths, update=update).params
    scales = np.tile(start.scales.mean(axis=0), (start.n_states, 1, 1)) if covariance_type == "tied" else start.scales * np.eye(X.shape[1])
    if covariance_type == "spherical":
        scales = np.trace(scales, axis1=1, axis2=2)[:, None, None] / X.shape[1] * np.eye(X.shape[1])
    return replace(step, scales=scales)


def standardisation(X: Array, common: bool = False) -> tuple[Array, Array]:
    """Mean and standard deviation of the columns, (n_features,) each; one for all where `common`, and 1 for a constant column."""
    columns = np.ascontiguousarray(X.T)  # sums along a row of memory take a fifth of the time of sums across
    if np.isnan(columns).any():
        center, scale = np.nanmean(columns, axis=1), np.nanstd(columns, axis=1)
    else:
        center, scale = columns.mean(axis=1), columns.std(axis=1)
    scale = np.where(scale > 0.0, scale, 1.0)
    return center, np.full_like(scale, np.sqrt(np.mean(scale**2))) if common else scale


def _tuple(params: HMMParams) -> tuple[Array, ...]:
    return params.start, params.trans, params.means, params.scales, params.dof


def prior_numbers(prior: Prior) -> tuple[Array | float, ...]:
    """Priors as `models.engine.em.run_em` takes them."""
    arrays = (np.ascontiguousarray(each, dtype=np.float64) for each in (prior.start, prior.trans, prior.mean))
    start, trans, mean = arrays
    scatter = np.ascontiguousarray(prior.scatter, dtype=np.float64)
    return start, trans, mean, float(prior.mean_rows), scatter, float(prior.rows), DOF_SHAPE, DOF_RATE


def gap_patterns(X: Array) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Rows with something missing, the pattern of each, and the columns of each pattern."""
    incomplete = [(seen, rows) for seen, rows in patterns(X) if not seen.all()]
    rows = np.concatenate([rows for _, rows in incomplete] or [np.empty(0, np.int64)]).astype(np.int64)
    which = np.concatenate([np.full(len(rows), m) for m, (_, rows) in enumerate(incomplete)] or [np.empty(0, np.int64)]).astype(np.int64)
    seen = np.array([seen for seen, _ in incomplete], dtype=np.bool_).reshape(len(incomplete), X.shape[1])
    return rows, which, seen
