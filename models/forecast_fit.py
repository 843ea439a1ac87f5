"""Fitting the ladder of forecasts: every rung on the same rows, priors counted in independent rows."""

import numpy as np
from sklearn.linear_model import Ridge

from models.boosted_fit import fit_boosted
from models.forecast import Inputs, Ladder, Linear, single_columns
from models.inference import Array
from models.volatility import fit_horizon_scale

PRIOR_R2 = 0.02
"""Share of variance a rung is expected to explain before it has seen data: sets the ridge penalty."""

PRIOR_ROWS = 20.0
"""Independent rows at the overall mean (and spread) that each regime of M6 starts with."""

RECENT_ROWS = 1000
"""Newest labelled rows that B2 is the mean of."""

SD_RATIO_LIMITS = (0.5, 2.0)


def fit_ladder(y: Array, inputs: Inputs, horizon: int) -> Ladder:
    """Fit every rung on the same rows.

    Overlapping rows are used with weight 1 / horizon each, so that penalties and priors count independent rows.

    Parameters
    ----------
    y : (n_obs,) forward log returns in order of time, all known on the day of the fit
    inputs : complete rows
    """
    mean = float(y.mean())
    scale = fit_horizon_scale(y - mean, inputs.vol, horizon)
    sd = scale.sd(inputs.vol, horizon)
    weight = 1.0 / (horizon * (sd / sd.mean()) ** 2)
    blocks = {"M1": inputs.momentum, "M3": inputs.regime[:, :-1], "M4": inputs.features}
    lines = {rung: _fit_line(X, y, mean, weight) for rung, X in blocks.items()}
    lines["M7"] = _fit_each(single_columns(inputs), y, mean, weight)
    trees = fit_boosted(inputs.features, y - mean, weight, horizon)
    means, ratios = _fit_regimes(y, sd, inputs.regime, mean, horizon)
    return Ladder(horizon, len(y), mean, float(y[-RECENT_ROWS:].mean()), scale, lines, trees, means, ratios)


def _fit_line(X: Array, y: Array, mean: float, weight: Array) -> Linear:
    """Weighted ridge around the mean on standardised columns; the penalty makes `PRIOR_R2` the expected explained share.

    With unit noise and coefficients drawn from N(0, PRIOR_R2 / k) the posterior mean is ridge with penalty k / PRIOR_R2.
    Coefficients of zero give M0 exactly, so M0 is nested in every line (Clark and West 2007 need that).
    """
    center, scale = _center_and_scale(X)
    unit = float(np.sqrt(np.average((y - mean) ** 2, weights=weight)))
    ridge = Ridge(alpha=X.shape[1] / PRIOR_R2, fit_intercept=False)
    ridge.fit((X - center) / scale, (y - mean) / unit, sample_weight=weight)
    return Linear(mean, tuple(center.tolist()), tuple(scale.tolist()), tuple((ridge.coef_ * unit).tolist()))


def _fit_each(X: Array, y: Array, mean: float, weight: Array) -> Linear:
    """Average of the lines through one column each (Rapach, Strauss and Zhou 2010, their mean combination).

    Each is the ridge of `_fit_line`, where they have least squares: a column of few independent rows must not swing the average.
    """
    center, scale = _center_and_scale(X)
    z, error = (X - center) / scale, y - mean
    alone = (z * (weight * error)[:, None]).sum(axis=0) / ((z**2 * weight[:, None]).sum(axis=0) + 1.0 / PRIOR_R2)
    return Linear(mean, tuple(center.tolist()), tuple(scale.tolist()), tuple((alone / X.shape[1]).tolist()))


def _center_and_scale(X: Array) -> tuple[Array, Array]:
    center, spread = X.mean(axis=0), X.std(axis=0)
    return center, np.where(spread > 0, spread, 1.0)  # a column without movement gets a zero coefficient


def _fit_regimes(y: Array, sd: Array, regime: Array, mean: float, horizon: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    rows = regime.sum(axis=0) / horizon
    means = (regime.T @ y / horizon + PRIOR_ROWS * mean) / (rows + PRIOR_ROWS)
    z2 = ((y[:, None] - means) / sd[:, None]) ** 2
    ratios = np.sqrt(((regime * z2).sum(axis=0) / horizon + PRIOR_ROWS) / (rows + PRIOR_ROWS))
    return tuple(means.tolist()), tuple(np.clip(ratios, *SD_RATIO_LIMITS).tolist())
