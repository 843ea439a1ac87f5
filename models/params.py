"""The parameters of a hidden Markov model."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PARAMS = ("start", "trans", "means", "scales", "dof")
"""Fields of `HMMParams`, in its order."""


@dataclass(frozen=True)
class HMMParams:
    """Parameters of an HMM with Gaussian or Student-t emissions.

    Attributes
    ----------
    start : (n_states,) probabilities of the first state
    trans : (n_states, n_states) transition matrix, rows sum to one
    means : (n_states, n_features)
    scales : (n_states, n_features, n_features) covariance of a Gaussian state, scale matrix of a Student-t state; given as
        (n_states, n_features) they are diagonals
    dof : (n_states,) degrees of freedom of each state; infinite is Gaussian
    """

    start: Array
    trans: Array
    means: Array
    scales: Array
    dof: Array = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if self.scales.ndim == 2:
            object.__setattr__(self, "scales", self.scales[:, :, None] * np.eye(self.scales.shape[1]))
        if not self.dof.size:
            object.__setattr__(self, "dof", np.full(len(self.start), np.inf))

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.start)

    @property
    def n_features(self) -> int:
        """Number of columns of an observation."""
        return int(self.means.shape[1])

    @property
    def inflation(self) -> Array:
        """Covariance over scale of each state, (n_states,): nu / (nu - 2), and 1 for a Gaussian."""
        with np.errstate(invalid="ignore"):
            return np.where(np.isinf(self.dof), 1.0, self.dof / (self.dof - 2.0))

    @property
    def covars(self) -> Array:
        """Covariances, (n_states, n_features, n_features)."""
        return self.scales * self.inflation[:, None, None]

    @property
    def variances(self) -> Array:
        """Variances, (n_states, n_features)."""
        return np.diagonal(self.covars, axis1=1, axis2=2).copy()

    @property
    def diagonal(self) -> bool:
        """Whether the columns do not vary together within any state."""
        off = ~np.eye(self.n_features, dtype=np.bool_)
        return not self.scales[:, off].any()

    def reordered(self, order: NDArray[np.int64]) -> "HMMParams":
        """Same model with its states in another order."""
        trans = self.trans[np.ix_(order, order)]
        return HMMParams(self.start[order], trans, self.means[order], self.scales[order], self.dof[order])

    def rescaled(self, center: Array, scale: Array) -> "HMMParams":
        """Same model for observations x * scale + center, in place of x.

        Parameters
        ----------
        center, scale : (n_features,)
        """
        return HMMParams(self.start, self.trans, self.means * scale + center, self.scales * np.outer(scale, scale), self.dof)

    def marginal(self, columns: NDArray[np.bool_]) -> "HMMParams":
        """Model of some of the columns, (n_features,) bool: the others are integrated out."""
        return HMMParams(self.start, self.trans, self.means[:, columns], self.scales[:, columns][:, :, columns], self.dof)
