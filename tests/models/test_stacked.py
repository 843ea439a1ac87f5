"""Filters side by side: what each says alone, whatever is missing, in one piece or many, for one sequence or several."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.emissions import log_density
from models.inference import forward_filter, predict_next
from models.params import HMMParams
from models.stacked import StackedFilter, stack
from tests.models.worlds import random_params

N_FEATURES = 3


def models_of(rng: np.random.Generator, n_models: int, n_states: int) -> tuple[StackedFilter, list]:
    """Give a stack, and the same models one by one: center, scale, clip, parameters. The second has heavy tails, the third is clipped."""
    params = [random_params(rng, n_states, N_FEATURES) for _ in range(n_models)]
    if n_models > 1:
        params[1] = replace(params[1], dof=rng.uniform(2.5, 9.0, n_states))
    clips = [np.inf] * n_models
    if n_models > 2:
        clips[2] = 1.0
    centers, scales = list(rng.normal(size=(n_models, N_FEATURES))), list(rng.uniform(0.5, 2.0, (n_models, N_FEATURES)))
    return stack(centers, scales, clips, params), list(zip(centers, scales, clips, params, strict=True))


def alone(X: np.ndarray, center, scale, clip, params: HMMParams, last=None) -> np.ndarray:
    prior = None if last is None else predict_next(last, params.trans)
    return forward_filter(np.clip((X - center) / scale, -clip, clip), params, prior).probs


def rows_of(rng: np.random.Generator, *shape: int) -> np.ndarray:
    X = rng.normal(size=(*shape, N_FEATURES))
    X[rng.random(X.shape) < 0.2] = np.nan
    X[rng.random(shape) < 0.1] = np.nan  # rows with nothing in them
    return X


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3), st.integers(1, 25))
def test_each_says_what_it_says_alone(seed, n_models, n_states, n_obs):
    rng = np.random.default_rng(seed)
    stacked, each = models_of(rng, n_models, n_states)
    X = rows_of(rng, n_obs)
    got = stacked.filter_states(X)
    assert got.shape == (n_obs, n_models, n_states)
    for m, model in enumerate(each):
        np.testing.assert_allclose(got[:, m], alone(X, *model), rtol=0, atol=1e-12)  # a matrix product and a sum round otherwise


def test_densities_are_equal_to_the_bit():
    rng = np.random.default_rng(4)
    stacked, each = models_of(rng, 4, 2)
    X = rows_of(rng, 60)
    got = stacked.log_density(X)
    for m, (center, scale, clip, params) in enumerate(each):
        np.testing.assert_array_equal(got[:, m], log_density(np.clip((X - center) / scale, -clip, clip), params))


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 29))
def test_in_pieces_or_at_once_the_bits_are_the_same(seed, cut):
    rng = np.random.default_rng(seed)
    stacked, _ = models_of(rng, 3, 2)
    X = rows_of(rng, 30)
    whole = stacked.filter_states(X)
    first = stacked.filter_states(X[:cut])
    np.testing.assert_array_equal(np.concatenate([first, stacked.filter_states(X[cut:], first[-1])]), whole)


def test_sequences_side_by_side_are_those_of_each_alone():
    rng = np.random.default_rng(7)
    stacked, _ = models_of(rng, 3, 2)
    X = rows_of(rng, 12, 5)
    last = rng.dirichlet(np.ones(2), size=(5, 3))
    got = stacked.filter_states(X, last)
    assert got.shape == (12, 5, 3, 2)
    for u in range(5):
        np.testing.assert_array_equal(got[:, u], stacked.filter_states(X[:, u], last[u]))


def test_what_comes_later_changes_nothing_before():
    rng = np.random.default_rng(9)
    stacked, _ = models_of(rng, 3, 2)
    X = rows_of(rng, 20)
    other = X.copy()
    other[12:] = 50.0
    np.testing.assert_array_equal(stacked.filter_states(X)[:12], stacked.filter_states(other)[:12])


@pytest.mark.parametrize("x", [1e8, -1e200])
def test_an_observation_that_no_state_allows_keeps_what_was_believed(x):
    rng = np.random.default_rng(2)
    stacked, each = models_of(rng, 1, 2)
    X = rows_of(rng, 4)
    X[2] = x
    with np.errstate(over="ignore"):
        got, expected = stacked.filter_states(X), alone(X, *each[0])
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got[:, 0], expected, rtol=0, atol=1e-12)


def test_a_state_that_cannot_be_stays_impossible():
    params = HMMParams(np.array([1.0, 0.0]), np.eye(2), np.zeros((2, N_FEATURES)), np.ones((2, N_FEATURES)))
    stacked = stack([np.zeros(N_FEATURES)], [np.ones(N_FEATURES)], [np.inf], [params])
    got = stacked.filter_states(np.random.default_rng(0).normal(size=(6, N_FEATURES)))
    np.testing.assert_array_equal(got[:, 0], np.tile([1.0, 0.0], (6, 1)))
