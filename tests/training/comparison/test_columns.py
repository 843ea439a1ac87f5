import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.comparison.columns import p_of_columns
from training.evaluation.offsets import mean_over_offsets


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 25), st.integers(20, 900))
def test_each_column_has_the_p_value_it_has_alone(seed, horizon, n):
    values = np.random.default_rng(seed).normal(0.05, 1.0, (n, 4))
    values[:, 1] = 0.25
    values[:, 2] = 0.0
    alone = [mean_over_offsets(column, horizon).p for column in values.T]
    np.testing.assert_allclose(p_of_columns(values, horizon), alone, rtol=1e-10)  # sums in another order


def test_too_few_rows_have_none():
    assert np.isnan(p_of_columns(np.ones((149, 2)), 5)).all()
    assert p_of_columns(np.ones((150, 2)), 5).tolist() == pytest.approx([1.0, 1.0])
