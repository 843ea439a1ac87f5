"""Fitting a jump model as a regime model on a training window."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtr

from models.errors import FitError
from models.identity import MEAN_LEVEL, Identity
from models.inference import Array
from models.jump import JumpParams, Labels, filter_labels, filter_values
from models.jump_settings import JumpSettings
from models.jump_sparse import fit_any_jump
from models.regime_jump import RegimeJump


def fit_regime_jump(
    frame: pd.DataFrame,
    columns: tuple[str, ...],
    settings: JumpSettings,
    score_column: str,
    rng: np.random.Generator,
    warm: RegimeJump | None = None,
) -> RegimeJump:
    """Fit on a training window, and order the states by the score column among the rows that were labelled online.

    Parameters
    ----------
    frame : training rows; what is missing is left out of the loss
    score_column : column whose mean over standard deviation orders the states
    warm : the model of the refit before; its centers are one start
    """
    raw = frame[list(columns)].to_numpy(dtype=np.float64)
    center, scale = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0)
    flat = ~(scale > 0.0)
    if flat.any():
        raise FitError(f"regime model: column '{columns[int(flat.argmax())]}' is constant over the training window; leave it out")
    X = (raw - center) / scale
    before = None
    if warm is not None and warm.columns == columns and warm.n_states == settings.n_components:
        before = (warm.params.centers * warm.scale + warm.center - center) / scale
    fit = fit_any_jump(X, settings, rng, warm=before)
    labels = filter_labels(filter_values(X, fit.params), fit.params)
    order, identity = identify_labels(raw[:, columns.index(score_column)], labels, settings.n_components)
    params = _reordered(fit.params, order)
    moves = _moves(np.argsort(order)[labels].astype(np.int64), settings.n_components)
    kept = replace(fit, params=params, proba=fit.proba[:, order])
    return RegimeJump(columns, center, scale, params, moves, identity, kept)


def identify_labels(values: Array, labels: Labels, n_states: int) -> tuple[Labels, Identity]:
    """Order states by mean over standard deviation of a column among the rows that carry their label.

    Parameters
    ----------
    values : (n_obs,) the score column in its own unit
    labels : (n_obs,) online labels
    """
    groups = [values[(labels == k) & ~np.isnan(values)] for k in range(n_states)]
    if min(len(each) for each in groups) < 2:
        raise FitError(
            "regime model: a state of the jump model holds fewer than 2 training rows; use fewer states or a smaller regime.jump_penalty"
        )
    means, sds = np.array([g.mean() for g in groups]), np.array([g.std() for g in groups])
    order = np.argsort(-means / sds, kind="stable").astype(np.int64)
    means, sds, sizes = means[order], sds[order], np.array([len(groups[k]) for k in order])
    error = float(np.hypot(sds[0] / np.sqrt(sizes[0]), sds[-1] / np.sqrt(sizes[-1])))
    passed = bool(ndtr((means[0] - means[-1]) / error) > MEAN_LEVEL)
    scores = tuple(map(float, means / sds))
    return order, Identity(scores, tuple(map(float, means)), tuple(map(float, sds)), float(sds[-1] / sds[0]), passed)


def _reordered(params: JumpParams, order: Labels) -> JumpParams:
    grid = None if params.grid is None else params.grid[:, order]
    return replace(params, centers=params.centers[order], grid=grid)


def _moves(labels: Labels, n_states: int) -> Array:
    """Transition matrix of a path of labels, one pseudo-move each, so that none is impossible."""
    counts = np.ones((n_states, n_states))
    np.add.at(counts, (labels[:-1], labels[1:]), 1.0)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))
