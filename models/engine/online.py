"""One new observation at a time, compiled: for replaying millions of them. A server uses `models.online`."""

import math

import numpy as np
from numpy.typing import ArrayLike

from models.emissions import whitening
from models.engine.compile import compiled_exactly
from models.engine.filtering import step
from models.online import FilterState, OnlineFilter
from models.params import Array, HMMParams

START, CONSTANT, DOF, TRANS = 0, 1, 2, 3
"""Where a state's row of `packed` has what; its column of the transition matrix is followed by its mean and its whitening matrix."""


class CompiledFilter(OnlineFilter):
    """`models.online.OnlineFilter` with its common case, a complete observation, compiled."""

    def __init__(self, params: HMMParams) -> None:
        super().__init__(params)
        whiten, constant = whitening(params, np.ones(params.n_features, dtype=np.bool_))
        columns = params.start, constant, params.dof, params.trans.T, params.means, whiten.reshape(params.n_states, -1)
        self._packed = np.ascontiguousarray(np.column_stack(columns))  # handing over an array costs a tenth of the whole step
        self._shape = (params.n_features,)

    def update(self, state: FilterState | ArrayLike | None, x: ArrayLike) -> FilterState:
        """Filter one observation; as of `OnlineFilter.update`."""
        if type(x) is np.ndarray and x.shape == self._shape and x.dtype == np.float64:
            out = np.empty(len(self._packed))
            last = out if state is None else state[0] if type(state) is FilterState else np.asarray(state, dtype=np.float64)
            if last.shape == out.shape:  # compiled code does not look
                log_next = advance(state is not None, last, x, self._packed, out)
                if log_next == log_next:
                    return FilterState(out, log_next)
        return super().update(state, x)


@compiled_exactly
def advance(begun, last, x, packed, out):
    """Write p(state_t | x_1..x_t) into `out` and give the log score; NaN where something is missing or infinite."""
    n_states, n_features = len(packed), len(x)
    belief, dens = np.empty(n_states), np.empty(n_states)
    for i in range(n_features):
        if not math.isfinite(x[i]):
            return np.nan
    for k in range(n_states):
        row = packed[k]
        mean = row[TRANS + n_states :]
        whiten = mean[n_features:]
        belief[k] = row[START]
        if begun:
            value = 0.0
            for i in range(n_states):
                value += last[i] * row[TRANS + i]
            belief[k] = value
        squared = 0.0
        for i in range(n_features):
            z = 0.0
            for j in range(i + 1):
                z += whiten[i * n_features + j] * (x[j] - mean[j])
            squared += z * z
        if math.isinf(row[DOF]):
            dens[k] = row[CONSTANT] + -0.5 * squared
        else:
            dens[k] = row[CONSTANT] + -0.5 * (row[DOF] + n_features) * math.log1p(squared / row[DOF])
    return step(belief, dens, out)


__all__ = ["Array", "CompiledFilter", "advance"]
