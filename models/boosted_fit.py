"""Fitting boosted trees on overlapping rows: few, shallow, shrunk, each leaf resting on rows that do not overlap (Friedman 2001)."""

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor

from models.boosted import LEAF, Boosted
from models.inference import Array

TREES = 10
DEPTH = 2
SHRINKAGE = 0.1
LEAF_ROWS = 30
"""Independent rows that each leaf rests on."""

ROWS_A_HORIZON = 5
"""Rows taken from each horizon: more of them overlap too much to tell anything new, and cost their time."""


def fit_boosted(X: Array, y: Array, weight: Array, horizon: int) -> Boosted:
    """Fit trees to what a mean leaves over.

    Every max(1, horizon // `ROWS_A_HORIZON`)-th row is taken, counted back from the newest. Too few for two leaves give no tree, which
    adds nothing: the mean is nested.

    Parameters
    ----------
    X : (n_obs, n_features) without gaps, in order of time
    y : (n_obs,) outcomes less their mean
    weight : (n_obs,) of each row, in any unit
    horizon : sessions over which neighbouring rows overlap
    """
    step = max(1, horizon // ROWS_A_HORIZON)
    rows = slice((len(y) - 1) % step, None, step)
    X, y, weight = X[rows], y[rows], weight[rows]
    a_leaf = int(np.ceil(LEAF_ROWS * horizon / step))
    if len(y) < 2 * a_leaf:
        return Boosted()
    trees = GradientBoostingRegressor(
        n_estimators=TREES, max_depth=DEPTH, learning_rate=SHRINKAGE, min_samples_leaf=a_leaf, init="zero", random_state=0
    )
    trees.fit(X, y - np.average(y, weights=weight), sample_weight=weight)
    return as_arrays(trees)


def as_arrays(trees: GradientBoostingRegressor) -> Boosted:
    """Take fitted trees, which began at zero, out of scikit-learn."""
    each = [estimator.tree_ for estimator in trees.estimators_[:, 0]]
    roots = np.concatenate([[0], np.cumsum([tree.node_count for tree in each])[:-1]]).astype(np.int64)

    def moved(name: str) -> tuple[int, ...]:
        children = [np.where(getattr(tree, name) == LEAF, LEAF, getattr(tree, name) + root) for tree, root in zip(each, roots, strict=True)]
        return tuple(np.concatenate(children).tolist())

    return Boosted(
        roots=tuple(roots.tolist()),
        feature=tuple(np.concatenate([np.maximum(tree.feature, 0) for tree in each]).tolist()),
        threshold=tuple(np.concatenate([tree.threshold for tree in each]).tolist()),
        left=moved("children_left"),
        right=moved("children_right"),
        value=tuple(np.concatenate([trees.learning_rate * tree.value[:, 0, 0] for tree in each]).tolist()),
    )
