"""Small jump models, every path of them written out, and worlds with known states."""

import itertools

import numpy as np
from numpy.typing import NDArray

from models.jump import JumpParams
from models.jump_space import simplex_grid

Array = NDArray[np.float64]


def random_jump(rng: np.random.Generator, n_states: int, n_features: int, penalty: float, step: float | None = None) -> JumpParams:
    """Any model: nothing in it is special."""
    grid = None if step is None else simplex_grid(n_states, step)
    return JumpParams(rng.normal(size=(n_states, n_features)), penalty, rng.uniform(0.1, 2.0, n_features), grid)


def loss_by_hand(x: Array, center: Array, weights: Array) -> float:
    """Half the weighted squared distance over what is there, scaled up to the whole weight."""
    there = [j for j in range(len(x)) if not np.isnan(x[j])]
    carried = sum(weights[j] for j in there)
    if carried == 0.0:
        return 0.0
    return float(0.5 * sum(weights[j] * (x[j] - center[j]) ** 2 for j in there) * sum(weights) / carried)


def losses_by_hand(X: Array, params: JumpParams) -> Array:
    states = np.array([[loss_by_hand(x, center, params.weights) for center in params.centers] for x in X])
    if params.grid is None:
        return states
    return np.array([[sum(p * loss for p, loss in zip(v, row, strict=True)) for v in params.grid] for row in states])


def moves_by_hand(params: JumpParams) -> Array:
    if params.grid is None:
        return np.array([[params.penalty * (i != j) for j in range(params.n_states)] for i in range(params.n_states)])
    cost = np.array([[params.penalty / 4.0 * np.abs(a - b).sum() ** 2 for b in params.grid] for a in params.grid])
    return cost + np.log(np.exp(-cost).sum(axis=1) / np.exp(-cost[0]).sum())[:, None] if params.mode_loss else cost


def enumerate_jumps(losses: Array, moves: Array) -> tuple[Array, NDArray[np.int64], float]:
    """Value function of every row, cheapest whole path and its cost, from every path there is."""
    n_obs, n_grid = losses.shape
    paths = np.array(list(itertools.product(range(n_grid), repeat=n_obs)))
    steps = losses[np.arange(n_obs), paths]
    steps[:, 1:] += moves[paths[:, :-1], paths[:, 1:]]
    upto = steps.cumsum(axis=1)
    values = np.array([[upto[paths[:, t] == k, t].min() for k in range(n_grid)] for t in range(n_obs)])
    best = int(upto[:, -1].argmin())
    return values, paths[best], float(upto[best, -1])


def jump_world(
    n_obs: int, n_states: int, n_features: int, seed: int, *, stay: float = 0.98, spread: float = 2.0
) -> tuple[NDArray[np.int64], Array]:
    """States and standardised rows: Gaussian around a center a state."""
    rng = np.random.default_rng(seed)
    states = np.zeros(n_obs, dtype=np.int64)
    for t in range(1, n_obs):
        states[t] = states[t - 1] if rng.random() < stay else rng.integers(n_states)
    X = rng.normal(size=(n_obs, n_features)) + spread * rng.normal(size=(n_states, n_features))[states]
    return states, (X - X.mean(axis=0)) / X.std(axis=0)
