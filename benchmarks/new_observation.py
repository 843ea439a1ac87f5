"""One new observation: the filter's step against the whole history once more."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.em import draw, rough_start
from benchmarks.measure import Cost, Duel, Limits, Versus, cpu_seconds
from benchmarks.process import own_peak_mb
from models.online import FilterState, OnlineFilter
from models.params import Array

STORED, N_FEATURES, N_STATES = 3000, 6, 3
TOLERANCE = 1e-10
COMPILED_S, UNCOMPILED_S = 5e-6, 50e-6
ROUNDS, CALLS = 51, 500


def filter_of(compiled: bool) -> OnlineFilter:
    """Set a filter up for the model that all of these works have."""
    params = rough_start(draw(STORED, N_FEATURES, N_STATES), N_STATES)
    if not compiled:
        return OnlineFilter(params)
    from models.engine.online import CompiledFilter

    return CompiledFilter(params)


def step_of(compiled: bool) -> Callable[[], FilterState]:
    """Give what filters the last of the stored rows, after those before it."""
    X, online = draw(STORED, N_FEATURES, N_STATES), filter_of(compiled)
    state: FilterState | None = None
    for row in X[:-1]:
        state = online.update(state, row)
    return partial(online.update, state, X[-1])


def prepare(compiled: bool) -> Duel:
    step = step_of(compiled)

    def set_up_peer() -> Callable[[], Array]:
        from hmmlearn.hmm import GaussianHMM

        X = draw(STORED, N_FEATURES, N_STATES)
        params = rough_start(X, N_STATES)
        model = GaussianHMM(N_STATES, covariance_type="full")
        model.startprob_, model.transmat_, model.means_, model.covars_ = params.start, params.trans, params.means, params.scales
        return lambda: np.asarray(model.predict_proba(X)[-1])

    def check(ours: FilterState, peer: Array) -> None:
        np.testing.assert_allclose(ours.probs, peer, rtol=0, atol=TOLERANCE)

    return Duel(step, set_up_peer, check, repeats=51, calls=500)


def run(compiled: bool) -> Cost:
    """Median of many rounds, CPU seconds a call."""
    step, begin = step_of(compiled), time.perf_counter()
    cpu_s = float(np.median([cpu_seconds(step, CALLS)[0] for _ in range(ROUNDS)]))
    return Cost(cpu_s, (time.perf_counter() - begin) / (ROUNDS * CALLS), own_peak_mb())


PEER = f"hmmlearn: predict_proba of all {STORED:,}, last row kept"

WORKS: list[Versus | Limits] = [
    Versus(f"one new observation x {N_FEATURES}, {N_STATES} states, compiled", PEER, 500.0, partial(prepare, True)),
    Limits(
        f"one new observation x {N_FEATURES}, {N_STATES} states, compiled",
        {"limit of 5 microseconds": (COMPILED_S, "cpu_s")},
        partial(run, True),
    ),
    Limits(
        f"one new observation x {N_FEATURES}, {N_STATES} states, uncompiled",
        {"limit of 50 microseconds": (UNCOMPILED_S, "cpu_s")},
        partial(run, False),
    ),
]
