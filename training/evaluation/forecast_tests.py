"""Is one forecast better than another? Clark-West, Diebold-Mariano and Giacomini-White, on rows that do not overlap."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from models.inference import Array
from training.evaluation.offsets import MIN_ROWS, OffsetTest, by_offset, cauchy_combined, mean_over_offsets


@dataclass(frozen=True)
class WaldTest:
    """A conditional mean against zero, on every h-th row.

    Attributes
    ----------
    mean : of the loss difference; above zero where the forecast is better
    statistic : mean of the Wald statistics of the offsets
    p : p-value of 'nothing known before tells which loss will be smaller', combined over the offsets; NaN under `MIN_ROWS`
    n : non-overlapping rows
    """

    mean: float
    statistic: float
    p: float
    n: int


def adjusted_gain(y: Array, baseline: Array, forecast: Array) -> Array:
    """Squared error saved, freed of the noise that a nested forecast pays for its estimates (Clark and West 2007, equation 3.1).

    (y - baseline)^2 - [(y - forecast)^2 - (baseline - forecast)^2], (n_obs,)
    """
    return np.asarray((y - baseline) ** 2 - (y - forecast) ** 2 + (baseline - forecast) ** 2, dtype=np.float64)


def clark_west(y: Array, baseline: Array, forecast: Array, horizon: int) -> OffsetTest:
    """Clark and West (2007) test that a nested forecast carries information its baseline lacks.

    It does not say that the forecast as it is has the smaller loss: `smaller_loss` does.
    """
    return mean_over_offsets(adjusted_gain(y, baseline, forecast), horizon)


def smaller_loss(baseline: Array, forecast: Array, horizon: int) -> OffsetTest:
    """Diebold and Mariano (1995) test that a forecast's losses are smaller, with the factor of Harvey, Leybourne, Newbold (1997).

    Parameters
    ----------
    baseline, forecast : losses, row by row
    """
    return mean_over_offsets(np.asarray(baseline - forecast, dtype=np.float64), horizon)


def giacomini_white(baseline: Array, forecast: Array, horizon: int) -> WaldTest:
    """Giacomini and White (2006, theorem 1) test of equal conditional predictive ability.

    Instruments: a constant and the loss difference h rows earlier, whose outcome is known on the day of the forecast. Of each
    offset n m' S^-1 m with m the mean and S the mean square of instrument times loss difference, against chi-squared with 2 degrees
    of freedom.

    Parameters
    ----------
    baseline, forecast : losses, row by row
    """
    gain = np.asarray(baseline - forecast, dtype=np.float64)
    n = len(gain) // horizon
    mean = float(np.mean(gain)) if len(gain) else float("nan")
    if n < MIN_ROWS:
        return WaldTest(mean, float("nan"), float("nan"), n)
    if np.ptp(gain) == 0:
        return WaldTest(mean, 0.0, 1.0, n)
    statistics = np.array([_wald(column[~np.isnan(column)]) for column in by_offset(gain, horizon).T])
    return WaldTest(mean, float(statistics.mean()), cauchy_combined(chi2.sf(statistics, 2)), n)


def _wald(gain: Array) -> float:
    z = np.column_stack([gain[1:], gain[:-1] * gain[1:]])
    mean = z.mean(axis=0)
    return float(len(z) * mean @ np.linalg.pinv(z.T @ z / len(z)) @ mean)
