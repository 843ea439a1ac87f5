"""Fitting a jump model: coordinate descent between the centers and the path of states, from several starts."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.cluster import kmeans_plusplus

from models.degenerate import DegenerateFitWarning
from models.errors import FitError
from models.inference import Array
from models.jump import JumpParams, Labels
from models.jump_path import cheapest_paths
from models.jump_rows import check_rows, mix_losses, seen_weights, sequence_lengths, state_losses
from models.jump_settings import JumpSettings
from models.jump_space import simplex_grid

RISE = 1e-9
"""By how much the objective may rise in one step, relative to its size, before it is more than rounding."""


@dataclass(frozen=True, eq=False)
class JumpFit:
    """A fitted model and how it was reached.

    Attributes
    ----------
    params : states in the order of `state_order`
    proba : (n_obs, n_states) vectors along the cheapest path; has seen the whole sample
    objective : cost of that path
    spread : objective of the worst start minus that of the best
    n_iter : rounds of the best start
    converged : whether the best start met `tol`
    history : objective after each round of the best start
    """

    params: JumpParams
    proba: Array
    objective: float
    spread: float
    n_iter: int
    converged: bool
    history: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows as the descent reads them, parted once."""

    filled: Array
    seen: Array
    carried: Array
    scale: Array
    lengths: Labels


def draw_starts(X: Array, n_components: int, n_init: int, rng: np.random.Generator, weights: Array | None = None) -> list[Array]:
    """Centers to begin with: rows chosen by k-means++, for which a missing value stands at the mean of its column.

    Parameters
    ----------
    weights : (n_features,) of the features in the distance; None for equal ones
    """
    filled = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    scaled = filled if weights is None else filled * np.sqrt(weights)
    random = np.random.RandomState(rng.bit_generator)
    return [filled[kmeans_plusplus(scaled, n_components, random_state=random)[1]] for _ in range(n_init)]


def fit_jump(
    X: Array, settings: JumpSettings, starts: Sequence[Array], *, weights: Array | None = None, lengths: Sequence[int] | None = None
) -> JumpFit:
    """Fit by coordinate descent from each start and keep the lowest objective (Nystrup, Lindstrom and Madsen 2020, algorithm 1).

    Minimises over centers and path the cost in `models.jump`. A state that no row is in keeps its last centers, which leaves it within
    reach of later rounds (jumpmodels gives it up); what a state has never seen of a feature stays where it began.

    Parameters
    ----------
    X : (n_obs, n_features) on one scale, NaN where missing
    starts : (n_states, n_features) centers each
    weights : (n_features,) of the features in the loss; None for 1 each
    lengths : rows of each contiguous sequence in `X`; one sequence if None

    Raises
    ------
    FitError
        If the rows do not allow a fit, or the objective rose.
    """
    check_rows(X, settings.n_components)
    loads = np.ones(X.shape[1]) if weights is None else weights
    rows = _rows(X, loads, lengths)
    grid = simplex_grid(settings.n_components, settings.grid_step) if settings.continuous else None
    frame = JumpParams(starts[0], settings.jump_penalty, loads, grid, settings.mode_loss)
    fits = [_descend(rows, replace(frame, centers=start), frame.moves, settings) for start in starts]
    best = min(fits, key=lambda fit: fit.objective)
    order = state_order(best.params)
    params = replace(best.params, centers=best.params.centers[order])
    spread = max(fit.objective for fit in fits) - best.objective
    return replace(best, params=params, proba=best.proba[:, order], spread=spread)


def state_order(params: JumpParams) -> Labels:
    """Order of the states: by rising center of the first feature that carries weight, equal ones by the next."""
    carrying = params.centers[:, params.weights > 0.0]
    return np.lexsort(carrying.T[::-1]).astype(np.int64)


def degenerate_reasons(fit: JumpFit, min_occupancy: float) -> list[str]:
    """Say why a fit should not be relied on, with the way out of each; empty where it may be."""
    occupancy = fit.proba.mean(axis=0)
    reasons = []
    if not fit.converged:
        way_out = "raise max_iter above that; regime.n_iter in a training's configuration"
        reasons.append(f"the descent did not end in {fit.n_iter} rounds ({way_out})")
    if occupancy.min() < min_occupancy:
        state = int(occupancy.argmin())
        reasons.append(
            f"state {state} holds {occupancy.min():.1%} of the rows, under {min_occupancy:.0%} (use fewer states, or a lower jump_penalty)"
        )
    return reasons


def warn_if_degenerate(fit: JumpFit, min_occupancy: float, where: str) -> list[str]:
    """Warn of a fit that should not be relied on; returns the reasons."""
    reasons = degenerate_reasons(fit, min_occupancy)
    if reasons:
        warnings.warn(f"{where}: {'; '.join(reasons)}", DegenerateFitWarning, stacklevel=2)
    return reasons


def _rows(X: Array, weights: Array, lengths: Sequence[int] | None) -> _Rows:
    filled, carried, scale = seen_weights(X, weights)
    return _Rows(filled, ~np.isnan(X), carried, scale, sequence_lengths(len(X), lengths, FitError))


def _descend(rows: _Rows, start: JumpParams, moves: Array, settings: JumpSettings) -> JumpFit:
    params = start
    path, objective = _best_path(rows, params, moves)
    history, converged = [objective], False
    while not converged and len(history) <= settings.max_iter:
        params = replace(params, centers=_centers(rows, params.vectors[path], params.centers))
        moved, lower = _best_path(rows, params, moves)
        if lower > objective + RISE * (1.0 + abs(objective)):
            raise FitError(
                f"jump model: the objective rose from {objective:.17g} to {lower:.17g}, which is rounding; standardise the columns"
            )
        converged = bool((moved == path).all()) or objective - lower <= settings.tol
        path, objective = moved, lower
        history.append(objective)
    return JumpFit(params, params.vectors[path], objective, 0.0, len(history) - 1, converged, tuple(history))


def _best_path(rows: _Rows, params: JumpParams, moves: Array) -> tuple[Labels, float]:
    losses = mix_losses(state_losses(rows.filled, rows.carried, params.centers), params.grid)
    return cheapest_paths(losses, moves, rows.lengths)


def _centers(rows: _Rows, proba: Array, before: Array) -> Array:
    """Minimise the objective for a given path: means by state, of what was seen, each row as it is scaled in the loss."""
    share = proba * rows.scale[:, None]
    held = share.T @ rows.seen
    return np.divide(share.T @ rows.filled, held, out=before.copy(), where=held > 0.0)
