"""The filter against every path of states, against another library, and against itself on less data."""

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM
from hypothesis import given
from hypothesis import strategies as st

from models.inference import HMMParams, expected_dwell, filter_step, forward_filter, log_density, predict_average, predict_next
from tests.models.worlds import enumerate_paths, random_params, with_gaps

WORLDS = [(seed, n_states, gaps) for seed in range(3) for n_states in (2, 3) for gaps in (False, True)]
worlds = st.builds(
    lambda seed, n_states, n_features, n_obs: (np.random.default_rng(seed), n_states, n_features, n_obs),
    st.integers(0, 10_000),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 30),
)


def drawn(seed: int, n_states: int, n_obs: int, gaps: bool, n_features: int = 2) -> tuple[np.ndarray, HMMParams]:
    rng = np.random.default_rng(seed)
    params, X = random_params(rng, n_states, n_features), 1.5 * rng.normal(size=(n_obs, n_features))
    return (with_gaps(X, rng) if gaps else X), params


@pytest.mark.parametrize(("seed", "n_states", "gaps"), WORLDS)
def test_filter_equals_the_sum_over_all_paths(seed, n_states, gaps):
    X, params = drawn(seed, n_states, 8 if n_states == 2 else 6, gaps)
    if gaps:
        X[2] = np.nan  # a day on which nothing was seen
    got = forward_filter(X, params)
    before = 0.0
    for t in range(len(X)):
        probs, log_lik = enumerate_paths(X[: t + 1], params)
        np.testing.assert_allclose(got.probs[t], probs, rtol=0, atol=1e-10)
        assert got.log_next[t] == pytest.approx(log_lik - before, abs=1e-10)
        before = log_lik
    assert got.log_lik == pytest.approx(before, abs=1e-10)


@pytest.mark.parametrize("n_states", [2, 3])
def test_filter_equals_hmmlearns_posterior_of_the_last_row_of_each_prefix(n_states):
    X, params = drawn(4, n_states, 40, gaps=False)
    other = GaussianHMM(n_states, covariance_type="diag")
    other.startprob_, other.transmat_, other.means_ = params.start, params.trans, params.means
    other.covars_ = params.variances
    got = forward_filter(X, params)
    last = np.array([other.predict_proba(X[: t + 1])[-1] for t in range(len(X))])
    np.testing.assert_allclose(got.probs, last, rtol=0, atol=1e-10)
    assert got.log_lik == pytest.approx(other.score(X), abs=1e-9)
    # what hmmlearn says of the whole sequence is smoothed: it differs, and must not be mistaken for the filter
    assert np.abs(other.predict_proba(X)[:-1] - got.probs[:-1]).max() > 0.05


def test_filter_of_a_truncated_sequence_is_bit_equal():
    X, params = drawn(5, 3, 60, gaps=True)
    whole = forward_filter(X, params)
    for t in (1, 17, 59):
        part = forward_filter(X[:t], params)
        np.testing.assert_array_equal(part.probs, whole.probs[:t])
        np.testing.assert_array_equal(part.log_next, whole.log_next[:t])


def test_filter_restarted_from_the_stored_state_continues_bit_equal():
    X, params = drawn(6, 3, 60, gaps=True)
    whole = forward_filter(X, params)
    for t in (1, 23, 59):
        rest = forward_filter(X[t:], params, prior=predict_next(whole.probs[t - 1], params.trans))
        np.testing.assert_array_equal(rest.probs, whole.probs[t:])
        np.testing.assert_array_equal(rest.log_next, whole.log_next[t:])


def test_empty_row_leaves_the_forecast_as_it_is():
    X, params = drawn(7, 3, 5, gaps=False)
    X[3] = np.nan
    got = forward_filter(X, params)
    np.testing.assert_array_equal(log_density(X, params)[3], np.zeros(3))
    np.testing.assert_allclose(got.probs[3], got.probs[2] @ params.trans, rtol=0, atol=1e-15)
    assert got.log_next[3] == pytest.approx(0.0, abs=1e-15)


def test_filter_ignores_a_state_that_cannot_be_however_well_it_fits():
    # the third state is never entered; scaling by its density would underflow the two that are possible
    params = HMMParams(
        np.array([0.5, 0.5, 0.0]),
        np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.0, 1.0]]),
        np.array([[0.0], [1.0], [80.0]]),
        np.ones((3, 1)),
    )
    two = HMMParams(params.start[:2], params.trans[:2, :2], params.means[:2], params.variances[:2])
    X = np.array([[80.0], [0.4], [79.0]])
    got, expected = forward_filter(X, params), forward_filter(X, two)
    np.testing.assert_array_equal(got.probs[:, :2], expected.probs)
    np.testing.assert_array_equal(got.log_next, expected.log_next)


def test_filter_survives_a_day_far_beyond_every_state():
    X, params = drawn(8, 2, 6, gaps=False)
    X[3] = 1e6
    got = forward_filter(X, params)
    assert np.isfinite(got.log_next).all()
    np.testing.assert_allclose(got.probs.sum(axis=1), 1.0, rtol=0, atol=1e-12)


def test_filter_step_keeps_its_belief_when_no_possible_state_allows_the_day():
    prior = np.array([0.25, 0.75])
    posterior, log_next = filter_step(prior, np.array([-np.inf, -np.inf]))
    np.testing.assert_array_equal(posterior, prior)
    assert log_next == -np.inf


@pytest.mark.parametrize("steps", [1, 2, 5, 21, 126])
def test_predict_average_equals_an_explicit_loop(steps):
    X, params = drawn(9, 3, 12, gaps=False)
    probs = forward_filter(X, params).probs
    total, ahead = np.zeros_like(probs), probs
    for _ in range(steps):
        ahead = predict_next(ahead, params.trans)
        total += ahead
    np.testing.assert_allclose(predict_average(probs, params.trans, steps), total / steps, rtol=0, atol=1e-13)


def test_expected_dwell_is_the_mean_of_the_geometric_law():
    np.testing.assert_allclose(expected_dwell(np.array([[0.9, 0.1], [0.02, 0.98]])), [10.0, 50.0], rtol=1e-12)
    assert expected_dwell(np.eye(2)).tolist() == [np.inf, np.inf]


@given(worlds)
def test_filtered_and_forecast_probabilities_sum_to_one(world):
    rng, n_states, n_features, n_obs = world
    params = random_params(rng, n_states, n_features)
    X = with_gaps(10.0 * rng.normal(size=(n_obs, n_features)), rng)
    probs = forward_filter(X, params).probs
    for each in (probs, predict_next(probs, params.trans), predict_average(probs, params.trans, 5)):
        assert (each >= 0).all()
        np.testing.assert_allclose(each.sum(axis=1), 1.0, rtol=0, atol=1e-12)


@given(worlds)
def test_filter_does_not_care_for_the_order_of_states(world):
    rng, n_states, n_features, n_obs = world
    params, X = random_params(rng, n_states, n_features), rng.normal(size=(n_obs, n_features))
    order = rng.permutation(n_states)
    whole, moved = forward_filter(X, params), forward_filter(X, params.reordered(order))
    np.testing.assert_allclose(moved.probs, whole.probs[:, order], rtol=0, atol=1e-11)
    assert moved.log_lik == pytest.approx(whole.log_lik, abs=1e-9)


@given(worlds)
def test_filter_of_equal_states_learns_nothing(world):
    """With the same emission in every state the filter is the chain's own forecast, and the likelihood that of one Gaussian."""
    rng, n_states, n_features, n_obs = world
    params, X = random_params(rng, n_states, n_features), rng.normal(size=(n_obs, n_features))
    same = HMMParams(params.start, params.trans, np.tile(params.means[0], (n_states, 1)), np.tile(params.variances[0], (n_states, 1)))
    got = forward_filter(X, same)
    expected = np.array([params.start @ np.linalg.matrix_power(params.trans, t) for t in range(n_obs)])
    np.testing.assert_allclose(got.probs, expected, rtol=0, atol=1e-11)
    assert got.log_lik == pytest.approx(float(log_density(X, same)[:, 0].sum()), abs=1e-9)
