"""Shapley values: how the worth of all players together is shared out among them. NumPy alone."""

from collections.abc import Sequence
from math import factorial

import numpy as np
from numpy.typing import NDArray

from models.params import Array


def coalitions(n_players: int) -> NDArray[np.bool_]:
    """Every set of players, (2**n_players, n_players): row r holds player i where bit i of r is set; the first is empty, the last all."""
    return np.asarray((np.arange(2**n_players)[:, None] >> np.arange(n_players)) & 1 == 1)


def shapley(worth: Array) -> Array:
    """Shapley values of many games at once (Shapley 1953): the mean of what a player adds, over all orders in which players may come.

    Parameters
    ----------
    worth : (2**n_players, n_games) in the order of `coalitions`. Where a worth is infinite and a player leaves it so, he adds 0

    Returns
    -------
    (n_games, n_players); over players they add up to worth[-1] - worth[0]
    """
    n_players = len(worth).bit_length() - 1
    members = coalitions(n_players)
    sizes = members.sum(axis=1)
    weights = np.array([factorial(s) * factorial(n_players - s - 1) / factorial(n_players) for s in range(n_players)])
    out = np.empty((worth.shape[1], n_players))
    for i in range(n_players):
        without = np.flatnonzero(~members[:, i])
        before, after = worth[without], worth[without | (1 << i)]
        added = np.zeros_like(before)
        np.subtract(after, before, out=added, where=after != before)  # infinity less infinity is nothing added
        out[:, i] = weights[sizes[without]] @ added
    return out


def log_sum(logs: Array, axis: int = -1) -> Array:
    """Logarithm of the sum of exponentials along an axis; -inf of nothing but -inf."""
    peak = logs.max(axis=axis, keepdims=True)
    level = np.where(np.isneginf(peak), 0.0, peak)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(logs - level).sum(axis=axis)) + level.squeeze(axis))


def first_odds(logs: Array) -> Array:
    """Log-odds of the first state against the rest from log-weights (..., n_states): exact where a probability would round to 0 or 1."""
    return np.asarray(logs[..., 0] - log_sum(logs[..., 1:]))


def mixed_odds(odds: Sequence[Array], weights: Sequence[float]) -> Array:
    """Log-odds of an average of probabilities, from the log-odds of each.

    Parameters
    ----------
    odds : arrays of one shape
    weights : positive, adding up to one
    """
    if len(odds) == 1:
        return odds[0]
    stacked, logs = np.stack(odds, axis=-1), np.log(weights)
    return np.asarray(log_sum(logs - np.logaddexp(0.0, -stacked)) - log_sum(logs - np.logaddexp(0.0, stacked)))
