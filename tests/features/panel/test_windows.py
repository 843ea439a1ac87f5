"""Windows against plain loops, and to the bit against their own tails."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.panel.windows import last_sum, window_extreme, window_sums


@given(st.integers(1, 260), st.integers(1, 400), st.integers(0, 10**6))
def test_a_window_holds_the_last_values(window: int, n: int, seed: int) -> None:
    values = np.exp(3 * np.random.default_rng(seed).standard_normal(n))
    (total,) = window_sums(values, (window,))
    top, bottom = window_extreme(values, window, np.maximum), window_extreme(values, window, np.minimum)
    for t in range(window - 1, n, 7):
        part = values[t - window + 1 : t + 1]
        assert total[t] == pytest.approx(math.fsum(part), rel=1e-14)
        assert (top[t], bottom[t]) == (part.max(), part.min())


@given(st.integers(1, 252), st.integers(0, 10**6))
def test_a_tail_gives_the_bits_of_the_whole(window: int, seed: int) -> None:
    values = np.exp(3 * np.random.default_rng(seed).standard_normal((600, 3)))
    whole = np.array([window_sums(np.ascontiguousarray(column), (window,))[0][-1] for column in values.T])
    np.testing.assert_array_equal(last_sum(values[-window:], window), whole)
    np.testing.assert_array_equal(last_sum(values[-252:], window), whole)


def test_several_windows_are_those_made_alone() -> None:
    values = np.random.default_rng(0).standard_normal(500)
    for window, total in zip((50, 200, 21), window_sums(values, (50, 200, 21)), strict=True):
        np.testing.assert_array_equal(total, window_sums(values, (window,))[0])
