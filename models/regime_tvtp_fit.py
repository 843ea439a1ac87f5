"""Fitting a regime model with driven transitions on a training window."""

from dataclasses import replace

import numpy as np
import pandas as pd

from models.em import data_prior
from models.errors import FitError
from models.hmm import choose, reached_end, report_fit
from models.identity import identify
from models.inference import Array, HMMParams
from models.regime import RegimeHMM
from models.regime_fit import HMMSettings, complete_blocks, fit_regime_hmm
from models.regime_tvtp import DRIVER_LIMIT, RegimeTVTP
from models.transitions import homogeneous_coefs
from models.tvtp import TVTPParams, filter_onward
from models.tvtp_em import climb_moving

RIDGE = 1.0
"""Inverse variance of the slopes' normal prior, in log-odds per standard deviation of a driver."""

COLD_SLOPES = 2
"""Random slopes that the first fit begins from, besides none; later fits begin from the last slopes and from none."""


def fit_regime_tvtp(
    frame: pd.DataFrame,
    columns: tuple[str, ...],
    drivers: tuple[str, ...],
    settings: HMMSettings,
    rng: np.random.Generator,
    warm: RegimeTVTP | None = None,
    ridge: float = RIDGE,
) -> RegimeTVTP:
    """Fit on a training window; warm from an earlier model of the same columns and drivers where there is one.

    The model with constant transitions is fitted first, by its own starts, and EM goes on from its optimum with no slope: drivers can only
    add to its posterior.

    Parameters
    ----------
    frame : training rows; rows without all `columns` are left out of the fit, and split its sequences; a missing driver counts as average
    columns : that the states emit
    drivers : of the transitions; none gives the model with constant transitions
    warm : the model of the refit before
    ridge : see `RIDGE`; infinite keeps the slopes at 0

    Raises
    ------
    FitError
        For a driver that does not vary, for what `models.regime_fit.fit_regime_hmm` refuses, and where every start failed.
    """
    plain = fit_regime_hmm(frame, columns, settings, rng, None if warm is None else warm.base)
    window = frame.iloc[-(settings.window or len(frame)) :]
    X = plain.standardise(window)
    center, scale = driver_units(window, drivers)
    seen = (window[list(drivers)].to_numpy(dtype=np.float64) - center) / scale
    z = np.clip(np.nan_to_num(seen, nan=0.0), -DRIVER_LIMIT, DRIVER_LIMIT)
    rows, lengths = complete_blocks(X)
    prior = data_prior(rows, settings.n_components, settings.kappa)
    last = _usable(warm, plain, drivers)
    climbs = [
        climb_moving(
            rows, z[~np.isnan(X).any(axis=1)], *start, prior, ridge=ridge, n_iter=settings.n_iter, tol=settings.tol, lengths=lengths
        )
        for start in _starts(plain, center, scale, rng, last)
    ]
    reached = [each for each in climbs if reached_end(each)]
    if not reached:
        raise FitError(f"regime model: none of {len(climbs)} starts gave finite parameters; use fewer states or drivers")
    best = choose(climbs, held=last is not None and len(center) > 0)
    fit = report_fit(best, reached)
    found = TVTPParams(best.params, best.coefs, np.zeros_like(center), np.ones_like(scale))
    at = columns.index(settings.score_column)
    order, identity = identify(filter_onward(X, z, found).probs, found.hmm, plain.center[at], plain.scale[at], at)
    named = found.reordered(order)
    base = replace(plain, params=named.hmm, identity=identity, fit=fit)
    return RegimeTVTP(base, drivers, named.coefs, center, scale, *matrices_to_come(named.leading(z)))


def driver_units(frame: pd.DataFrame, drivers: tuple[str, ...]) -> tuple[Array, Array]:
    """Mean and standard deviation of each driver, (n_drivers,) each.

    Raises
    ------
    FitError
        For one that is constant or never there.
    """
    for name in drivers:
        if frame[name].nunique() < 2:
            raise FitError(f"regime model: driver '{name}' is constant or never there over the training window; leave it out")
    raw = frame[list(drivers)]
    return raw.mean().to_numpy(dtype=np.float64), raw.std(ddof=0).to_numpy(dtype=np.float64)


def matrices_to_come(leading: Array) -> tuple[Array, Array]:
    """Mean of the matrices, and the lag-one autocorrelation of each state's probability of staying, (n_states,), held in [0, 1).

    Parameters
    ----------
    leading : (n_obs, n_states, n_states) of contiguous rows
    """
    stay = np.diagonal(leading, axis1=1, axis2=2)
    apart = stay - stay.mean(axis=0)
    spread = (apart**2).sum(axis=0)
    shared = np.divide((apart[1:] * apart[:-1]).sum(axis=0), spread, out=np.zeros_like(spread), where=spread > 0.0)
    return leading.mean(axis=0), np.clip(shared, 0.0, 1.0 - 1e-9)


def _usable(warm: RegimeTVTP | None, plain: RegimeHMM, drivers: tuple[str, ...]) -> RegimeTVTP | None:
    same = warm is not None and (warm.base.columns, warm.drivers, warm.n_states) == (plain.columns, drivers, plain.n_states)
    return warm if same else None


def _starts(
    plain: RegimeHMM, center: Array, scale: Array, rng: np.random.Generator, warm: RegimeTVTP | None
) -> list[tuple[HMMParams, Array]]:
    """Emissions and coefficients to begin from: those of the fit before first, or random slopes last; no slope always."""
    flat = homogeneous_coefs(plain.params.trans, len(center))
    starts = [(plain.params, flat)]
    if not len(center):
        return starts
    if warm is not None:
        own = warm.params.recentred(center, scale)
        return [(warm.base.natural().rescaled(-plain.center / plain.scale, 1.0 / plain.scale), own.coefs), *starts]
    off = ~np.eye(plain.n_states, dtype=np.bool_)
    for _ in range(COLD_SLOPES):
        coefs = flat.copy()
        coefs[off, 1:] = rng.normal(size=coefs[off, 1:].shape)
        starts.append((plain.params, coefs))
    return starts
