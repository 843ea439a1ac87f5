import numpy as np
import pandas as pd
import pytest

from features.scaling import expanding_z, rolling_z


def series(values: np.ndarray) -> pd.Series:
    return pd.Series(values, index=pd.bdate_range("2010-01-01", periods=len(values)))


def test_rolling_z_is_the_deviation_within_its_window() -> None:
    x = series(np.random.default_rng(0).standard_normal(60))
    x.iloc[30] = np.nan
    got = rolling_z(x, window=20, min_periods=10)
    for t in range(60):
        window = x.iloc[max(0, t - 19) : t + 1].dropna()
        if len(window) < 10 or np.isnan(x.iloc[t]):
            assert np.isnan(got.iloc[t])
        else:
            assert got.iloc[t] == pytest.approx((x.iloc[t] - window.mean()) / window.std(), rel=1e-9)


def test_expanding_z_uses_everything_before() -> None:
    x = series(np.random.default_rng(1).standard_normal(40))
    got = expanding_z(x, min_periods=5)
    assert np.isnan(got.iloc[3])
    assert got.iloc[-1] == pytest.approx((x.iloc[-1] - x.mean()) / x.std())


def test_z_is_clipped() -> None:
    x = series(np.append(np.random.default_rng(2).standard_normal(50), 1e6))
    assert rolling_z(x, 60, 10).iloc[-1] == 5.0
    assert expanding_z(-x, 10).iloc[-1] == -5.0


def test_z_of_a_constant_is_missing() -> None:
    assert rolling_z(series(np.full(50, 0.1)), 20, 10).isna().all()
