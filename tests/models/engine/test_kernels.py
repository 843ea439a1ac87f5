"""The small kernels against NumPy and SciPy: exponential, digamma, sweep, quadratic forms, moments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma as scipy_digamma
from scipy.stats import multivariate_normal

from models.engine.emissions import log_constant
from models.engine.exponential import LEAST, exponentiate
from models.engine.gaussian import complete, distance, quadratic_weights, sweep
from models.engine.quadratic import augmented, design, flatten, weighted_sums
from models.engine.special import digamma

sizes = st.tuples(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 40))


def covariance(rng: np.random.Generator, n: int) -> np.ndarray:
    root = rng.normal(size=(n, n)) + np.eye(n)
    return root @ root.T


def test_exponentials_are_those_of_numpy_and_never_denormal():
    x = np.concatenate([np.linspace(LEAST, 0.0, 20_001), [0.0, -1e-300, -1e-17, -0.5 * np.log(2.0)], -np.logspace(-16, 2, 500)])
    got = x.copy()
    exponentiate(got, np.empty(len(x), np.int64), len(x))
    assert (np.abs(got / np.exp(x) - 1.0) <= 1e-15 * (1.0 + np.abs(x) / 25.0)).all()  # as its docstring says
    assert got[20_001] == 1.0
    lower = np.array([-201.0, -745.0, -1e6, -1e308, -np.inf, -1.0])
    exponentiate(lower, np.empty(6, np.int64), 5)
    np.testing.assert_allclose(lower[:5], np.exp(LEAST), rtol=1e-14)
    assert lower[5] == -1.0  # only the first n


def test_digamma_equals_scipys():
    x = np.concatenate([np.logspace(-3, 6, 2000), [0.5, 1.0, 1.5, 2.0, 6.0, 5.999999999, 100.0]])
    np.testing.assert_allclose([digamma(each) for each in x], scipy_digamma(x), rtol=1e-12, atol=1e-12)


@given(sizes, st.data())
def test_sweep_gives_inverse_regression_and_conditional_covariance(size, data):
    rng, n = np.random.default_rng(size[0]), size[1]
    scale, on = covariance(rng, n), np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    swept, off = scale.copy(), ~on
    log_det = sweep(swept, on)
    inside = scale[np.ix_(on, on)]
    tolerance = 1e-13 * np.linalg.cond(scale)
    if on.any():
        assert log_det == pytest.approx(np.linalg.slogdet(inside)[1], rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(swept[np.ix_(on, on)], -np.linalg.inv(inside), rtol=tolerance, atol=tolerance * np.abs(swept).max())
    if on.any() and off.any():
        regression = np.linalg.solve(inside, scale[np.ix_(on, off)]).T
        np.testing.assert_allclose(swept[np.ix_(off, on)], regression, rtol=tolerance, atol=tolerance * np.abs(regression).max())
        left = scale[np.ix_(off, off)] - regression @ scale[np.ix_(on, off)]
        np.testing.assert_allclose(swept[np.ix_(off, off)], left, rtol=tolerance, atol=tolerance * np.abs(scale).max())
    np.testing.assert_array_equal(swept, swept.T) if on.all() else None


def test_sweep_says_where_a_covariance_is_singular():
    everything = np.ones(2, dtype=np.bool_)
    assert np.isnan(sweep(np.array([[1.0, 1.0], [1.0, 1.0]]), everything))
    assert np.isnan(sweep(np.array([[1.0, 2.0], [2.0, 1.0]]), everything))
    assert np.isnan(sweep(np.array([[np.nan, 0.0], [0.0, 1.0]]), everything))


@given(sizes, st.booleans())
def test_quadratic_forms_are_log_densities_of_scipy(size, diagonal):
    seed, n, n_obs = size
    rng = np.random.default_rng(seed)
    mean, scale, X = rng.normal(size=n), covariance(rng, n) + 0.1 * np.eye(n), rng.normal(size=(n_obs, n))
    if diagonal:
        scale = np.diag(np.diagonal(scale)).copy()
    weights = np.zeros((n + 1, n + 1))
    log_det = quadratic_weights(mean, scale, np.empty((n, n)), np.ones(n, np.bool_), weights)
    phi = design(augmented(X), diagonal)
    flat, out = np.zeros((1, len(phi))), np.empty((1, phi.shape[1]))
    flatten(weights, diagonal, flat[0])
    weighted_sums(phi, flat, np.arange(1), out)
    expected = multivariate_normal(mean, scale).logpdf(X) - log_constant(log_det, np.inf, n)
    tolerance = 1e-13 * np.linalg.cond(scale)
    np.testing.assert_allclose(out[0, :n_obs], expected, rtol=tolerance, atol=tolerance * (1 + np.abs(weights).max()))


def test_a_row_with_gaps_is_completed_by_its_expectation():
    rng = np.random.default_rng(0)
    mean, scale, x = rng.normal(size=4), covariance(rng, 4), rng.normal(size=4)
    on = np.array([True, False, True, False])
    swept, out = scale.copy(), np.empty(5)
    sweep(swept, on)
    aug = augmented(np.where(on, x, np.nan)[None, :])
    inverse = np.linalg.inv(scale[np.ix_(on, on)])
    gap = (x - mean)[on]
    assert distance(aug, 0, mean, swept, on) == pytest.approx(gap @ inverse @ gap, rel=1e-10)
    complete(aug, 0, mean, swept, on, out)
    np.testing.assert_allclose(out[1:][on], x[on])
    np.testing.assert_allclose(out[1:][~on], mean[~on] + scale[np.ix_(~on, on)] @ inverse @ gap, rtol=1e-10)
    assert out[0] == 1.0
