"""Is the forecast distribution right as a whole? Kolmogorov-Smirnov and Berkowitz on every h-th PIT, from each offset, combined."""

from dataclasses import dataclass

import numpy as np
from scipy.special import kolmogorov
from scipy.stats import chi2, norm

from models.inference import Array
from training.evaluation.offsets import MIN_ROWS, by_offset, cauchy_combined

FARTHEST = 1e-10
"""Distance of a PIT from 0 and 1 below which its normal score is a matter of rounding."""


@dataclass(frozen=True)
class PitTest:
    """p-values of 'PITs are independent and uniform'.

    Attributes
    ----------
    ks_p : Kolmogorov-Smirnov, of uniform
    berkowitz_p : likelihood ratio of Berkowitz (2001), of mean 0, variance 1 and no autocorrelation of the normal scores
    n : non-overlapping rows; both p are NaN under `MIN_ROWS`
    """

    ks_p: float
    berkowitz_p: float
    n: int


def pit_test(pit: Array, horizon: int) -> PitTest:
    """Test PITs F(y) that overlap over `horizon` rows, (n_obs,) in order of time."""
    n = len(pit) // horizon
    if n < MIN_ROWS:
        return PitTest(float("nan"), float("nan"), n)
    table = by_offset(np.asarray(pit, dtype=np.float64), horizon)
    short = np.isnan(table[-1])
    parts = [(table[:, ~short], len(table))] + ([(table[:-1, short], len(table) - 1)] if short.any() else [])
    ks = np.concatenate([kolmogorov_p(farthest(part), m) for part, m in parts])
    ratios = np.concatenate([berkowitz_ratio(norm.ppf(np.clip(part, FARTHEST, 1.0 - FARTHEST))) for part, _ in parts])
    return PitTest(cauchy_combined(ks), cauchy_combined(chi2.sf(ratios, 3)), n)


def farthest(table: Array) -> Array:
    """Kolmogorov's distance of each column from the uniform."""
    ranked, n = np.sort(table, axis=0), len(table)
    above = np.arange(1, n + 1)[:, None] / n - ranked
    return np.asarray(np.maximum(above, ranked - np.arange(n)[:, None] / n).max(axis=0))


def kolmogorov_p(distance: Array, n: int) -> Array:
    """p-value of Kolmogorov's distance of n rows: the limit law at a point moved as Vrbik (2018) says.

    From 30 rows on within .001 of the exact law, which takes a second for each hundred distances.
    """
    x = np.sqrt(n) * distance
    return np.asarray(kolmogorov(x + 1.0 / (6.0 * np.sqrt(n)) + (x - 1.0) / (4.0 * n)))


def berkowitz_ratio(scores: Array) -> Array:
    """Likelihood ratio of each column's normal scores against an autoregression of order 1 (Berkowitz 2001, equation 7).

    2 [L(mu, s^2, rho) - L(0, 1, 0)], chi-squared with 3 degrees of freedom; both likelihoods given the first score, where he adds
    that of the first, so that the maximum has a closed form.

    Parameters
    ----------
    scores : (n_rows, n_columns)
    """
    now, before, n = scores[1:], scores[:-1] - scores[:-1].mean(axis=0), len(scores) - 1
    slope = (before * now).sum(axis=0) / (before**2).sum(axis=0)
    variance = np.mean((now - now.mean(axis=0) - slope * before) ** 2, axis=0)
    return np.asarray((now**2).sum(axis=0) - n - n * np.log(variance))
