"""One observation at a time, plain and compiled: the filter of the whole, row by row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.online import CompiledFilter
from models.errors import ScoringError
from models.inference import forward_filter
from models.online import FilterState, OnlineFilter
from models.params import HMMParams
from tests.models.engine.worlds import drawn_params
from tests.models.worlds import with_gaps

worlds = st.tuples(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 4), st.booleans(), st.booleans(), st.booleans())


@given(worlds)
def test_online_and_compiled_filters_equal_the_batch(world):
    seed, n_states, n_features, heavy, zeros, gaps = world
    rng = np.random.default_rng(seed)
    params = drawn_params(rng, n_states, n_features, heavy=heavy, zeros=zeros)
    X = 2.0 * rng.normal(size=(25, n_features))
    X = with_gaps(X, rng) if gaps else X
    whole, plain, fast = forward_filter(X, params), OnlineFilter(params), CompiledFilter(params)
    one: FilterState | None = None
    two: FilterState | None = None
    for t, x in enumerate(X):
        one, two = plain.update(one, x), fast.update(two, x)
        for state in (one, two):
            np.testing.assert_allclose(state.probs, whole.probs[t], rtol=0, atol=1e-12)
            assert state.log_next == pytest.approx(whole.log_next[t], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("kind", [OnlineFilter, CompiledFilter])
@pytest.mark.parametrize("heavy", [False, True])
def test_an_observation_far_from_every_state_is_filtered_as_by_the_batch(kind, heavy):
    params = drawn_params(np.random.default_rng(0), 3, 2, heavy=heavy)
    X = np.array([[0.0, 0.0], [1e6, -1e6], [0.5, 0.1], [-1e3, 1e3]])
    whole, state, filtering = forward_filter(X, params), None, kind(params)
    for t, x in enumerate(X):
        state = filtering.update(state, x)
        np.testing.assert_allclose(state.probs, whole.probs[t], rtol=0, atol=1e-9)
        assert np.isfinite(state.log_next)


@pytest.mark.parametrize("kind", [OnlineFilter, CompiledFilter])
def test_a_state_that_cannot_be_does_not_set_the_scale(kind):
    """The unreachable third state explains the row; the two that are possible lie 50 and 60 deviations off."""
    trans = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.0, 1.0]])
    params = HMMParams(np.array([0.5, 0.5, 0.0]), trans, np.array([[0.0], [-10.0], [50.0]]), np.ones((3, 1)))
    state = kind(params).update(None, np.array([50.0]))
    np.testing.assert_allclose(state.probs, [1.0, 0.0, 0.0], atol=1e-15)
    assert state.log_next == pytest.approx(forward_filter(np.array([[50.0]]), params).log_next[0])


@pytest.mark.parametrize("kind", [OnlineFilter, CompiledFilter])
def test_what_was_given_is_not_altered_and_goes_on_from_probabilities(kind):
    params, x = drawn_params(np.random.default_rng(1), 2, 2), np.array([0.3, -0.2])
    filtering = kind(params)
    first = filtering.update(None, x)
    kept = first.probs.copy()
    from_state, from_probs, from_list = (filtering.update(each, x) for each in (first, first.probs, list(first.probs)))
    np.testing.assert_array_equal(first.probs, kept)
    np.testing.assert_array_equal(from_state.probs, from_probs.probs)
    np.testing.assert_array_equal(from_state.probs, from_list.probs)


@pytest.mark.parametrize("kind", [OnlineFilter, CompiledFilter])
@pytest.mark.parametrize(
    ("state", "x", "message"),
    [
        (None, [1.0], r"an observation of shape \(1,\); rule: \(2,\), the columns the model was fitted on"),
        (None, np.array([1.0, np.inf]), "column 1 is infinite; rule: finite numbers, NaN where missing"),
        (np.ones(3) / 3, np.zeros(2), r"a state of shape \(3,\); rule: \(2,\), what the last update gave"),
    ],
)
def test_what_is_no_observation_is_refused(kind, state, x, message):
    with pytest.raises(ScoringError, match=message):
        kind(drawn_params(np.random.default_rng(1), 2, 2)).update(state, x)
