"""Passes over the products of columns against NumPy's products."""

import numpy as np
import pytest

from models.engine.quadratic import WIDTH, add_moments, add_to_triangle, augmented, design, flatten, total, weighted_sums

N_OBS = 1100  # two whole blocks and a rest


def phi_of(n_features, diagonal):
    X = np.random.default_rng(0).normal(size=(N_OBS, n_features))
    return X, design(augmented(X), diagonal)


@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("n_features", [1, 2, 6])
@pytest.mark.parametrize("n_states", [1, 2, 3, 5])
def test_weighted_sums_are_the_quadratic_forms(diagonal, n_features, n_states):
    X, phi = phi_of(n_features, diagonal)
    rng, a = np.random.default_rng(1), np.column_stack([np.ones(N_OBS), X])
    triangles = np.tril(rng.normal(size=(n_states, n_features + 1, n_features + 1)))
    if diagonal:
        triangles[:, 1:, 1:] *= np.eye(n_features)
    flat, out = np.empty((n_states, len(phi))), np.full((n_states, N_OBS), np.nan)
    for k in range(n_states):
        flatten(triangles[k], diagonal, flat[k])
    weighted_sums(phi, flat, np.arange(n_states), out)
    np.testing.assert_allclose(out, np.einsum("ti,kij,tj->kt", a, triangles, a), rtol=0, atol=1e-12)


@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("n_features", [1, 2, 6])
@pytest.mark.parametrize("states", [[0], [0, 2], [0, 1, 3]])
def test_moments_are_the_weighted_products(diagonal, n_features, states):
    X, phi = phi_of(n_features, diagonal)
    a, g = np.column_stack([np.ones(N_OBS), X]), np.random.default_rng(2).random((4, N_OBS))
    flat, triangles = np.zeros((4, len(phi))), np.zeros((4, n_features + 1, n_features + 1))
    add_moments(phi, g, np.array(states), flat)
    for k in range(4):
        add_to_triangle(flat[k], diagonal, triangles[k])
    wanted = np.tril(np.einsum("kt,ti,tj->kij", g, a, a))
    if diagonal:
        wanted[:, 1:, 1:] *= np.eye(n_features)
    wanted[[k for k in range(4) if k not in states]] = 0.0
    np.testing.assert_allclose(triangles, wanted, rtol=0, atol=1e-9)  # of sums of about 1,000


def test_design_is_filled_up_with_zeros():
    X, phi = phi_of(2, diagonal=False)
    assert len(phi) == 2 * WIDTH
    assert np.array_equal(phi[:6], np.column_stack([np.ones(N_OBS), X, X[:, 0] ** 2, X[:, 1] * X[:, 0], X[:, 1] ** 2]).T)
    assert not phi[6:].any()
    assert total(phi[0]) == N_OBS
