"""The filter in logarithms, for many views of the same rows at once: a probability that rounds to 1 keeps its odds. NumPy alone."""

from collections.abc import Sequence

import numpy as np

from models.emissions import log_density
from models.explain_game import coalitions, log_sum
from models.params import Array, HMMParams

LEAST = -1e290
"""Log-densities below are taken for this: finite, so that a row out of all range still has differences."""


def logs_of(probs: Array) -> Array:
    """Logarithms of probabilities; -inf of 0."""
    with np.errstate(divide="ignore"):
        return np.log(probs)


def filter_logs(log_dens: Array, start: Array, trans: Array) -> tuple[Array, Array]:
    """Filter as `models.inference.filter_densities` does, in logarithms.

    Parameters
    ----------
    log_dens : (..., n_obs, n_states) log p(x_t | state_t)
    start : (n_states,) p(state) for the first row before it is seen
    trans : (n_states, n_states), or (n_obs, n_states, n_states) where row t of it leads from t - 1 to t (the first is not used)

    Returns
    -------
    predicted : (..., n_obs, n_states) log p(state_t | x_1..x_{t-1})
    filtered : (..., n_obs, n_states) log p(state_t | x_1..x_t)
    """
    predicted, filtered = np.empty_like(log_dens), np.empty_like(log_dens)
    belief = np.broadcast_to(logs_of(start), (*log_dens.shape[:-2], log_dens.shape[-1]))
    moves = logs_of(trans)
    for t in range(log_dens.shape[-2]):
        if t > 0:
            belief = log_sum(filtered[..., t - 1, :, None] + (moves if moves.ndim == 2 else moves[t]), axis=-2)
        predicted[..., t, :] = belief
        joint = belief + log_dens[..., t, :]
        filtered[..., t, :] = joint - log_sum(joint)[..., None]
    return predicted, filtered


def independent(params: HMMParams, groups: Sequence[Sequence[int]]) -> bool:
    """Whether in every state the groups of columns are independent of each other: Gaussian, and no covariance between groups.

    Student-t columns are not, not even uncorrelated ones: one scale weight a day stretches them all.
    """
    own = np.zeros((params.n_features, params.n_features), dtype=np.bool_)
    for group in groups:
        own[np.ix_(list(group), list(group))] = True
    return bool(np.isinf(params.dof).all() and not params.scales[:, ~own].any())


def densities_of(X: Array, params: HMMParams, columns: Sequence[int]) -> Array:
    """Log-densities (n_obs, n_states) of some columns, the others integrated out, less those of each row's likeliest state.

    That changes no odds, and keeps what was believed from being rounded away beside the density of a row far out.
    """
    seen = np.full_like(X, np.nan)
    seen[:, list(columns)] = X[:, list(columns)]
    with np.errstate(over="ignore"):
        dens = np.maximum(log_density(seen, params), LEAST)
    return np.asarray(dens - dens.max(axis=1, keepdims=True))


def coalition_densities(X: Array, params: HMMParams, groups: Sequence[Sequence[int]]) -> Array:
    """Log-densities under every set of groups, (2**n_groups, n_obs, n_states) in the order of `coalitions`."""
    members = coalitions(len(groups))
    columns = [[c for group, there in zip(groups, row, strict=True) if there for c in group] for row in members]
    if independent(params, groups):
        each = np.stack([densities_of(X, params, group) for group in groups])
        return np.stack([each[row].sum(axis=0) for row in members])
    return np.stack([densities_of(X, params, each) for each in columns])
