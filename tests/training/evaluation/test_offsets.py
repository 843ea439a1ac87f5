"""Tests on rows that do not overlap: against a loop, scipy's t-test, closed forms, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.stats import combine_pvalues, ttest_1samp

from training.evaluation.offsets import LARGEST, MIN_ROWS, by_offset, cauchy_combined, mean_over_offsets

EXACT = 1e-8
"""Relative; sums in another order differ by 1e-14."""


@pytest.mark.parametrize(("horizon", "n"), [(1, 400), (5, 403), (21, 1000), (63, 63 * 30)])
def test_statistic_and_p_equal_a_loop_over_offsets_with_another_library(horizon, n):
    values = np.random.default_rng(horizon).normal(0.1, 1.0, n)
    found = [ttest_1samp(values[first::horizon], 0.0, alternative="greater") for first in range(horizon)]
    got = mean_over_offsets(values, horizon)
    angle = sum(math.tan((0.5 - each.pvalue) * math.pi) for each in found) / horizon
    assert got.t == pytest.approx(np.mean([each.statistic for each in found]), rel=EXACT)
    assert got.p == pytest.approx(0.5 - math.atan(angle) / math.pi, rel=EXACT)
    assert (got.mean, got.n) == (pytest.approx(values.mean()), n // horizon)


def test_statistic_of_one_offset_has_the_published_small_sample_factor():
    """Harvey, Leybourne and Newbold (1997, equation 9) at h = 1, on the variance with denominator n that they use."""
    values = np.random.default_rng(0).normal(0.2, 1.0, 40)
    n, h = 40, 1
    plain = values.mean() / math.sqrt(np.mean((values - values.mean()) ** 2) / n)
    assert mean_over_offsets(values, 1).t == pytest.approx(plain * math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n), rel=EXACT)


def test_combination_equals_its_library_and_leaves_equal_p_values_as_they_are():
    p = np.array([0.001, 0.04, 0.3, 0.2])
    weights = np.tan((0.5 - p) * np.pi)
    assert cauchy_combined(p) == pytest.approx(0.5 - np.arctan(weights.mean()) / np.pi, rel=EXACT)
    assert cauchy_combined(np.full(7, 0.05)) == pytest.approx(0.05, rel=EXACT)  # dependence costs nothing and gives nothing
    assert cauchy_combined(p) < combine_pvalues(p, "tippett")[1] * 4  # no smaller in order than Bonferroni


@given(some.lists(some.floats(0, 1), min_size=1, max_size=70))
def test_combination_lies_between_the_least_and_the_largest(values):
    p = np.array(values)
    assert min(p.min(), LARGEST) * (1 - 1e-6) <= cauchy_combined(p) + 1e-15
    assert cauchy_combined(p) <= max(p.max(), 1e-15) * (1 + 1e-6)


def test_one_offset_near_one_does_not_outweigh_all_others():
    assert cauchy_combined(np.array([0.001] * 4 + [1.0])) < 0.0015


def test_rows_of_each_column_do_not_overlap():
    table = by_offset(np.arange(11.0), 4)
    assert [column[~np.isnan(column)].tolist() for column in table.T] == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7]]


def test_too_few_rows_are_refused_and_one_more_is_not():
    values = np.random.default_rng(0).normal(size=MIN_ROWS * 21)
    assert np.isnan(mean_over_offsets(values[1:], 21).p)
    assert mean_over_offsets(values[1:], 21).n == MIN_ROWS - 1
    assert 0 < mean_over_offsets(values, 21).p < 1


def test_nothing_that_varies_proves_nothing():
    assert (mean_over_offsets(np.zeros(300), 5).t, mean_over_offsets(np.zeros(300), 5).p) == (0.0, 1.0)
    lone = np.zeros(300)
    lone[2::5] = np.random.default_rng(0).normal(1.0, 1.0, 60)  # one offset varies, the others count as t = 0
    assert mean_over_offsets(lone, 5).t == pytest.approx(ttest_1samp(lone[2::5], 0.0).statistic / 5)
    assert np.isnan(mean_over_offsets(np.empty(0), 5).p)


def test_sign_and_scale():
    values = np.random.default_rng(3).normal(0.1, 1.0, 700)
    found, flipped, scaled = (mean_over_offsets(each, 5) for each in (values, -values, 1e-6 * values))
    assert (flipped.t, scaled.t) == (pytest.approx(-found.t), pytest.approx(found.t))
    assert scaled.p == pytest.approx(found.p, rel=1e-6)
