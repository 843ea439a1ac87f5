"""The mean of overlapping rows: its standard error against simulated truth, its level, and what it does with too little."""

import numpy as np
import pytest
from scipy.stats import norm

from training.evaluation.overlap import FEWEST_COSINES, mean_of

N, REPS = 2000, 2000


def overlapping(horizon: int, reps: int = REPS, n: int = N, seed: int = 0) -> np.ndarray:
    """Sums of `horizon` white shocks, (reps, n): the overlap is all that ties the rows together."""
    shocks = np.random.default_rng(seed).standard_normal((reps, n + horizon - 1))
    level = np.concatenate([np.zeros((reps, 1)), shocks.cumsum(axis=1)], axis=1)
    return level[:, horizon:] - level[:, :-horizon]


@pytest.mark.parametrize("horizon", [1, 5, 21, 63])
def test_standard_error_is_that_of_the_mean(horizon):
    """Mean square of 2,000 standard errors over the variance of 2,000 means: 1, with a standard error of .03 - .06; the filter that
    overlap is lets the highest cosines fall off, which costs up to a tenth."""
    means, errors = zip(*((each.mean, each.error) for each in (mean_of(row, horizon) for row in overlapping(horizon))), strict=True)
    assert np.mean(np.square(errors)) / np.var(means) == pytest.approx(0.97, abs=0.15)


@pytest.mark.parametrize("horizon", [5, 21, 63])
def test_level_is_kept(horizon):
    """Nominal .05 one-sided; 2,000 worlds have a standard error of .005."""
    size = np.mean([mean_of(row, horizon).p <= 0.05 for row in overlapping(horizon, seed=1)])
    assert 0.03 <= size <= 0.07
    naive = np.mean([row.mean() / (row.std() / np.sqrt(N)) > norm.isf(0.05) for row in overlapping(horizon, reps=300, seed=1)])
    assert naive > 0.2  # the negative control


def test_nothing_that_varies_proves_nothing():
    still = mean_of(np.full(500, 0.3), 5)
    assert (still.mean, still.t, still.p) == (pytest.approx(0.3), 0.0, 1.0)


@pytest.mark.parametrize("n", [0, 1, FEWEST_COSINES])
def test_too_few_rows_have_no_error(n):
    assert np.isnan(mean_of(np.ones(n), 5).error)


def test_sign_and_scale():
    values = overlapping(5, reps=1)[0] + 0.2
    found, flipped, scaled = mean_of(values, 5), mean_of(-values, 5), mean_of(10 * values, 5)
    assert flipped.t == pytest.approx(-found.t)
    assert flipped.p == pytest.approx(1 - found.p)
    assert (scaled.t, scaled.error) == (pytest.approx(found.t), pytest.approx(10 * found.error))
