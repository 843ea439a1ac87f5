"""The M-step against plain loops and against its own objective, and the log prior against the laws it is made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import digamma
from scipy.stats import dirichlet, gamma, invgamma, invwishart, multivariate_normal

from models.em import DOF_RATE, DOF_SHAPE, KINDS
from models.engine.maximise import (
    LEAST_DOF,
    MOST_DOF,
    log_prior,
    maximise_dof,
    maximise_means,
    maximise_scales,
    normalise,
    slope_of_dof,
    update_dof,
)
from tests.models.engine.worlds import drawn_params

TYPES = sorted(KINDS)
seeds = st.integers(0, 10_000)


def drawn(seed: int, covariance_type: str, n_states: int = 3, n_features: int = 3):
    """Rows, weights of the states, and a proper prior: what each test maximises over."""
    rng = np.random.default_rng(seed)
    X, g = rng.normal(size=(40, n_features)), rng.dirichlet(np.ones(n_states), size=40)
    root = rng.normal(size=(n_states, n_features, 2 * n_features))
    scatter = root @ root.transpose(0, 2, 1)
    if covariance_type in ("diag", "spherical"):
        scatter = scatter * np.eye(n_features)
    return X, g, rng.normal(size=(n_states, n_features)), 1.5, scatter, 12.0


def maximised(X, g, prior_mean, prior_weight, scatter, rows, covariance_type):
    n_states, n_features = prior_mean.shape
    one = np.column_stack([np.ones(len(X)), X])
    moments = np.array([np.tril((g[:, [k]] * one).T @ one) for k in range(n_states)])
    means, scales = np.zeros((n_states, n_features)), np.full((n_states, n_features, n_features), np.nan)
    maximise_means(moments, prior_mean, prior_weight, means)
    maximise_scales(g.sum(axis=0), moments, means, prior_mean, prior_weight, scatter, rows, KINDS[covariance_type], scales)
    return means, scales


@pytest.mark.parametrize("covariance_type", TYPES)
@given(seed=seeds)
def test_means_and_scales_equal_a_plain_loop_over_rows(covariance_type, seed):
    X, g, m0, w0, scatter, rows = drawn(seed, covariance_type)
    means, scales = maximised(X, g, m0, w0, scatter, rows, covariance_type)
    n_states, n_features = m0.shape
    squares = np.zeros_like(scales)
    for k in range(n_states):
        total, mass = w0 * m0[k], w0
        for x, weight in zip(X, g[:, k], strict=True):
            total, mass = total + weight * x, mass + weight
        mean = total / mass
        np.testing.assert_allclose(means[k], mean, rtol=1e-12, atol=1e-13)
        squares[k] = w0 * np.outer(mean - m0[k], mean - m0[k])
        for x, weight in zip(X, g[:, k], strict=True):
            squares[k] += weight * np.outer(x - mean, x - mean)
    if covariance_type == "tied":
        expected = np.tile((squares.sum(axis=0) + scatter[0]) / (g.sum() + rows), (n_states, 1, 1))
    else:
        expected = (squares + scatter) / (g.sum(axis=0) + rows)[:, None, None]
    if covariance_type in ("diag", "spherical"):
        expected = expected * np.eye(n_features)
    if covariance_type == "spherical":
        expected = np.array([np.trace(each) / n_features * np.eye(n_features) for each in expected])
    np.testing.assert_allclose(scales, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_m_step_is_the_top_of_expected_likelihood_and_prior(covariance_type):
    """No other parameters of the type do better: the objective is written with SciPy's density, row by row."""
    X, g, m0, w0, scatter, rows = drawn(1, covariance_type)
    means, scales = maximised(X, g, m0, w0, scatter, rows, covariance_type)
    n_states, n_features = m0.shape
    flat = np.full(n_states, 1 / n_states), np.full((n_states, n_states), 1 / n_states)
    priors = (np.ones(n_states), np.ones((n_states, n_states)), m0, w0, scatter, rows, DOF_SHAPE, DOF_RATE)

    def objective(means, scales):
        expected = sum(g[:, k] @ multivariate_normal(means[k], scales[k]).logpdf(X) for k in range(n_states))
        return expected + log_prior(*flat, means, scales, np.full(n_states, np.inf), False, priors, KINDS[covariance_type])

    top, rng = objective(means, scales), np.random.default_rng(0)
    for step in (1e-1, 1e-2, 1e-3):
        for _ in range(30):
            other = drawn_params(rng, n_states, n_features, covariance_type)
            assert objective(means + step * other.means, scales) < top
            assert objective(means, (1 - step) * scales + step * other.scales) < top


@pytest.mark.parametrize("covariance_type", TYPES)
@given(seed=seeds)
def test_log_prior_differs_between_two_models_as_scipys_laws_do(covariance_type, seed):
    """Dirichlet; normal-inverse-Wishart (inverse gamma where diagonal), whose normal law has a determinant of its own; gamma."""
    rng = np.random.default_rng(seed)
    n_states, n_features, rows, weight = 3, 2, 11.0, 1.7
    _, _, m0, _, scatter, _ = drawn(seed, covariance_type, n_states, n_features)
    start_counts, trans_counts = rng.uniform(1, 5, n_states), rng.uniform(1, 5, (n_states, n_states))
    priors = (start_counts, trans_counts, m0, weight, scatter, rows, DOF_SHAPE, DOF_RATE)

    def laws(params):
        total = dirichlet(start_counts).logpdf(params.start)
        total += sum(dirichlet(counts).logpdf(row) for counts, row in zip(trans_counts, params.trans, strict=True))
        total += gamma(DOF_SHAPE, scale=1 / DOF_RATE).logpdf(params.dof).sum()
        for k in range(n_states):
            scale = params.scales[k]
            total += multivariate_normal(m0[k], scale / weight).logpdf(params.means[k])
            total += 0.5 * np.linalg.slogdet(scale)[1]  # the normal law's own determinant is no part of hmmlearn's objective
            if covariance_type == "tied" and k > 0:
                continue
            if covariance_type in ("diag", "spherical"):
                total += invgamma(rows / 2 - 1, scale=np.diagonal(scatter[k]) / 2).logpdf(np.diagonal(scale)).sum()
            else:
                total += invwishart(rows - n_features - 1, scatter[k]).logpdf(scale)
        return total

    one, two = (drawn_params(rng, n_states, n_features, covariance_type, heavy=True) for _ in range(2))
    ours = [log_prior(p.start, p.trans, p.means, p.scales, p.dof, False, priors, KINDS[covariance_type]) for p in (one, two)]
    assert ours[1] - ours[0] == pytest.approx(laws(two) - laws(one), rel=1e-9, abs=1e-9)


def test_log_prior_of_a_singular_scale_is_not_a_number():
    priors = (np.ones(1), np.ones((1, 1)), np.zeros((1, 2)), 0.0, np.eye(2)[None], 5.0, DOF_SHAPE, DOF_RATE)
    assert np.isnan(
        log_prior(np.ones(1), np.ones((1, 1)), np.zeros((1, 2)), np.ones((1, 2, 2)), np.full(1, np.inf), False, priors, KINDS["full"])
    )


def test_normalised_counts_are_the_mode_and_what_was_impossible_stays_so():
    probs = np.array([0.2, 0.3, 0.5, 0.0])
    normalise(np.array([3.0, 1.0, 0.5, 9.0]), np.array([4.0, 2.0, 0.2, 1.0]), probs)
    np.testing.assert_allclose(probs, [6 / 8, 2 / 8, 0.0, 0.0])  # .5 - 1 + .2 is below nothing
    normalise(np.ones(4), np.zeros(4), probs)
    np.testing.assert_array_equal(probs, np.zeros(4))


@given(seed=seeds)
def test_degrees_of_freedom_are_the_root_of_their_slope(seed):
    """Of E-step numbers as they occur: gamma weights drawn from a Student-t's own law."""
    rng = np.random.default_rng(seed)
    truth, n = rng.uniform(2.0, 60.0), int(rng.integers(5, 2000))
    u = rng.gamma(truth / 2, 2 / truth, n)
    mass, excess = float(n), float((np.log(u) - u).sum())

    def slope(dof):
        return 0.5 * (mass * (1 + np.log(dof / 2) - digamma(dof / 2)) + excess) + (DOF_SHAPE - 1) / dof - DOF_RATE

    assert slope_of_dof(truth, mass, excess, DOF_SHAPE, DOF_RATE) == pytest.approx(slope(truth), rel=1e-9, abs=1e-9 * n)
    got = maximise_dof(mass, excess, DOF_SHAPE, DOF_RATE)
    if slope(LEAST_DOF) <= 0:
        assert got == LEAST_DOF
    elif slope(MOST_DOF) >= 0:
        assert got == MOST_DOF
    else:
        assert got == pytest.approx(brentq(slope, LEAST_DOF, MOST_DOF, xtol=1e-12), rel=1e-7)


def test_shared_degrees_of_freedom_are_those_of_all_rows_together():
    mass, excess = np.array([300.0, 80.0]), np.array([-330.0, -120.0])
    apart, shared = np.empty(2), np.empty(2)
    update_dof(mass, excess, DOF_SHAPE, DOF_RATE, False, apart)
    update_dof(mass, excess, DOF_SHAPE, DOF_RATE, True, shared)
    np.testing.assert_allclose(apart, [maximise_dof(*each, DOF_SHAPE, DOF_RATE) for each in zip(mass, excess, strict=True)])
    np.testing.assert_allclose(shared, maximise_dof(380.0, -450.0, DOF_SHAPE, DOF_RATE))
    assert apart.min() < shared[0] < apart.max()
