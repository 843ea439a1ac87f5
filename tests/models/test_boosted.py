"""Trees as plain arrays against scikit-learn's own, to the last bit."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor

from models.boosted import Boosted
from models.boosted_fit import LEAF_ROWS, ROWS_A_HORIZON, as_arrays, fit_boosted


def world(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)) * [1.0, 1e-4, 1e5, 1.0]
    return X, np.sin(X[:, 0]) + (X[:, 2] > 0) + rng.normal(size=n), rng.uniform(0.2, 2, size=n)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_arrays_predict_what_scikit_learn_predicts_bit_for_bit(depth):
    X, y, weight = world(800)
    theirs = GradientBoostingRegressor(n_estimators=25, max_depth=depth, init="zero", random_state=0).fit(X, y, sample_weight=weight)
    ours = as_arrays(theirs)
    fresh = world(500, seed=1)[0]
    np.testing.assert_array_equal(ours(fresh), theirs.predict(fresh))


def test_rows_on_a_threshold_go_where_scikit_learn_sends_them():
    """Thresholds are 64-bit, features are read as 32-bit: on the border the cast decides."""
    X, y, weight = world(800)
    theirs = GradientBoostingRegressor(n_estimators=10, max_depth=2, init="zero", random_state=0).fit(X, y, sample_weight=weight)
    ours = as_arrays(theirs)
    edges = np.array([(f, t) for f, t, leaf in zip(ours.feature, ours.threshold, ours.left, strict=True) if leaf != -1])
    rows = np.tile(X[:1], (3 * len(edges), 1))
    for i, (feature, threshold) in enumerate(edges):
        for k, value in enumerate((np.nextafter(threshold, -np.inf), threshold, np.nextafter(threshold, np.inf))):
            rows[3 * i + k, int(feature)] = value
    np.testing.assert_array_equal(ours(rows), theirs.predict(rows))


def test_one_row_is_answered_as_among_many():
    X, y, weight = world(3000)
    trees = fit_boosted(X, y, weight, 5)
    whole = trees(X[:50])
    np.testing.assert_array_equal([trees(X[[i]])[0] for i in range(50)], whole)


def test_trees_survive_json_to_the_last_bit():
    X, y, weight = world(3000)
    trees = fit_boosted(X, y, weight, 5)
    again = Boosted.from_dict(json.loads(json.dumps(asdict(trees), allow_nan=False)))
    assert again == trees
    np.testing.assert_array_equal(again(X), trees(X))


@pytest.mark.parametrize("horizon", [1, 5, 21])
def test_every_leaf_rests_on_rows_that_do_not_overlap(horizon):
    X, y, weight = world(200 * horizon)
    trees = fit_boosted(X, y, weight, horizon)
    step = max(1, horizon // ROWS_A_HORIZON)
    taken = X[::-1][::step]
    for root, end in zip(trees.roots, (*trees.roots[1:], len(trees.value)), strict=True):
        one = Boosted((0,), *(each[root:end] for each in (trees.feature, trees.threshold)), *shifted(trees, root, end))
        _, counts = np.unique(one(taken), return_counts=True)
        assert counts.min() * step / horizon >= LEAF_ROWS


def shifted(trees: Boosted, root: int, end: int) -> tuple[tuple, tuple, tuple]:
    """Children of one tree counted from its root, and a value of its own at every node."""
    left, right = (tuple(k - root if k != -1 else -1 for k in each[root:end]) for each in (trees.left, trees.right))
    return left, right, tuple(float(k) for k in range(end - root))


def test_only_rows_counted_back_from_the_newest_are_read():
    horizon, step = 25, 5
    X, y, weight = world(3003)
    moved = y.copy()
    skipped = (len(y) - 1 - np.arange(len(y))) % step != 0
    moved[skipped] += 100.0
    assert fit_boosted(X, moved, weight, horizon) == fit_boosted(X, y, weight, horizon)
    moved[-1] += 100.0
    assert fit_boosted(X, moved, weight, horizon) != fit_boosted(X, y, weight, horizon)


def test_no_tree_says_nothing():
    X, y, weight = world(2 * LEAF_ROWS - 1)
    assert fit_boosted(X, y, weight, 1) == Boosted()
    np.testing.assert_array_equal(Boosted()(X), 0.0)
