"""One new observation at a time, compiled: for replaying millions of them. aug server uses `models.online`."""

import math

import numpy as np
from numpy.typing import ArrayLike

from models.emissions import whitening
from models.engine.compile import compiled_exactly
from models.engine.filtering import step
from models.online import FilterState, OnlineFilter
from models.params import Array, HMMParams


class CompiledFilter(OnlineFilter):
    """`models.online.OnlineFilter` with its common case, a complete observation, compiled."""

    def __init__(self, params: HMMParams) -> None:
        super().__init__(params)
        whiten, constant = whitening(params, np.ones(params.n_features, dtype=np.bool_))
        self._arrays = tuple(
            np.ascontiguousarray(each) for each in (params.start, params.trans, params.means, whiten, constant, params.dof)
        )

    def update(self, state: FilterState | ArrayLike | None, x: ArrayLike) -> FilterState:
        """Filter one observation; as of `OnlineFilter.update`."""
        if type(x) is np.ndarray and x.shape == (self.params.n_features,) and x.dtype == np.float64:
            out = np.empty(self.params.n_states)
            last = out if state is None else state[0] if isinstance(state, FilterState) else np.asarray(state, dtype=np.float64)
            if last.shape == out.shape:  # compiled code does not look
                log_next = advance(state is not None, last, x, *self._arrays, out)
                if log_next == log_next:
                    return FilterState(out, log_next)
        return super().update(state, x)


@compiled_exactly
def advance(begun, last, x, start, trans, means, whiten, constant, dof, out):
    """Write p(state_t | x_1..x_t) into `out` and give the log score; NaN where something is missing or infinite."""
    n_states, n_features = means.shape
    belief, dens = np.empty(n_states), np.empty(n_states)
    for i in range(n_features):
        if not math.isfinite(x[i]):
            return np.nan
    for k in range(n_states):
        belief[k] = start[k]
        if begun:
            value = 0.0
            for i in range(n_states):
                value += last[i] * trans[i, k]
            belief[k] = value
        squared = 0.0
        for i in range(n_features):
            z = 0.0
            for j in range(i + 1):
                z += whiten[k, i, j] * (x[j] - means[k, j])
            squared += z * z
        if math.isinf(dof[k]):
            dens[k] = constant[k] + -0.5 * squared
        else:
            dens[k] = constant[k] + -0.5 * (dof[k] + n_features) * math.log1p(squared / dof[k])
    return step(belief, dens, out)


__all__ = ["Array", "CompiledFilter", "advance"]
