"""Fitting the ladder of forecasts: every rung on the same rows, priors counted in independent rows."""

import numpy as np
from sklearn.linear_model import Ridge

from models.forecast import Inputs, Ladder, Linear
from models.inference import Array
from models.volatility import fit_horizon_scale

PRIOR_R2 = 0.02
"""Share of variance a rung is expected to explain before it has seen data: sets the ridge penalty."""

PRIOR_ROWS = 20.0
"""Independent rows at the overall mean (and spread) that each regime of M6 starts with."""

SD_RATIO_LIMITS = (0.5, 2.0)


def fit_ladder(y: Array, inputs: Inputs, horizon: int) -> Ladder:
    """Fit every rung on the same rows.

    Overlapping rows are used with weight 1 / horizon each, so that penalties and priors count independent rows.

    Parameters
    ----------
    y : (n_obs,) forward log returns, all known on the day of the fit
    inputs : complete rows
    """
    mean = float(y.mean())
    scale = fit_horizon_scale(y - mean, inputs.vol, horizon)
    sd = scale.sd(inputs.vol, horizon)
    blocks = {"M1": inputs.momentum, "M3": inputs.regime[:, :-1], "M4": inputs.features}
    lines = {rung: _fit_line(X, y, mean, sd, horizon) for rung, X in blocks.items()}
    means, ratios = _fit_regimes(y, sd, inputs.regime, mean, horizon)
    return Ladder(horizon, len(y), mean, scale, lines, means, ratios)


def _fit_line(X: Array, y: Array, mean: float, sd: Array, horizon: int) -> Linear:
    """Weighted ridge around the mean on standardised columns; the penalty makes `PRIOR_R2` the expected explained share.

    With unit noise and coefficients drawn from N(0, PRIOR_R2 / k) the posterior mean is ridge with penalty k / PRIOR_R2.
    Coefficients of zero give M0 exactly, so M0 is nested in every line (Clark and West 2007 need that).
    """
    center, spread = X.mean(axis=0), X.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)  # a column without movement gets a zero coefficient
    weight = 1.0 / (horizon * (sd / sd.mean()) ** 2)
    unit = float(np.sqrt(np.average((y - mean) ** 2, weights=weight)))
    ridge = Ridge(alpha=X.shape[1] / PRIOR_R2, fit_intercept=False)
    ridge.fit((X - center) / scale, (y - mean) / unit, sample_weight=weight)
    return Linear(mean, tuple(center.tolist()), tuple(scale.tolist()), tuple((ridge.coef_ * unit).tolist()))


def _fit_regimes(y: Array, sd: Array, regime: Array, mean: float, horizon: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    rows = regime.sum(axis=0) / horizon
    means = (regime.T @ y / horizon + PRIOR_ROWS * mean) / (rows + PRIOR_ROWS)
    z2 = ((y[:, None] - means) / sd[:, None]) ** 2
    ratios = np.sqrt(((regime * z2).sum(axis=0) / horizon + PRIOR_ROWS) / (rows + PRIOR_ROWS))
    return tuple(means.tolist()), tuple(np.clip(ratios, *SD_RATIO_LIMITS).tolist())
