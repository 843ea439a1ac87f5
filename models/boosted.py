"""Boosted trees as plain arrays: they predict as scikit-learn does, without it and without pickle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.inference import Array

LEAF = -1
"""Child of a node that has none."""


@dataclass(frozen=True)
class Boosted:
    """A sum of regression trees.

    Attributes
    ----------
    roots : node at which each tree begins; its nodes lie together
    feature, threshold : of each node: a row goes left where the feature, as a 32-bit number, is not above the threshold
    left, right : nodes that follow; `LEAF` where a tree ends
    value : what each node adds, already shrunk
    """

    roots: tuple[int, ...] = ()
    feature: tuple[int, ...] = ()
    threshold: tuple[float, ...] = ()
    left: tuple[int, ...] = ()
    right: tuple[int, ...] = ()
    value: tuple[float, ...] = ()

    def __call__(self, X: Array) -> Array:
        """Sum of all trees for each row, (n_obs,); zero where there are no trees.

        Parameters
        ----------
        X : (n_obs, n_features) without gaps
        """
        out = np.zeros(len(X))
        if not self.roots:
            return out
        X = X.astype(np.float32).astype(np.float64)  # scikit-learn compares 32-bit features with 64-bit thresholds
        feature, threshold, left, right, value = (np.array(each) for each in self._columns())
        rows = np.arange(len(X))[:, None]
        node = np.tile(np.array(self.roots), (len(X), 1))
        while (inside := left[node] != LEAF).any():
            goes_left = X[rows, feature[node]] <= threshold[node]
            node = np.where(inside, np.where(goes_left, left[node], right[node]), node)
        for tree in value[node].T:  # one after the other: another order of adding would round otherwise
            out += tree
        return out

    def _columns(self) -> tuple[tuple[float, ...], ...]:
        return self.feature, self.threshold, self.left, self.right, self.value

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Boosted":
        """Inverse of `dataclasses.asdict`."""
        return cls(**{name: tuple(each) for name, each in values.items()})
