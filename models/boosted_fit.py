"""Fitting boosted trees on overlapping rows: few, shallow, shrunk, each leaf resting on rows that do not overlap (Friedman 2001)."""

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor

from models.boosted import LEAF, Boosted
from models.inference import Array

TREES = 20
DEPTH = 2
SHRINKAGE = 0.05
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
    roots: list[int] = []
    columns: dict[str, list[float]] = {name: [] for name in ("feature", "threshold", "left", "right", "value")}
    for estimator in trees.estimators_[:, 0]:
        tree, root = estimator.tree_, len(columns["value"])
        roots.append(root)
        for name, children in (("left", tree.children_left), ("right", tree.children_right)):
            columns[name] += np.where(children == LEAF, LEAF, children + root).tolist()
        columns["feature"] += np.maximum(tree.feature, 0).tolist()
        columns["threshold"] += tree.threshold.tolist()
        columns["value"] += (trees.learning_rate * tree.value[:, 0, 0]).tolist()
    return Boosted(tuple(roots), **{name: tuple(values) for name, values in columns.items()})  # type: ignore[arg-type]
