"""Downside deviation and Sortino ratio: sums written out, and nothing of the future."""

import numpy as np
import pytest

from models.jump_features import downside_deviation, jump_features, sortino_ratio


def returns(n_obs: int = 300, seed: int = 0) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).normal(size=n_obs)


def weighted_mean(values: np.ndarray, t: int, half_life: float) -> float:
    """Mean of what is there up to t, each value weighing half as much when half_life rows older."""
    there = [i for i in range(t + 1) if not np.isnan(values[i])]
    weights = [0.5 ** ((t - i) / half_life) for i in there]
    return sum(w * values[i] for w, i in zip(weights, there, strict=True)) / sum(weights) if there else np.nan


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("half_life", [10.0, 20.0, 60.0])
def test_values_equal_the_weighted_sums_written_out(half_life, gaps):
    r = returns(120)
    if gaps:
        r[[0, 1, 30, 31, 77]] = np.nan
    squares = np.array([min(x, 0.0) ** 2 if not np.isnan(x) else np.nan for x in r])
    downside = np.sqrt([weighted_mean(squares, t, half_life) for t in range(120)])
    mean = np.array([weighted_mean(r, t, half_life) for t in range(120)])
    np.testing.assert_allclose(downside_deviation(r, half_life), downside, rtol=1e-10)
    ratio = np.array([m / d if d > 0.0 else np.nan for m, d in zip(mean, downside, strict=True)])
    np.testing.assert_allclose(sortino_ratio(r, half_life), ratio, rtol=1e-10)


def test_later_returns_change_no_earlier_feature():
    r = returns()
    whole = jump_features(r)
    for cut in (1, 2, 50, 299):
        np.testing.assert_array_equal(jump_features(r[:cut]), whole[:cut])
        altered = r.copy()
        altered[cut:] *= -10.0
        np.testing.assert_array_equal(jump_features(altered)[:cut], whole[:cut])
        assert (jump_features(altered)[cut] != whole[cut]).all()


def test_ratio_is_missing_until_the_first_loss_and_scale_free_after():
    r = np.array([np.nan, 0.01, 0.02, -0.01, 0.01])
    np.testing.assert_array_equal(np.isnan(sortino_ratio(r, 20.0)), [True, True, True, False, False])
    np.testing.assert_array_equal(downside_deviation(r)[1:3], [0.0, 0.0])
    np.testing.assert_allclose(sortino_ratio(100.0 * r, 20.0), sortino_ratio(r, 20.0), rtol=1e-12)


def test_columns_are_the_three_of_the_paper():
    r = returns()
    np.testing.assert_array_equal(
        jump_features(r), np.column_stack([downside_deviation(r, 10.0), sortino_ratio(r, 20.0), sortino_ratio(r, 60.0)])
    )
