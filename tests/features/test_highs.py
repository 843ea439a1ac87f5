"""How long a series has not been higher, against a plain loop."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from features.highs import years_since_higher

DAYS = pd.bdate_range("2015-01-01", periods=40, unit="us")


@given(st.lists(st.one_of(st.just(np.nan), st.integers(0, 5).map(float)), min_size=1, max_size=40))
def test_years_count_from_the_last_higher_value(values: list[float]) -> None:
    share = pd.Series(values, index=DAYS[: len(values)])
    got = years_since_higher(share)
    for t, value in enumerate(values):
        if np.isnan(value):
            assert np.isnan(got.iloc[t])
            continue
        higher = [s for s in range(t) if values[s] > value]
        since = higher[-1] if higher else min(s for s in range(t + 1) if not np.isnan(values[s]))
        assert got.iloc[t] == (DAYS[t] - DAYS[since]).days / 365.25


def test_a_series_without_values_has_no_years() -> None:
    assert years_since_higher(pd.Series(np.nan, index=DAYS)).isna().all()
