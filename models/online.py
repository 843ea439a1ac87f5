"""One new observation at a time: what a server does with each session."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from models.emissions import kernel, whitening
from models.errors import ScoringError
from models.params import Array, HMMParams


class FilterState(NamedTuple):
    """What is carried from one observation to the next.

    Attributes
    ----------
    probs : (n_states,) p(state_t | x_1..x_t)
    log_next : log p(x_t | x_1..x_{t-1}) of the newest observation; NaN where there was none yet
    """

    probs: Array
    log_next: float


class OnlineFilter:
    """A filter made ready for one observation after another; NumPy alone, nothing is compiled.

    Parameters
    ----------
    params : of the model
    """

    def __init__(self, params: HMMParams) -> None:
        self.params = params
        self._gaussian = bool(np.isinf(params.dof).all())
        self._ready: dict[bytes, tuple[Array, Array, Array, int]] = {}

    def update(self, state: FilterState | ArrayLike | None, x: ArrayLike) -> FilterState:
        """Filter one observation.

        Parameters
        ----------
        state : what the last update gave, or the last probabilities (n_states,); None before the first observation
        x : (n_features,), NaN where missing
        """
        params = self.params
        belief = params.start
        if state is not None:
            last = np.asarray(state[0] if isinstance(state, FilterState) else state)
            if last.shape != (params.n_states,):
                raise ScoringError(f"update: a state of shape {last.shape}; rule: ({params.n_states},), what the last update gave")
            belief = last @ params.trans
        row = observation(x, params.n_features)
        missing = row != row
        seen = ~missing
        whiten, shift, constant, n_seen = self._prepared(seen)
        z = whiten @ (row[seen] if missing.any() else row) - shift
        squared = np.add.reduce((z * z).reshape(params.n_states, n_seen), axis=1)
        if self._gaussian:
            dens = constant - 0.5 * squared
        else:
            dens = constant + np.array([float(kernel(s, nu, n_seen)) for s, nu in zip(squared, params.dof, strict=True)])
        joint = belief * np.exp(dens - dens.max())
        total = joint.sum()
        if not total > 0.0:
            return self._hardly_possible(belief, dens)
        return FilterState(joint / total, float(np.log(total) + dens.max()))

    def _prepared(self, seen: np.ndarray) -> tuple[Array, Array, Array, int]:
        key = seen.tobytes()
        ready = self._ready.get(key)
        if ready is None:
            whiten, constant = whitening(self.params, seen)
            n_seen = int(seen.sum())
            shift = np.einsum("kij,kj->ki", whiten, self.params.means[:, seen]).ravel()
            ready = self._ready[key] = (np.ascontiguousarray(whiten.reshape(len(whiten) * n_seen, n_seen)), shift, constant, n_seen)
        return ready

    def _hardly_possible(self, belief: Array, dens: Array) -> FilterState:
        from models.inference import filter_step

        return FilterState(*filter_step(belief, dens))


def observation(x: ArrayLike, n_features: int) -> Array:
    """Check one observation.

    Raises
    ------
    ScoringError
        If it has another number of columns, or an infinity.
    """
    row = np.asarray(x, dtype=np.float64)
    if row.shape != (n_features,):
        raise ScoringError(f"update: an observation of shape {row.shape}; rule: ({n_features},), the columns the model was fitted on")
    if np.isinf(row).any():
        raise ScoringError(f"update: column {int(np.isinf(row).argmax())} is infinite; rule: finite numbers, NaN where missing")
    return row
