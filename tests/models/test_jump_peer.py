"""The same answers as jumpmodels 0.1.1, the package of the authors of the continuous model, on the same data from the same starts.

Where the two differ by intent: jumpmodels orders states by how often they occur, refuses missing values, gives up a state that loses all of
its rows, starts every second fit of an object from the first, and returns of a sparse fit the weights of one turn and centers in weighted
units of the turn before.
"""

import numpy as np
import pytest
from jumpmodels.jump import JumpModel as PeerModel
from jumpmodels.sparse_jump import SparseJumpModel, solve_lasso

from models.jump import JumpParams, filter_labels, filter_proba, filter_values
from models.jump_model import JumpModel
from models.jump_space import simplex_grid
from models.jump_sparse import feature_weights
from tests.models.jump_worlds import jump_world

KINDS = [
    (2, False, True, 3.0),
    (2, False, True, 40.0),
    (3, False, True, 10.0),
    (2, True, True, 3.0),
    (2, True, False, 40.0),
    (3, True, True, 10.0),
]
"""States, continuous, mode loss, penalty."""


def fit_both(X: np.ndarray, n_components: int, continuous: bool, mode_loss: bool, penalty: float) -> tuple[JumpModel, PeerModel]:
    """Both draw their starts by scikit-learn's k-means++ from the same stream."""
    step = 0.05 if n_components == 2 else 0.1
    ours = JumpModel(
        n_components,
        jump_penalty=penalty,
        continuous=continuous,
        grid_step=step,
        mode_loss=mode_loss,
        n_init=5,
        random_state=np.random.RandomState(3),
    )
    peer = PeerModel(n_components, penalty, continuous, step, mode_loss, random_state=np.random.RandomState(3), n_init=5)
    return ours.fit(X), peer.fit(X, sort_by=None)


def in_our_order(peer_centers: np.ndarray) -> np.ndarray:
    return np.lexsort(peer_centers.T[::-1])


@pytest.mark.parametrize(("n_components", "continuous", "mode_loss", "penalty"), KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_fit_from_the_same_starts_equals_theirs(n_components, continuous, mode_loss, penalty, seed):
    X = jump_world(500, n_components, 4, seed, stay=0.97)[1]
    ours, peer = fit_both(X, n_components, continuous, mode_loss, penalty)
    order = in_our_order(peer.centers_)
    assert ours.objective_ == pytest.approx(peer.val_, rel=1e-10)
    np.testing.assert_allclose(ours.centers_, peer.centers_[order], atol=1e-8)
    np.testing.assert_allclose(ours.occupancy_, peer.proba_.mean(axis=0)[order], atol=1e-12)
    settled = np.abs(np.sort(peer.proba_, axis=1)[:, -1] - np.sort(peer.proba_, axis=1)[:, -2]) > 1e-9  # the middle may go either way
    np.testing.assert_array_equal(order[ours.smooth_labels(X)][settled], peer.predict(X)[settled])


@pytest.mark.parametrize(("n_components", "continuous", "mode_loss", "penalty"), KINDS)
def test_online_labels_equal_their_predict_online(n_components, continuous, mode_loss, penalty):
    rows = jump_world(900, n_components, 4, 7, stay=0.97, spread=1.5)[1]
    X, later = rows[:500], rows[500:]
    _, peer = fit_both(X, n_components, continuous, mode_loss, penalty)
    params = JumpParams(peer.centers_, penalty, np.ones(4), peer.prob_vecs, mode_loss)
    for part in (X, later):
        values = filter_values(part, params)
        np.testing.assert_array_equal(filter_labels(values, params), peer.predict_online(part))
        np.testing.assert_array_equal(filter_proba(values, params), peer.predict_proba_online(part))
    if continuous:
        np.testing.assert_array_equal(simplex_grid(n_components, 0.05 if n_components == 2 else 0.1), peer.prob_vecs)
    np.testing.assert_allclose(params.moves, peer.jump_penalty_mx, rtol=1e-12, atol=1e-12)
    assert len(set(filter_labels(filter_values(later, params), params))) > 1


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("max_features", [1.5, 3.0, 50.0])
def test_sparse_fit_equals_theirs(continuous, max_features):
    rng = np.random.default_rng(2)
    X = np.hstack([jump_world(400, 2, 3, 5)[1], rng.normal(size=(400, 4))])
    ours = JumpModel(jump_penalty=20.0, continuous=continuous, max_features=max_features, random_state=0).fit(X)
    peer = SparseJumpModel(2, max_features, 20.0, continuous, random_state=0).fit(X, sort_by=None)
    weights = np.asarray(peer.feat_weights) ** 2  # theirs multiply the rows
    np.testing.assert_allclose(ours.weights_, weights, atol=1e-6)  # they find the threshold to 1e-8 by bisection
    assert ours.objective_ == pytest.approx(peer.jm_ins.val_, rel=1e-6)
    order = np.lexsort(peer.centers_[:, weights > 0.0].T[::-1])
    np.testing.assert_array_equal(ours.filter_proba(X), peer.predict_proba_online(X)[:, order])


@pytest.mark.parametrize("seed", range(5))
def test_feature_weights_equal_theirs(seed):
    rng = np.random.default_rng(seed)
    apart = rng.exponential(size=8)
    for most in (1.0, 2.5, 6.0, 8.0):
        # theirs bisects the threshold to 1e-8; where few features are left its error is divided by their small norm
        np.testing.assert_allclose(feature_weights(apart, most), solve_lasso(apart / apart.max(), np.sqrt(most)), atol=1e-6)
