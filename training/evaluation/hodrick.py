"""Does a predictor explain overlapping returns, in sample? Hodrick's (1992) standard error 1B."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from models.inference import Array
from training.evaluation.offsets import MIN_ROWS


@dataclass(frozen=True)
class SlopeTest:
    """A slope against zero.

    Attributes
    ----------
    slope, error : of the h-session return on the predictor, and its standard error under the null that returns cannot be predicted
    t, p : their ratio, and its two-sided p-value (normal); NaN under `MIN_ROWS`
    n : non-overlapping rows
    """

    slope: float
    error: float
    t: float
    p: float
    n: int


def hodrick_1b(returns: Array, x: Array, horizon: int) -> SlopeTest:
    """Regress the sum of the next h returns on a predictor; standard error 1B of Hodrick (1992, equation 8), METHODS 3.3.

    y_h(t) = r_{t+1} + .. + r_{t+h} = alpha + beta x_t. Under the null of no predictability the overlap is moved from the returns to
    the predictor: w_t = (r_{t+1} - mean r) (1, x_t)' summed over x_t .. x_{t-h+1}, V = (Z'Z)^-1 (sum of w w') (Z'Z)^-1. No Stambaugh
    correction: the slope itself is biased where shocks to a persistent predictor and to returns are correlated.

    Parameters
    ----------
    returns : (n_obs,) one-session log returns; that of row t ends at row t
    x : (n_obs,) predictor as known at row t
    horizon : sessions

    Raises
    ------
    ValueError
        If lengths differ or a value is missing.
    """
    if len(returns) != len(x) or not np.isfinite(returns).all() or not np.isfinite(x).all():
        raise ValueError(
            f"returns and x must be finite and of one length, got {len(returns)} and {len(x)} rows, "
            f"{int((~np.isfinite(returns)).sum())} and {int((~np.isfinite(x)).sum())} not finite; leave out rows where either is missing"
        )
    rows = len(returns) - horizon
    n = max(rows, 0) // horizon
    if n < MIN_ROWS:
        return SlopeTest(np.nan, np.nan, np.nan, np.nan, n)
    level = np.concatenate([[0.0], np.cumsum(returns)])
    z = np.column_stack([np.ones(rows), x[:rows] - np.mean(x[:rows])])  # centred: the slope is the same, the inverse is sound
    y = level[horizon + 1 :] - level[1 : rows + 1]
    inverse = np.linalg.inv(z.T @ z)
    slope = float((inverse @ z.T @ y)[1])
    summed = np.concatenate([np.zeros((1, 2)), np.cumsum(np.column_stack([np.ones(len(x)), x - np.mean(x[:rows])]), axis=0)])
    recent = summed[horizon:] - summed[:-horizon]  # row k: of sessions k .. k + h - 1
    w = (returns[horizon:] - np.mean(returns))[:, None] * recent[:-1]
    error = float(np.sqrt((inverse @ (w.T @ w) @ inverse)[1, 1]))
    return SlopeTest(slope, error, slope / error, float(2.0 * norm.sf(abs(slope / error))), n)
