"""Local projections: the return so many sessions on, on what is known today, and where along the way it comes (Jordà 2005; METHODS 4)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.inference import Array
from training.evaluation.hodrick import hodrick_1b

WINDOW = 5
"""Sessions over which neighbouring slopes are averaged, against noise; a wider window pulls the answer to shorter lags where the predictor
itself is late, as a filter is."""

HORIZONS = (5, 21, 63, 126)


def project(returns: Array, x: Array, horizons: tuple[int, ...] = HORIZONS) -> pd.DataFrame:
    """Regress forward returns on a predictor, with standard errors 1B of Hodrick (1992).

    Parameters
    ----------
    returns : (n,) one-session returns; that of row t ends at row t
    x : (n,) known at row t

    Returns
    -------
    DataFrame by horizon: slope, error, t, p, n (non-overlapping)
    """
    tests = {h: hodrick_1b(returns, x, h) for h in horizons}
    table = pd.DataFrame({h: vars(test) for h, test in tests.items()}).T
    return table.rename_axis("horizon").astype({"n": int})


@dataclass(frozen=True)
class Response:
    """When a return answers a predictor.

    Attributes
    ----------
    lags : (n_lags,) sessions after the predictor was known
    slopes : (n_lags,) of the one-session return so many sessions on, averaged over the 5 around
    best : lag of the greatest slope in the predictor's favour
    """

    lags: Array
    slopes: Array
    best: int


def response(returns: Array, x: Array, longest: int = 63) -> Response:
    """Trace the slope of the return k sessions on, k = 1 .. longest.

    Parameters
    ----------
    returns, x : as `project`

    Notes
    -----
    The slope at k is the covariance of x_t with r_{t+k} over the variance of x. A predictor that lasts smears its effect to either side
    of the true lag alike, so an average over a window centred at k has its greatest value where a single slope has, with less noise. The
    window reaches back before the predictor was known: lags from 1 on are reported.
    """
    half = WINDOW // 2
    centred = x - x.mean()
    n = len(x)
    slopes = []
    for k in range(1 - half, longest + half + 1):
        now, later = (centred[: n - k], returns[k:]) if k >= 0 else (centred[-k:], returns[: n + k])
        slopes.append(float(now @ (later - later.mean())) / float(now @ now))
    means = np.convolve(slopes, np.full(WINDOW, 1.0 / WINDOW), mode="valid")
    return Response(np.arange(1, longest + 1, dtype=np.float64), means, int(means.argmax()) + 1)
