"""EM with hmmlearn's estimator, or one with the same arguments, from a given start."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.params import HMMParams

Array = NDArray[np.float64]


def fit(kind: Any, X: Array, start: HMMParams, n_iter: int, tol: float = -np.inf, **options: Any) -> tuple[HMMParams, Array]:
    """Fit by `n_iter` iterations, or until one gains less than `tol`.

    Returns
    -------
    parameters, and the log-likelihood before each iteration
    """
    model = kind(start.n_states, covariance_type="full", n_iter=n_iter, tol=tol, init_params="", **options)
    model.startprob_, model.transmat_ = start.start.copy(), start.trans.copy()
    model.means_, model.covars_ = start.means.copy(), start.scales.copy()
    model.fit(X)
    found = HMMParams(model.startprob_, model.transmat_, model.means_, np.asarray(model.covars_))
    return found, np.array(model.monitor_.history)


def best_of_random(X: Array, n_states: int, n_starts: int, n_iter: int, tol: float) -> HMMParams:
    """Keep the best of some random starts, as one writes it with hmmlearn."""
    from hmmlearn.hmm import GaussianHMM

    best, top = None, -np.inf
    for seed in range(n_starts):
        model = GaussianHMM(n_states, covariance_type="full", n_iter=n_iter, tol=tol, random_state=seed).fit(X)
        score = model.score(X)
        if score > top:
            best, top = model, score
    if best is None:
        raise ValueError(f"none of {n_starts} starts gave a number")
    return HMMParams(best.startprob_, best.transmat_, best.means_, np.asarray(best.covars_))
