"""What a forecast would have earned: against a plain loop, no look-ahead, and the error of a Sharpe ratio."""

import math

import numpy as np
import pandas as pd
import pytest

from training.evaluation.strategy import sharpe_test, strategy_returns


def world(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mean = rng.normal(0.02, 0.05, n)
    mean[40:43] = np.nan
    return mean, rng.uniform(0.1, 0.3, n), rng.normal(0.0, 0.03, n)


@pytest.mark.parametrize("delay", [0, 1])
def test_returns_equal_a_plain_loop(delay):
    mean, sd, returns = world()
    got = strategy_returns(mean, sd, returns, 21, delay, 20.0, 3.0)
    before = 0.0
    for t in range(120):
        decided = t - 1 - delay
        held = 0.0
        if decided >= 0 and not math.isnan(mean[decided]):
            held = min(max((mean[decided] / 21) / (3.0 * sd[decided] ** 2 / 21), 0.0), 1.0)
        gross, cost = held * (math.exp(returns[t]) - 1.0), 0.0020 * abs(held - before)
        expected = [held, gross, cost, gross - cost]
        assert got.loc[t].tolist() == pytest.approx(expected, rel=1e-8, abs=1e-15)
        before = held
    assert 0 < got["weight"].mean() < 1


@pytest.mark.parametrize("delay", [0, 1])
def test_nothing_after_a_row_changes_what_was_earned_by_then(delay):
    """The weight of t earns from t + 1 + delay: what is forecast at t or later, or returned after t, is not in row t."""
    mean, sd, returns = world()
    known = strategy_returns(mean, sd, returns, 5, delay, 10.0, 2.0)
    for cut in (10, 60):
        later = np.arange(120) > cut
        other = strategy_returns(
            np.where(np.arange(120) >= cut - delay, -9.0, mean), sd, np.where(later, 0.5, returns), 5, delay, 10.0, 2.0
        )
        pd.testing.assert_frame_equal(other.iloc[: cut + 1], known.iloc[: cut + 1])
        assert not other.equals(known)


def test_a_sure_rise_is_held_in_full_and_a_fall_not_at_all():
    sd, returns = np.full(50, 0.1), np.full(50, 0.01)
    up, down = (strategy_returns(np.full(50, m), sd, returns, 5, 0, 10.0, 1.0) for m in (1.0, -1.0))
    assert up["weight"].tolist() == [0.0] + [1.0] * 49
    assert up["cost"].sum() == pytest.approx(0.001)  # bought once
    assert (down == 0.0).all(axis=None)


def test_parameters_without_sense_are_refused():
    for wrong in ((0, 0, 10.0, 1.0), (5, -1, 10.0, 1.0), (5, 0, -1.0, 1.0), (5, 0, 10.0, 0.0)):
        with pytest.raises(ValueError, match="horizon must be at least 1"):
            strategy_returns(np.zeros(5), np.ones(5), np.zeros(5), *wrong)


def test_error_of_a_sharpe_ratio_equals_the_delta_method_of_another_library():
    """Lo (2002): mean and variance as two means, their long-run covariance by statsmodels, the gradient by hand."""
    from statsmodels.stats.sandwich_covariance import S_hac_simple

    rng = np.random.default_rng(0)
    returns = 0.001 + 0.01 * np.convolve(rng.standard_t(5, 801), [1.0, 0.4], mode="valid")
    n, variance = 800, returns.var()
    moments = np.column_stack([returns - returns.mean(), (returns - returns.mean()) ** 2 - variance])
    lags = int(4 * (n / 100) ** (2 / 9))
    gradient = np.array([variance**-0.5, -0.5 * returns.mean() * variance**-1.5])
    error = math.sqrt(gradient @ (S_hac_simple(moments, nlags=lags) / n) @ gradient / n)
    got = sharpe_test(returns)
    assert got.error == pytest.approx(error, rel=1e-8)
    assert got.sharpe == pytest.approx(returns.mean() / returns.std(), rel=1e-8)
    assert got.n == n
    assert got.t == pytest.approx(got.sharpe / got.error)


def test_error_of_white_noise_is_lo_s_closed_form():
    """sqrt((1 + SR^2 / 2) / n) for independent normal returns: 5% of it, 20,000 rows."""
    returns = np.random.default_rng(1).normal(0.5, 1.0, 20_000)
    assert sharpe_test(returns).error == pytest.approx(math.sqrt((1 + 0.5**2 / 2) / 20_000), rel=0.05)


def test_sharpe_of_nothing_is_refused():
    assert math.isnan(sharpe_test(np.zeros(100)).p)
    assert math.isnan(sharpe_test(np.random.default_rng(0).normal(size=29)).p)
