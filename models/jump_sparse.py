"""The sparse jump model: features weighted by how far they tell the states apart (Nystrup, Kolm and Lindstrom 2021)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq

from models.errors import FitError
from models.inference import Array
from models.jump_fit import JumpFit, draw_starts, fit_jump
from models.jump_rows import check_rows
from models.jump_settings import JumpSettings

MAX_REWEIGHTINGS = 30
WEIGHT_TOL = 1e-4
"""The weights stand when they change by no more than this share of their sum."""


def feature_weights(separation: Array, max_features: float) -> Array:
    """Weights w >= 0 that maximise separation @ w under ||w||_2 <= 1 and ||w||_1 <= sqrt(max_features).

    Soft-thresholded and scaled to length 1, with the least threshold that keeps the second bound (Witten and Tibshirani 2010, eq. 5).
    Where equal largest values alone break that bound they share the weight, as in jumpmodels.

    Parameters
    ----------
    separation : (n_features,) at least 0 and not all 0
    max_features : at least 1; about how many features keep a weight
    """
    scaled = separation / separation.max()
    bound = np.sqrt(max_features)

    def excess(threshold: float) -> float:
        return float(_soft(scaled, threshold).sum() - bound)

    if excess(0.0) <= 0.0:
        return _soft(scaled, 0.0)
    below = scaled[scaled < 1.0]
    highest = float(below.max()) if below.size else 0.0
    if excess(highest) >= 0.0:
        return _soft(scaled, highest)
    return _soft(scaled, float(brentq(excess, 0.0, highest, xtol=1e-14)))


def _soft(values: Array, threshold: float) -> Array:
    kept = np.maximum(values - threshold, 0.0)
    return np.asarray(kept / np.linalg.norm(kept))


def separation(X: Array, proba: Array) -> Array:
    """Sum of squares between the states by feature, (n_features,), over the rows that have it, brought to the number of all rows."""
    seen = ~np.isnan(X)
    filled = np.where(seen, X, 0.0)
    counts = seen.sum(axis=0)
    held = proba.T @ seen
    means = np.divide(proba.T @ filled, held, out=np.zeros_like(held), where=held > 0.0)
    between = (held * (means - filled.sum(axis=0) / counts) ** 2).sum(axis=0)
    return np.asarray(between * len(X) / counts)


def fit_any_jump(
    X: Array, settings: JumpSettings, rng: np.random.Generator, *, warm: Array | None = None, lengths: Sequence[int] | None = None
) -> JumpFit:
    """Fit as the settings say, with `max_features` or without, from `n_init` drawn starts and `warm` if there is one."""
    if settings.max_features is not None:
        return fit_sparse_jump(X, settings, rng, warm=warm, lengths=lengths)
    check_rows(X, settings.n_components)
    starts = [*([] if warm is None else [warm]), *draw_starts(X, settings.n_components, settings.n_init, rng)]
    return fit_jump(X, settings, starts, lengths=lengths)


def fit_sparse_jump(
    X: Array,
    settings: JumpSettings,
    rng: np.random.Generator,
    *,
    warm: Array | None = None,
    lengths: Sequence[int] | None = None,
) -> JumpFit:
    """Fit centers and path for given weights, and weights for a given path, in turn.

    Maximises 1/2 sum_j w_j BCSS_j - sum of moves, with BCSS_j the sum of squares between the states. From the second turn on, and with
    no value missing, it never falls; `history` holds it. With values missing the rows' scaling depends on the weights, and it may.

    Parameters
    ----------
    settings : with `max_features`; `n_init` starts are drawn in each turn, besides the centers of the turn before. The penalty is divided
        by sqrt(n_features), so that it means in every dimension what it means without weights (as in jumpmodels: equal weights of length 1
        are 1 / sqrt(n_features) each)
    warm : (n_states, n_features) centers of an earlier fit, a further start of the first turn
    """
    if settings.max_features is None:
        raise FitError("sparse jump model: max_features is None; rule: a number. Use fit_jump for all features alike")
    check_rows(X, settings.n_components)
    n_features = X.shape[1]
    scaled = replace(settings, jump_penalty=settings.jump_penalty / np.sqrt(n_features))
    weights = np.full(n_features, 1.0 / np.sqrt(n_features))
    spread_of_all = np.nansum((X - np.nanmean(X, axis=0)) ** 2, axis=0)
    gains: list[float] = []
    for turn in range(MAX_REWEIGHTINGS):
        starts = [*([] if warm is None else [warm]), *draw_starts(X, settings.n_components, settings.n_init, rng, weights)]
        fit = fit_jump(X, scaled, starts, weights=weights, lengths=lengths)
        gains.append(0.5 * float(weights @ spread_of_all) - fit.objective)
        apart = separation(X, fit.proba)
        if not apart.max() > 0.0:  # one state holds every row: no feature tells states apart (the fit says so by its occupancy)
            settled = True
            break
        better = feature_weights(apart, settings.max_features)
        settled = bool(np.abs(better - weights).sum() <= WEIGHT_TOL * weights.sum())
        if settled or turn == MAX_REWEIGHTINGS - 1:
            break
        warm, weights = fit.params.centers, better
    return replace(fit, n_iter=len(gains), converged=fit.converged and settled, history=tuple(gains))
