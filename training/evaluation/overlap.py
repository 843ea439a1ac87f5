"""Inference on the mean of a series whose rows overlap: equal-weighted cosines (Müller 2007; Lazarus, Lewis, Stock and Watson 2018)."""

from dataclasses import dataclass

import numpy as np
from scipy.fft import dct
from scipy.stats import t as student

from models.inference import Array

FEWEST_COSINES = 4
COSINES_PER_ROW = 0.5
"""Cosines for each row that does not overlap: the fastest of them swings once in four horizons."""


@dataclass(frozen=True)
class MeanTest:
    """A mean against zero.

    Attributes
    ----------
    mean : of all rows
    error : its standard error; NaN where the rows do not suffice
    df : degrees of freedom
    """

    mean: float
    error: float
    df: int

    @property
    def t(self) -> float:
        """Ratio of the mean to its standard error; 0 where nothing varies."""
        return 0.0 if self.error == 0 else self.mean / self.error

    @property
    def p(self) -> float:
        """One-sided p-value of 'the mean is not above zero'; 1 where nothing varies."""
        return 1.0 if self.error == 0 else float(student.sf(self.t, self.df))


def mean_of(values: Array, horizon: int) -> MeanTest:
    """Estimate the mean of overlapping rows and its standard error.

    The long-run variance is the mean square of the first `df` cosine transforms of the series,
    sqrt(2/N) sum_t x_t cos(pi j (t - 1/2) / N), and the ratio is compared with Student's t of as many degrees of freedom.

    Parameters
    ----------
    values : (n_obs,), in order of time, no gaps
    horizon : sessions over which neighbouring rows overlap; 1 if they do not
    """
    n = len(values)
    df = max(FEWEST_COSINES, int(COSINES_PER_ROW * n / horizon))
    if n <= df:
        return MeanTest(float(np.mean(values)) if n else float("nan"), float("nan"), df)
    cosines = dct(np.asarray(values, dtype=np.float64), type=2)[1 : df + 1] / np.sqrt(2.0 * n)
    error = float(np.sqrt(np.mean(cosines**2) / n))
    spread = float(np.ptp(values))
    return MeanTest(float(np.mean(values)), error if spread > 0 else 0.0, df)
