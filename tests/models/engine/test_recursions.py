"""Filter, smoother, transitions and likelihood against every path of states; scaled, logarithmic and uncompiled alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.filtering import filter_history, filter_rows, log_densities
from models.engine.log_recursions import smooth_in_logs
from models.engine.posterior import smooth_densities, smooth_history
from models.engine.recursions import forward_backward, posteriors, sum_of_logs
from models.engine.smoothing import exponentials, smooth
from models.inference import filter_densities, forward_filter
from tests.models.engine.worlds import Paths, drawn_params, plain_posterior, scipy_densities, sum_over_paths
from tests.models.worlds import with_gaps

LONGEST = {1: 8, 2: 8, 3: 8, 4: 6, 5: 5}
"""Rows for each number of states, so that there are at most 6561 paths."""

worlds = st.tuples(st.integers(0, 10_000), st.integers(1, 5), st.booleans(), st.booleans())


def drawn(seed: int, n_states: int, zeros: bool, heavy: bool, n_obs: int | None = None):
    rng = np.random.default_rng(seed)
    n_obs = n_obs or int(rng.integers(1, LONGEST[n_states] + 1))
    params = drawn_params(rng, n_states, 2, heavy=heavy, zeros=zeros)
    X = with_gaps(2.0 * rng.normal(size=(n_obs, 2)), rng)
    return X, params


def scaled(dens: np.ndarray, start: np.ndarray, trans: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Smoothed probabilities, transitions and log-likelihood of the scaled kernels, without their fall-back."""
    n_obs, n_states = dens.shape
    rel, forward, backward, scale = np.empty((n_states, n_obs)), np.empty((n_states, n_obs)), np.empty((n_states, n_obs)), np.empty(n_obs)
    counts = np.zeros((n_states, n_states))
    log_lik = exponentials(np.ascontiguousarray(dens.T), rel)
    log_lik += forward_backward(start, trans, rel, 0, n_obs, forward, backward, scale)
    assert posteriors(trans, rel, 0, n_obs, forward, backward, scale, counts)
    return backward.T, counts, log_lik


def in_logs(dens: np.ndarray, start: np.ndarray, trans: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    n_obs, n_states = dens.shape
    forward, smoothed, counts = np.empty((n_states, n_obs)), np.empty((n_states, n_obs)), np.zeros((n_states, n_states))
    log_lik = smooth_in_logs(start, trans, np.ascontiguousarray(dens.T), 0, n_obs, forward, smoothed, counts)
    return smoothed.T, counts, log_lik


def assert_same(got: tuple[np.ndarray, np.ndarray, float], truth: Paths, atol: float) -> None:
    np.testing.assert_allclose(got[0], truth.smoothed, rtol=0, atol=atol)
    np.testing.assert_allclose(got[1], truth.counts, rtol=0, atol=atol * len(truth.smoothed))
    assert got[2] == pytest.approx(truth.log_lik, rel=1e-12, abs=1e-11)


@given(worlds)
def test_every_kernel_equals_the_sum_over_all_paths(world):
    """Tolerance: eight rows of rounding in numbers below one."""
    X, params = drawn(*world)
    dens = scipy_densities(X, params)
    np.testing.assert_allclose(log_densities(X, params), dens, rtol=1e-10, atol=1e-10)
    truth = sum_over_paths(dens, params.start, params.trans)
    assert_same(in_logs(dens, params.start, params.trans), truth, 1e-11)
    if params.n_states <= 4:
        assert_same(scaled(dens, params.start, params.trans), truth, 1e-11)
    got = filter_history(X, params)
    np.testing.assert_allclose(got.probs, truth.filtered, rtol=0, atol=1e-10)
    assert got.log_lik == pytest.approx(truth.log_lik, rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(smooth_history(X, params), truth.smoothed, rtol=0, atol=1e-10)
    np.testing.assert_allclose(forward_filter(X, params).probs, truth.filtered, rtol=0, atol=1e-10)


@pytest.mark.parametrize("n_states", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("zeros", [False, True])
def test_sequences_are_added_up_and_joins_are_no_transitions(n_states, zeros):
    lengths = [4, 1, 3, 5]
    X, params = drawn(3, n_states, zeros, heavy=False, n_obs=sum(lengths))
    dens = scipy_densities(X, params)
    parts = [sum_over_paths(part, params.start, params.trans) for part in np.split(dens, np.cumsum(lengths)[:-1])]
    n_obs, began, counts = len(X), np.empty(n_states), np.empty((n_states, n_states))
    scratch = [np.empty((n_states, n_obs)) for _ in range(3)]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    log_lik = smooth(params.start, params.trans, np.ascontiguousarray(dens.T), offsets, *scratch, np.empty(n_obs), began, counts)
    np.testing.assert_allclose(scratch[2].T, np.concatenate([part.smoothed for part in parts]), rtol=0, atol=1e-11)
    np.testing.assert_allclose(began, sum(part.smoothed[0] for part in parts), rtol=0, atol=1e-11)
    np.testing.assert_allclose(counts, sum(part.counts for part in parts), rtol=0, atol=1e-10)
    assert log_lik == pytest.approx(sum(part.log_lik for part in parts), rel=1e-12)
    got = filter_history(X, params, lengths=np.array(lengths))
    np.testing.assert_allclose(got.probs, np.concatenate([part.filtered for part in parts]), rtol=0, atol=1e-10)


@pytest.mark.parametrize("n_states", [2, 3, 5])
def test_long_sequences_equal_the_textbook_recursions(n_states):
    X, params = drawn(11, n_states, False, True, n_obs=700)  # beyond two blocks of rows
    dens = scipy_densities(X, params)
    truth = plain_posterior(dens, params.start, params.trans)
    np.testing.assert_allclose(smooth_densities(dens, params.start, params.trans), truth.smoothed, rtol=0, atol=1e-10)
    assert filter_history(X, params).log_lik == pytest.approx(truth.log_lik, rel=1e-12)
    if n_states < 5:
        assert_same(scaled(dens, params.start, params.trans), truth, 1e-10)
    assert_same(in_logs(dens, params.start, params.trans), truth, 1e-10)


@given(worlds, st.integers(1, 120))
def test_compiled_filter_equals_numpy_and_is_bit_equal_on_truncated_data(world, n_obs):
    X, params = drawn(*world, n_obs=n_obs)
    whole, plain = filter_history(X, params), forward_filter(X, params)
    np.testing.assert_allclose(whole.probs, plain.probs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(whole.log_next, plain.log_next, rtol=1e-12, atol=1e-12)
    cut = max(n_obs // 2, 1)
    part = filter_history(X[:cut], params)
    np.testing.assert_array_equal(part.probs, whole.probs[:cut])
    np.testing.assert_array_equal(part.log_next, whole.log_next[:cut])
    rest = filter_history(X[cut:], params, prior=whole.probs[cut - 1] @ params.trans)
    np.testing.assert_allclose(rest.probs, whole.probs[cut:], rtol=0, atol=1e-13)  # the product above is added up in another order


@pytest.mark.parametrize("n_states", [2, 3, 5])
@pytest.mark.parametrize("far", [40.0, 1e3, 1e6])
def test_rows_beyond_every_state_are_smoothed_as_by_logarithms(n_states, far):
    X, params = drawn(5, n_states, zeros=False, heavy=False, n_obs=300)
    X[[60, 61, 200]] = far
    X[100] = -far
    truth = plain_posterior(scipy_densities(X, params), params.start, params.trans)
    got = smooth_history(X, params)
    np.testing.assert_allclose(got, truth.smoothed, rtol=0, atol=1e-9)
    # densities are of the order of far squared: their rounding is what is left of the likelihood
    assert filter_history(X, params).log_lik == pytest.approx(truth.log_lik, rel=1e-12)


def test_a_row_that_only_unreachable_states_explain_falls_back_to_logarithms():
    """All reachable states lie 60 standard deviations off: relative to the best state they underflow."""
    start, trans = np.array([1.0, 0.0, 0.0]), np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.0, 1.0]])
    dens = np.array([[-1.0, -2.0, -1.0], [-2000.0, -1900.0, 0.0], [-1.0, -3.0, -1.0], [-1.5, -0.5, -2.0]])
    truth = sum_over_paths(dens, start, trans)
    got = smooth_densities(dens, start, trans)
    np.testing.assert_allclose(got, truth.smoothed, rtol=0, atol=1e-12)
    assert (got[:, 2] == 0.0).all()
    assert truth.log_lik < -1800.0


def test_an_impossible_row_has_no_likelihood_and_leaves_the_filter_what_it_believed():
    dens = np.array([[-1.0, -2.0], [-np.inf, -np.inf], [-1.0, -3.0]])
    start, trans = np.array([0.6, 0.4]), np.array([[0.9, 0.1], [0.2, 0.8]])
    assert in_logs(dens, start, trans)[2] == -np.inf
    probs, log_next = np.empty_like(dens), np.empty(3)
    filter_rows(dens, start, trans, np.array([3]), probs, log_next)
    plain = filter_densities(dens, start, trans)
    np.testing.assert_allclose(probs, plain.probs, rtol=0, atol=1e-15)
    np.testing.assert_allclose(log_next, plain.log_next, rtol=1e-14)
    np.testing.assert_allclose(probs[1], probs[0] @ trans, rtol=0, atol=1e-15)
    assert log_next[1] == -np.inf


@pytest.mark.parametrize("n_obs", [1, 15, 16, 17, 48, 100])
def test_sum_of_logs_equals_numpy_and_refuses_what_ran_away(n_obs):
    scale = np.exp(np.random.default_rng(n_obs).uniform(-20, 20, n_obs))
    assert sum_of_logs(scale) == pytest.approx(np.log(scale).sum(), rel=1e-13)
    for bad in (np.nan, np.inf, 1e19):
        scale[n_obs // 2] = bad
        assert np.isnan(sum_of_logs(scale))
