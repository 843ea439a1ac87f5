"""Filtered regime probabilities: of a whole history, and of one new day."""

from collections.abc import Callable

import numpy as np

from benchmarks.measure import Duel, Versus
from models.inference import Array, HMMParams, forward_filter
from models.online import OnlineFilter

HISTORY, STORED = 1000, 3000
TOLERANCE = 1e-10

PARAMS = HMMParams(
    start=np.array([0.7, 0.3]),
    trans=np.array([[0.98, 0.02], [0.05, 0.95]]),
    means=np.array([[0.05, -0.5, 0.4, 0.1], [-0.1, 1.0, -0.8, -0.2]]),
    scales=np.array([[0.5, 0.6, 0.7, 0.9], [2.2, 0.9, 1.0, 1.2]]),
)
"""Two persistent states over four standardised columns, as the default regime model has."""


def prepare_history() -> Duel:
    X = observations(HISTORY)

    def set_up_peer() -> Callable[[], Array]:
        from benchmarks.peers.hmmlearn_filter import filter_by_prefixes, gaussian_hmm

        model = gaussian_hmm(PARAMS.start, PARAMS.trans, PARAMS.means, PARAMS.variances)
        return lambda: filter_by_prefixes(model, X)

    return Duel(lambda: forward_filter(X, PARAMS).probs, set_up_peer, _same, repeats=5, calls=20)


def prepare_new_day() -> Duel:
    X = observations(STORED + 1)
    stored = forward_filter(X[:-1], PARAMS).probs[-1]

    online = OnlineFilter(PARAMS)

    def step() -> Array:
        return online.update(stored, X[-1]).probs

    def set_up_peer() -> Callable[[], Array]:
        from benchmarks.peers.hmmlearn_filter import filter_newest, gaussian_hmm

        model = gaussian_hmm(PARAMS.start, PARAMS.trans, PARAMS.means, PARAMS.variances)
        return lambda: filter_newest(model, X)

    return Duel(step, set_up_peer, _same, repeats=51, calls=200)


def observations(n_obs: int) -> Array:
    """Draw from the model: (n_obs, 4)."""
    rng = np.random.default_rng(1)
    states = np.zeros(n_obs, dtype=np.int64)
    for t in range(1, n_obs):
        states[t] = rng.random() < PARAMS.trans[states[t - 1], 1]
    return PARAMS.means[states] + np.sqrt(PARAMS.variances[states]) * rng.standard_normal((n_obs, 4))


def _same(ours: Array, peer: Array) -> None:
    np.testing.assert_allclose(ours, peer, rtol=0, atol=TOLERANCE)


WORKS = [
    Versus(
        f"filtered regime probabilities of {HISTORY:,} sessions",
        "hmmlearn: predict_proba of every prefix, last row kept",
        20.0,
        prepare_history,
    ),
    Versus(
        f"regime probabilities of one new session after {STORED:,}",
        f"hmmlearn: predict_proba of all {STORED + 1:,}, last row kept",
        20.0,
        prepare_new_day,
    ),
]
