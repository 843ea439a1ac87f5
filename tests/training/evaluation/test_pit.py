"""Tests of the PIT: against scipy, a numerical maximum of the likelihood and a regression; level, power, refusal."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2, kstest, kstwo, norm

from training.evaluation.offsets import MIN_ROWS, cauchy_combined
from training.evaluation.pit import berkowitz_ratio, farthest, kolmogorov_p, pit_test


@pytest.mark.parametrize("n", [30, 100, 600])
def test_distance_equals_scipy_and_its_p_is_within_a_thousandth(n):
    table = np.random.default_rng(n).random((n, 40)) ** np.linspace(0.7, 1.3, 40)
    theirs = [kstest(column, "uniform") for column in table.T]
    np.testing.assert_allclose(farthest(table), [each.statistic for each in theirs], rtol=1e-8)
    np.testing.assert_allclose(kolmogorov_p(farthest(table), n), [each.pvalue for each in theirs], atol=1e-3)
    every = np.linspace(0.3, 2.2, 60) / np.sqrt(n)
    np.testing.assert_allclose(kolmogorov_p(every, n), kstwo.sf(every, n), atol=1e-3)


def test_likelihood_ratio_equals_a_numerical_maximum():
    """L(mu, s, rho) written out and maximised by another algorithm, which stops some 1e-9 short."""
    z = np.random.default_rng(0).normal(0.2, 1.3, 80)
    for t in range(1, 80):
        z[t] += 0.4 * z[t - 1]

    def likelihood(mu: float, log_s: float, rho: float) -> float:
        return sum(norm.logpdf(z[t], mu + rho * (z[t - 1] - mu), np.exp(log_s)) for t in range(1, 80))

    best = minimize(lambda v: -likelihood(*v), [0.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-7})
    assert berkowitz_ratio(z[:, None])[0] == pytest.approx(2 * (-best.fun - likelihood(0.0, 0.0, 0.0)), rel=1e-8)


def test_likelihood_ratio_equals_a_regression_of_another_library():
    import statsmodels.api as sm

    z = np.random.default_rng(1).normal(size=(60, 3))
    expected = [2 * (sm.OLS(c[1:], sm.add_constant(c[:-1])).fit().llf - norm.logpdf(c[1:]).sum()) for c in z.T]
    np.testing.assert_allclose(berkowitz_ratio(z), expected, rtol=1e-8)


@pytest.mark.parametrize("rows", [30 * 5, 30 * 5 + 3])
def test_every_offset_is_tested_and_the_p_values_are_combined(rows):
    pit = np.random.default_rng(rows).random(rows)
    got = pit_test(pit, 5)
    columns = [pit[k::5] for k in range(5)]
    ratios = [berkowitz_ratio(norm.ppf(c)[:, None])[0] for c in columns]
    assert got.berkowitz_p == pytest.approx(cauchy_combined(chi2.sf(ratios, 3)), rel=1e-8)
    ks = np.array([kolmogorov_p(np.array([kstest(c, "uniform").statistic]), len(c))[0] for c in columns])
    assert got.ks_p == pytest.approx(cauchy_combined(ks), rel=1e-8)
    assert got.n == 30


def test_level_and_power():
    """400 worlds of 300 rows at nominal .05 (standard error .011); a forecast a third too narrow is found."""
    pits = np.random.default_rng(0).random((400, 300))
    sound = [pit_test(pit, 5) for pit in pits]
    assert 0.02 <= np.mean([each.ks_p <= 0.05 for each in sound]) <= 0.085
    assert 0.02 <= np.mean([each.berkowitz_p <= 0.05 for each in sound]) <= 0.085
    narrow = [pit_test(norm.cdf(1.5 * norm.ppf(pit)), 5).berkowitz_p <= 0.05 for pit in pits]
    assert np.mean(narrow) >= 0.9


def test_too_few_rows_are_refused_and_outcomes_beyond_the_tails_are_not():
    few = pit_test(np.random.default_rng(0).random(MIN_ROWS * 5 - 1), 5)
    assert np.isnan([few.ks_p, few.berkowitz_p]).all()
    assert pit_test(np.repeat([0.0, 1.0], 100), 5).berkowitz_p < 1e-6
