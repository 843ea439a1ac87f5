"""The statistical jump model as it is used: losses, the online value function, one more row. Numpy alone.

A path of states s_1..s_T costs

    sum_t l(x_t, s_t) + sum_{t>1} move(s_{t-1}, s_t),    l(x, k) = 1/2 sum_j w_j (x_j - centers_kj)^2,

and move = penalty for another state, 0 for the same (Nystrup, Lindstrom and Madsen 2020, eq. 4, with half the squared distance as in
Shu, Yu and Mulvey 2024). In the continuous model a state is a vector of the simplex (Aydinhan, Kolm, Mulvey and Shu 2024).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.inference import Array
from models.jump_rows import mix_losses, refuse_infinite, seen_weights, state_losses
from models.jump_space import move_costs

Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class JumpParams:
    """Parameters of a jump model.

    Attributes
    ----------
    centers : (n_states, n_features)
    penalty : what a jump costs, in units of the loss
    weights : (n_features,) of the features in the loss, at least 0
    grid : (n_grid, n_states) vectors of the simplex a continuous model moves on; None for the discrete model
    mode_loss : see `move_costs`
    """

    centers: Array
    penalty: float
    weights: Array
    grid: Array | None = None
    mode_loss: bool = True

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.centers)

    @cached_property
    def vectors(self) -> Array:
        """Mixture of states that each point of the search stands for, (n_grid, n_states); the unit vectors in the discrete model."""
        return np.eye(self.n_states) if self.grid is None else self.grid

    @cached_property
    def moves(self) -> Array:
        """Cost of moving from point i to point j, (n_grid, n_grid)."""
        return move_costs(self.vectors, self.penalty, self.mode_loss and self.grid is not None)


@dataclass(frozen=True, eq=False)
class JumpState:
    """What one more row needs to know of the rows before it, and what they say.

    Attributes
    ----------
    values : (n_grid,) least cost of a path that ends in each point, less the smallest of them
    label : state of the cheapest end; of equal ones the first
    proba : (n_states,) the cheapest end as a vector; in the discrete model an indicator, not a probability
    """

    values: Array
    label: int
    proba: Array


@dataclass(frozen=True, eq=False)
class Values:
    """The value function V_t(i) = min over s_1..s_{t-1} of the cost of the rows up to t with s_t = i.

    Attributes
    ----------
    relative : (n_obs, n_grid) V_t(i) - min_i V_t(i), what labels are taken from
    level : (n_obs,) min_i V_t(i)
    """

    relative: Array
    level: Array

    @property
    def values(self) -> Array:
        """V_t(i), (n_obs, n_grid)."""
        return np.asarray(self.relative + self.level[:, None])


def row_losses(X: Array, params: JumpParams) -> Array:
    """Loss of each row at each point of the search, (n_obs, n_grid).

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing: what is missing is left out and the rest scaled up by the weights it carries; a row with
        nothing in it costs nothing anywhere

    Raises
    ------
    ScoringError
        If a value is infinite.
    """
    refuse_infinite(X)
    filled, carried, _ = seen_weights(X, params.weights)
    return mix_losses(state_losses(filled, carried, params.centers), params.grid)


def filter_values(X: Array, params: JumpParams, state: JumpState | None = None) -> Values:
    """Value function of contiguous rows: row t has seen x_1..x_t and nothing later.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    state : of the row before the first; None at the beginning of history
    """
    losses = row_losses(X, params)
    before = None if state is None else state.values
    if params.grid is None:
        return _carry_states(losses, float(params.penalty), before)
    return _carry_grid(losses, params.moves, before)


def _carry_states(losses: Array, penalty: float, before: Array | None) -> Values:
    # Plain numbers: for a few states five times as fast as arrays of them.
    relative, level, reached = [], [], 0.0
    last = None if before is None else before.tolist()
    for row in losses.tolist():
        # a state is reached by staying, or from the best one, whose value is 0
        values = row if last is None else [loss + (value if value < penalty else penalty) for loss, value in zip(row, last, strict=True)]
        rise = min(values)
        last = [value - rise for value in values]
        reached += rise
        relative.append(last)
        level.append(reached)
    return Values(np.array(relative, dtype=np.float64).reshape(losses.shape), np.array(level, dtype=np.float64))


def _carry_grid(losses: Array, moves: Array, before: Array | None) -> Values:
    relative, level, reached = losses.copy(), np.empty(len(losses)), 0.0
    ways, least = np.empty_like(moves), np.minimum.reduce
    for t, values in enumerate(relative):  # rows of the result, filled in place
        if before is not None:
            np.add(before[:, None], moves, out=ways)
            values += least(ways)
        rise = least(values)
        values -= rise
        reached += rise
        level[t], before = reached, values
    return Values(relative, level)


def filter_proba(values: Values, params: JumpParams) -> Array:
    """The cheapest end of each row as a vector over states, (n_obs, n_states): 0 or 1 in the discrete model."""
    return np.asarray(params.vectors[values.relative.argmin(axis=1)])


def filter_labels(values: Values, params: JumpParams) -> Labels:
    """Online label of each row, argmin_i V_t(i) (in the continuous model the largest entry of that vector); the first of equal ones."""
    return np.asarray(params.vectors.argmax(axis=1)[values.relative.argmin(axis=1)])


def update(params: JumpParams, state: JumpState | None, x: Array) -> JumpState:
    """Take one more row in: to the bit what `filter_values` makes of the whole sequence.

    Parameters
    ----------
    state : after the row before; None if there is none
    x : (n_features,), NaN where missing
    """
    values = filter_values(x[None, :], params, state).relative[0]
    proba = params.vectors[values.argmin()]
    return JumpState(values, int(proba.argmax()), proba.copy())
