"""Walk-forward with honest refits: every parameter comes from the past of the days it is judged on."""

import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.em import TOLERANCE, draw, warm_up
from benchmarks.measure import Duel, Versus
from models.params import Array, HMMParams

DAYS, EVERY, REFITS = 3000, 21, 96
N_FEATURES, N_STATES, RANDOM_STARTS = 6, 3, 10
N_ITER, TOL = 100, 1e-2
"""Limits of EM, the same for both: hmmlearn's default tolerance, and iterations enough to meet it."""

GUARDS = 3
"""Cold starts a refit; training takes one (`models.starts.COLD_GUARDS`)."""

KAPPA = 100.0
"""Sessions that the sticky prior is worth, as in conf/train.yaml."""

NO_WORSE = 1e-3
"""Nats a day that our mean one-step log score may be below the peer's."""

Walk = list[HMMParams]
"""Parameters of every refit, in the units of its standardised training window."""


def windows(X: Array) -> Iterator[tuple[int, Array, Array]]:
    """Give the number of training days, their mean and standard deviation, of every refit."""
    for end in range(DAYS - EVERY * REFITS, DAYS, EVERY):
        yield end, X[:end].mean(axis=0), X[:end].std(axis=0)


def refit_ours(X: Array, n_guards: int) -> Walk:
    """Refit as training does: from the last parameters and `n_guards` cold starts besides; at first from cold starts alone."""
    from models.hmm import fit_hmm
    from models.starts import cold_starts

    rng, walk, before = np.random.default_rng(0), [], (np.zeros(0), np.zeros(0))
    for end, center, scale in windows(X):
        rows = (X[:end] - center) / scale
        last = walk[-1].rescaled(*before).rescaled(-center / scale, 1.0 / scale) if walk else None
        starts = cold_starts(n_guards if last else RANDOM_STARTS, N_STATES, rows, rng)
        fit = fit_hmm(rows, N_STATES, kappa=KAPPA, starts=starts, n_iter=N_ITER, tol=TOL, covariance_type="full", last=last)
        walk.append(fit.params)
        before = center, scale
    return walk


def refit_naively(X: Array) -> Walk:
    """Refit with hmmlearn from random starts, each time anew."""
    from benchmarks.peers.hmmlearn_em import best_of_random

    return [best_of_random((X[:end] - center) / scale, N_STATES, RANDOM_STARTS, N_ITER, TOL) for end, center, scale in windows(X)]


def log_scores(X: Array, walk: Walk) -> Array:
    """Log p(x_t | x_1..x_t-1) of the days that no refit has seen, (EVERY * REFITS,), nats; densities in the units of `X`."""
    from models.engine.filtering import filter_history

    scores = []
    for (end, center, scale), params in zip(windows(X), walk, strict=True):
        until = min(end + EVERY, DAYS)
        scores.append(filter_history(X[:until], params.rescaled(center, scale)).log_next[end:])
    return np.concatenate(scores)


def prepare(guards: int) -> Duel:
    X = draw(DAYS, N_FEATURES, N_STATES)

    def check(own: Walk, theirs: Walk) -> None:
        mine, other = (float(log_scores(X, walk).mean()) for walk in (own, theirs))
        print(f"  mean one-step log score out of sample: ours {mine:.4f}, hmmlearn {other:.4f} nats a day", file=sys.stderr, flush=True)
        assert mine >= other - NO_WORSE, f"ours scores {mine:.5f} nats a day, hmmlearn {other:.5f}: more than {NO_WORSE} worse"

    ours = partial(_quietly, partial(refit_ours, X, guards))
    warm_up(ours, "our walk")
    return Duel(ours, lambda: partial(_quietly, partial(refit_naively, X)), check, repeats=1, calls=3)


def prepare_same_starts() -> Duel:
    """Fits of every eighth refit from the same random starts; those are made beforehand."""
    from models import GaussianHMM

    X = draw(DAYS, N_FEATURES, N_STATES)
    rows = [(X[:end] - center) / scale for end, center, scale in list(windows(X))[::8]]
    starts = [[random_start(each, np.random.default_rng(seed)) for seed in range(RANDOM_STARTS)] for each in rows]

    def fit_all(kind: Any) -> list[tuple[HMMParams, Array]]:
        from benchmarks.peers.hmmlearn_em import fit

        return [fit(kind, each, start, N_ITER, TOL) for each, given in zip(rows, starts, strict=True) for start in given]

    def set_up_peer() -> Callable[[], list[tuple[HMMParams, Array]]]:
        from hmmlearn import hmm

        return partial(_quietly, partial(fit_all, partial(hmm.GaussianHMM, implementation="scaling")))

    def check(own: list[tuple[HMMParams, Array]], theirs: list[tuple[HMMParams, Array]]) -> None:
        for (_, mine), (_, other) in zip(own, theirs, strict=True):
            np.testing.assert_allclose(mine, other, rtol=TOLERANCE, atol=0)

    return Duel(partial(_quietly, partial(fit_all, GaussianHMM)), set_up_peer, check, repeats=1, calls=2)


def random_start(X: Array, rng: np.random.Generator) -> HMMParams:
    """Draw transitions, take means at some of the rows and the covariance of all."""
    trans = rng.dirichlet(np.full(N_STATES, 5.0), size=N_STATES)
    means = X[rng.choice(len(X), N_STATES, replace=False)]
    return HMMParams(np.full(N_STATES, 1.0 / N_STATES), trans, means, np.tile(np.cov(X.T), (N_STATES, 1, 1)))


def _quietly(run: Callable[[], object]) -> object:
    """Keep hmmlearn from logging every loss of likelihood, which its own prior brings about."""
    logger = logging.getLogger("hmmlearn")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run()
    finally:
        logger.setLevel(before)


NAIVE = f"hmmlearn: best of {RANDOM_STARTS} random starts at every refit"

WORKS = [
    Versus(
        f"walk-forward, {REFITS} refits over {DAYS:,} days x {N_FEATURES}, {N_STATES} states: warm starts",
        NAIVE,
        400.0,
        partial(prepare, 0),
    ),
    Versus(
        f"walk-forward, {REFITS} refits over {DAYS:,} days x {N_FEATURES}, {N_STATES} states: warm, and {GUARDS} cold guards each",
        NAIVE,
        40.0,
        partial(prepare, GUARDS),
    ),
    Versus(
        f"walk-forward, every eighth of those refits: {RANDOM_STARTS} random starts each",
        'hmmlearn: the same starts, the same iterations, implementation="scaling"',
        8.0,
        prepare_same_starts,
    ),
]
