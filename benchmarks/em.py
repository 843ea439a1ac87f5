"""EM of a Gaussian hidden Markov model with full covariances: the same iterations from the same start."""

import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.measure import Duel, Versus
from models.params import Array, HMMParams

ITERATIONS = 100
TOLERANCE = 1e-9
"""Relative, of every log-likelihood on the way: the same numbers are added up in another order."""

Fitted = tuple[HMMParams, Array]
"""Parameters after the last iteration, and log-likelihoods before each; what a peer does not tell of them is left empty."""


def draw(n_obs: int, n_features: int, n_states: int, seed: int = 3) -> Array:
    """Draw from persistent states with full covariances, (n_obs, n_features)."""
    rng = np.random.default_rng(seed)
    states = np.zeros(n_obs, dtype=np.int64)
    for t in range(1, n_obs):
        states[t] = states[t - 1] if rng.random() < 0.98 else rng.integers(n_states)
    means, roots = rng.normal(size=(n_states, n_features)), np.eye(n_features) + 0.3 * rng.normal(size=(n_states, n_features, n_features))
    return means[states] + np.einsum("tij,tj->ti", roots[states], rng.normal(size=(n_obs, n_features)))


def rough_start(X: Array, n_states: int) -> HMMParams:
    """Start as one that knows nothing would: means at some rows, the covariance of all."""
    rng = np.random.default_rng(4)
    trans = np.full((n_states, n_states), 0.1 / (n_states - 1))
    np.fill_diagonal(trans, 0.9)
    means = X[rng.choice(len(X), n_states, replace=False)]
    return HMMParams(np.full(n_states, 1.0 / n_states), trans, means, np.tile(np.cov(X.T), (n_states, 1, 1)))


def prepare_hmmlearn(n_obs: int, n_features: int, n_states: int, implementation: str, repeats: int) -> Duel:
    """Both are estimators with the same arguments, so checks of input count on both sides."""
    X = draw(n_obs, n_features, n_states)
    start = rough_start(X, n_states)

    def ours() -> Fitted:
        from benchmarks.peers.hmmlearn_em import fit
        from models import GaussianHMM

        return fit(GaussianHMM, X, start, ITERATIONS)

    def set_up_peer() -> Callable[[], Fitted]:
        from hmmlearn.hmm import GaussianHMM

        from benchmarks.peers.hmmlearn_em import fit

        return lambda: fit(GaussianHMM, X, start, ITERATIONS, implementation=implementation)

    warm_up(ours, "our EM")
    return Duel(ours, set_up_peer, _same, repeats=repeats, calls=5)


def prepare_dynamax(n_obs: int, n_features: int, n_states: int) -> Duel:
    X = draw(n_obs, n_features, n_states)
    start = rough_start(X, n_states)

    def ours() -> Fitted:
        from models.em import Prior, climb

        # dynamax's priors: Dirichlet(1.1), normal-inverse-Wishart with 1e-4 rows, scale 1e-4, D + .1 degrees of freedom
        flat, cell = np.full(n_states, 1.1), 1e-4 * np.eye(n_features)
        scatter = np.tile(cell, (n_states, 1, 1))
        prior = Prior(flat, np.tile(flat, (n_states, 1)), np.zeros((n_states, n_features)), scatter, 1e-4, 2.0 * n_features + 2.1)
        done = climb(X, start, prior, covariance_type="full", n_iter=ITERATIONS, tol=-np.inf)
        return done.params, np.empty(0)

    def set_up_peer() -> Callable[[], Fitted]:
        from benchmarks.peers.dynamax_em import compile_fit

        run = compile_fit(X, start, ITERATIONS)
        warm_up(run, "dynamax")
        return run

    def check(own: Fitted, theirs: Fitted) -> None:
        from models.engine.filtering import filter_history

        _same((own[0], np.array([filter_history(X, own[0]).log_lik])), (theirs[0], np.array([filter_history(X, theirs[0]).log_lik])))

    warm_up(ours, "our EM")
    return Duel(ours, set_up_peer, check, repeats=9, calls=5)


def warm_up(run: Callable[[], object], name: str) -> None:
    """Run once, so that what is compiled or read from a cache is not timed, and say what that took."""
    begin = time.process_time()
    run()
    first, begin = time.process_time() - begin, time.process_time()
    run()
    again = time.process_time() - begin
    print(f"  first run of {name}: {max(first - again, 0.0):.1f} CPU s more than the second", file=sys.stderr, flush=True)


def _same(ours: Fitted, peer: Fitted) -> None:
    np.testing.assert_allclose(ours[1], peer[1], rtol=TOLERANCE, atol=0)
    for name in ("start", "trans", "means", "scales"):
        np.testing.assert_allclose(getattr(ours[0], name), getattr(peer[0], name), rtol=1e-5, atol=1e-7, err_msg=name)


def _work(n_obs: int, n_features: int, n_states: int) -> str:
    return f"{ITERATIONS} EM iterations, {n_obs:,} x {n_features}, {n_states} states, full covariance"


SIZES = ((1000, 15.0, 9), (3000, 12.0, 9), (10_000, 10.0, 5))

WORKS = [
    *(
        Versus(
            _work(n_obs, 6, 3),
            'hmmlearn: fit, implementation="scaling"',
            floor,
            partial(prepare_hmmlearn, n_obs, 6, 3, "scaling", repeats),
        )
        for n_obs, floor, repeats in SIZES
    ),
    Versus(
        _work(3000, 6, 3),
        'hmmlearn: fit, as it is by default (implementation="log")',
        18.0,
        partial(prepare_hmmlearn, 3000, 6, 3, "log", 9),
    ),
    Versus(_work(3000, 6, 3), "dynamax: fit_em, compiled, 64 bits", 3.5, partial(prepare_dynamax, 3000, 6, 3), needs="dynamax"),
]
