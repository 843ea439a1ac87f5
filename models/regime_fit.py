"""Fitting a regime model on a training window."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.average import RegimeAverage
from models.engine.filtering import filter_history
from models.errors import FitError
from models.hmm import fit_hmm
from models.identity import identify
from models.inference import Array, HMMParams
from models.regime import RegimeHMM
from models.starts import COLD_GUARDS, START_DOF, cold_starts


@dataclass(frozen=True)
class HMMSettings:
    """How a regime HMM is fitted.

    Attributes
    ----------
    n_components : number of states
    kappa : sessions that the sticky prior is worth in each state
    n_init : cold starts of the first fit; later fits take the last parameters and `COLD_GUARDS` of them
    n_iter, tol : limits of EM
    score_column : column whose mean over standard deviation orders the states
    heavy_tails : Student-t states in place of Gaussian ones
    window : newest rows that it is fitted on; None for all
    clip : standardised values beyond this, either way, are read as this
    """

    n_components: int
    kappa: float
    n_init: int
    n_iter: int
    tol: float
    score_column: str
    heavy_tails: bool = False
    window: int | None = None
    clip: float = np.inf


def complete_blocks(X: Array) -> tuple[Array, NDArray[np.int64]]:
    """Rows without a gap and the lengths of the contiguous runs they form."""
    whole = ~np.isnan(X).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], whole, [False]]).astype(np.int8)))
    return X[whole], (edges[1::2] - edges[::2]).astype(np.int64)


def fit_regime_hmm(
    frame: pd.DataFrame, columns: tuple[str, ...], settings: HMMSettings, rng: np.random.Generator, warm: RegimeHMM | None = None
) -> RegimeHMM:
    """Fit on a training window; warm from an earlier model of the same columns where there is one.

    Parameters
    ----------
    frame : training rows; incomplete rows are left out of the fit, and split its sequences
    warm : the model of the refit before; its parameters are held to unless much is gained by others (`models.hmm.choose`)
    """
    raw = frame[list(columns)].to_numpy(dtype=np.float64)[-(settings.window or len(frame)) :]
    rows, lengths = complete_blocks(raw)
    if not len(rows):
        raise FitError(f"regime model: none of {len(raw)} training rows has all of {', '.join(columns)}; leave the one that is missing out")
    flat = np.ptp(rows, axis=0) <= 0  # the standard deviation of a constant need not be exactly 0
    if flat.any():
        raise FitError(f"regime model: column '{columns[int(flat.argmax())]}' is constant over the training window; leave it out")
    center, scale = rows.mean(axis=0), rows.std(axis=0)
    X = np.clip((rows - center) / scale, -settings.clip, settings.clip)
    dof = START_DOF if settings.heavy_tails else np.inf
    if warm is not None and warm.columns == columns and warm.n_states == settings.n_components:
        last = warm.natural().rescaled(-center / scale, 1.0 / scale)
    else:
        last = None
    fit = fit_hmm(
        X,
        settings.n_components,
        kappa=settings.kappa,
        starts=cold_starts(COLD_GUARDS if last else settings.n_init, settings.n_components, X, rng, dof),
        n_iter=settings.n_iter,
        tol=settings.tol,
        lengths=lengths,
        names=list(columns),
        last=last,
    )
    at = columns.index(settings.score_column)
    order, identity = identify(filter_history(X, fit.params).probs, fit.params, center[at], scale[at], at)
    return RegimeHMM(columns, center, scale, fit.params.reordered(order), identity, fit, settings.clip)


def fit_average(
    frame: pd.DataFrame,
    columns: tuple[str, ...],
    settings: dict[str, HMMSettings],
    rng: np.random.Generator,
    warm: RegimeAverage | None = None,
) -> RegimeAverage:
    """Fit a model of each specification on the same training window.

    Parameters
    ----------
    settings : of each specification, by name
    warm : the average of the refit before
    """
    before = {} if warm is None else dict(zip(warm.names, warm.members, strict=True))
    members = tuple(fit_regime_hmm(frame, columns, each, rng, before.get(name)) for name, each in settings.items())
    return RegimeAverage(tuple(settings), members)


def filter_regimes(model: RegimeHMM | RegimeAverage, frame: pd.DataFrame) -> Array:
    """Do what `model.filter_states` does for a long history, compiled: equal to 1e-12."""
    if isinstance(model, RegimeAverage):
        return np.stack([filter_regimes(each, frame) for each in model.members], axis=1)
    return filter_history(model.standardise(frame), model.params).probs


__all__ = ["HMMParams", "HMMSettings", "complete_blocks", "filter_regimes", "fit_average", "fit_regime_hmm"]
