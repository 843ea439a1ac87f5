"""What is forecast, against loops over days."""

import math

import numpy as np
import pandas as pd
import pytest

from training.targets import calm_rise, forward_return


def walk(n: int = 300, seed: int = 0, vol: float = 0.02) -> pd.Series:
    rng = np.random.default_rng(seed)
    return pd.Series(100 * np.exp(np.cumsum(vol * rng.standard_normal(n))), index=pd.bdate_range("2020-01-01", periods=n))


@pytest.mark.parametrize("horizon", [1, 5, 63])
@pytest.mark.parametrize("delay", [0, 1])
def test_forward_return_equals_a_loop(horizon, delay):
    price = walk()
    got = forward_return(price, horizon, delay)
    for t in range(len(price)):
        end = t + delay + horizon
        if end < len(price):
            assert got.iloc[t] == pytest.approx(math.log(price.iloc[end] / price.iloc[t + delay]), abs=1e-12)
        else:
            assert math.isnan(got.iloc[t])


def test_forward_return_is_missing_where_either_end_is():
    price = walk(20)
    price.iloc[10] = np.nan
    assert np.flatnonzero(forward_return(price, 3).isna()).tolist() == [7, 10, 17, 18, 19]


def test_forward_return_of_the_past_does_not_know_later_prices():
    price = walk()
    later = price.copy()
    later.iloc[200:] *= 7.0
    for horizon, delay in ((5, 0), (21, 1)):
        settled = 200 - horizon - delay
        pd.testing.assert_series_equal(forward_return(price, horizon, delay)[:settled], forward_return(later, horizon, delay)[:settled])
        assert forward_return(price, horizon, delay).iloc[settled] != forward_return(later, horizon, delay).iloc[settled]


@pytest.mark.parametrize("drawdown", [0.02, 0.05, 0.2])
def test_calm_rise_equals_a_loop(drawdown):
    price, horizon = walk(vol=0.012), 21
    price.iloc[150] = np.nan
    got = calm_rise(price, horizon, drawdown)
    seen = {0: 0, 1: 0}
    for t in range(len(price)):
        window = price.iloc[t : t + horizon + 1].tolist()
        if len(window) <= horizon or any(math.isnan(p) for p in window):
            assert math.isnan(got.iloc[t])
            continue
        peak, calm = window[0], True
        for p in window:
            peak = max(peak, p)
            calm = calm and p > peak * (1 - drawdown)
        label = int(window[-1] > window[0] and calm)
        seen[label] += 1
        assert got.iloc[t] == label
    assert min(seen.values()) > 5  # both labels occur, so neither is taken for granted


def test_calm_rise_by_hand():
    price = pd.Series([100.0, 104.0, 98.9, 103.0])  # down 4.9% from the peak, then up 3% in all
    assert calm_rise(price, 3, 0.05).iloc[0] == 1.0
    assert calm_rise(price, 3, 0.04).iloc[0] == 0.0
    assert calm_rise(pd.Series([100.0, 99.0, 99.5, 100.0]), 3, 0.05).iloc[0] == 0.0  # not risen


def test_window_longer_than_the_history_has_no_label():
    assert calm_rise(walk(10), 21, 0.05).isna().all()
