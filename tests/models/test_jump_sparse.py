"""Feature weights: the maximum they are said to be, and the features that tell states apart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

from models.degenerate import DegenerateFitWarning
from models.errors import FitError
from models.jump_fit import warn_if_degenerate
from models.jump_settings import JumpSettings
from models.jump_sparse import feature_weights, fit_sparse_jump, separation
from tests.models.worlds import with_gaps

SPARSE = JumpSettings(2, 20.0, max_features=2.0)


def noisy_world(seed: int, n_obs: int = 600, n_noise: int = 5, strength: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Three features that tell the states apart, each less than the one before, then noise."""
    rng = np.random.default_rng(seed)
    states = (np.cumsum(rng.random(n_obs) < 0.02) % 2).astype(np.int64)
    X = rng.normal(size=(n_obs, 3 + n_noise))
    X[:, :3] += strength * np.outer(2.0 * states - 1.0, [1.5, 1.2, 1.0])
    return states, (X - X.mean(axis=0)) / X.std(axis=0)


@given(values=arrays(np.float64, st.integers(1, 12), elements=st.floats(0.0, 1e6)), most=st.floats(1.0, 20.0))
@settings(max_examples=100, deadline=None)
def test_weights_have_length_one_keep_the_bound_and_the_order(values, most):
    values = values + np.arange(len(values)) * 1e-3  # ties are for the next test
    if not values.max() > 0.0:
        return
    weights = feature_weights(values, most)
    assert (weights >= 0.0).all()
    assert np.linalg.norm(weights) == pytest.approx(1.0, abs=1e-12)
    assert weights.sum() <= np.sqrt(most) + 1e-6
    assert (np.diff(weights[np.argsort(values)]) >= -1e-12).all()


def test_equal_features_share_the_weight_and_no_bound_leaves_it_in_proportion():
    np.testing.assert_allclose(feature_weights(np.array([2.0, 2.0, 1.0]), 1.0), [np.sqrt(0.5), np.sqrt(0.5), 0.0], atol=1e-12)
    np.testing.assert_allclose(feature_weights(np.array([3.0, 4.0]), 2.0), [0.6, 0.8], rtol=1e-12)
    np.testing.assert_allclose(feature_weights(np.array([5.0]), 1.0), [1.0])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most", [1.3, 2.0, 4.0])
def test_weights_are_the_maximum_a_general_optimiser_finds(seed, most):
    apart = np.random.default_rng(seed).exponential(size=5)
    bounds = [
        {"type": "ineq", "fun": lambda w: 1.0 - w @ w},
        {"type": "ineq", "fun": lambda w: np.sqrt(most) - w.sum()},
    ]
    start = np.full(5, np.sqrt(most) / 5.0 / 2.0)
    peer = minimize(lambda w: -apart @ w, start, method="SLSQP", bounds=[(0.0, 1.0)] * 5, constraints=bounds, options={"ftol": 1e-13})
    weights = feature_weights(apart, most)
    np.testing.assert_allclose(weights, peer.x, atol=1e-5)  # what its stopping rule leaves open
    assert apart @ weights == pytest.approx(-peer.fun, rel=1e-8)


def test_separation_is_what_the_states_take_from_the_sum_of_squares():
    states, X = noisy_world(1)
    proba = np.eye(2)[states]
    within = sum(((X[states == k] - X[states == k].mean(axis=0)) ** 2).sum(axis=0) for k in range(2))
    total = ((X - X.mean(axis=0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(separation(X, proba), total - within, rtol=1e-9)
    soft = 0.8 * proba + 0.1
    centers = soft.T @ X / soft.sum(axis=0)[:, None]
    within = sum((soft[:, [k]] * (X - centers[k]) ** 2).sum(axis=0) for k in range(2))
    np.testing.assert_allclose(separation(X, soft), total - within, rtol=1e-9)


def test_separation_of_a_column_with_gaps_is_brought_to_the_number_of_rows():
    states, X = noisy_world(1, 20000)
    gaps = with_gaps(X, np.random.default_rng(0), 0.5)
    # a sampling error of about 2 % with half of 20,000 rows
    np.testing.assert_allclose(separation(gaps, np.eye(2)[states])[:3], separation(X, np.eye(2)[states])[:3], rtol=0.05)


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_gain_never_falls_after_the_first_turn_and_is_what_it_says(continuous, seed):
    X = noisy_world(seed, strength=0.5)[1]
    settings = replace(SPARSE, continuous=continuous, jump_penalty=3.0)
    fit = fit_sparse_jump(X, settings, np.random.default_rng(0))
    gains = np.array(fit.history)
    assert len(gains) >= 3
    assert (np.diff(gains[1:]) >= -1e-6 * np.abs(gains[1:-1])).all()  # the weights are bounded to 1e-14, the descents end within 1e-8
    path = np.array([int(np.flatnonzero((fit.params.vectors == p).all(axis=1))[0]) for p in fit.proba])
    moves = fit.params.moves[path[:-1], path[1:]].sum()
    assert gains[-1] == pytest.approx(0.5 * fit.params.weights @ separation(X, fit.proba) - moves, rel=1e-9)
    assert fit.params.penalty == pytest.approx(3.0 / np.sqrt(8))


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_weight_goes_to_the_features_that_tell_states_apart(share):
    for seed in range(3):
        states, X = noisy_world(seed)
        fit = fit_sparse_jump(with_gaps(X, np.random.default_rng(seed), share), SPARSE, np.random.default_rng(0))
        assert fit.converged
        assert fit.params.weights[3:].max() < 0.05 < fit.params.weights[:3].max()
        path = fit.proba.argmax(axis=1)
        assert max(np.mean(path == states), np.mean(path != states)) > 0.95


def test_a_penalty_that_allows_one_state_alone_leaves_the_weights_and_is_warned_of():
    fit = fit_sparse_jump(noisy_world(0)[1], replace(SPARSE, jump_penalty=1e6), np.random.default_rng(0))
    np.testing.assert_allclose(fit.params.weights, 1.0 / np.sqrt(8))
    with pytest.warns(DegenerateFitWarning, match="lower jump_penalty"):
        warn_if_degenerate(fit, 0.01, "here")


def test_a_sparse_fit_without_a_number_of_features_is_refused():
    with pytest.raises(FitError, match=r"max_features is None; rule: a number"):
        fit_sparse_jump(noisy_world(0)[1], replace(SPARSE, max_features=None), np.random.default_rng(0))
