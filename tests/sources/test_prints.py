import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.prints import bad_prints


def found(close: list[float], **options: list[float]) -> list[int]:
    index = pd.date_range("2024-01-01", periods=len(close), unit="us")
    rule = bad_prints(pd.Series(close, index=index), **{name: pd.Series(value, index=index) for name, value in options.items()})
    return np.flatnonzero(rule != "").tolist()


@pytest.mark.parametrize(
    ("close", "places"),
    [
        ([10, 10, 40, 10, 10], [2]),
        ([10, 10, 2.5, 10, 10], [2]),
        ([10, 10, 39, 10, 10], []),  # below four times
        ([10, 10, 50, 13, 13], []),  # does not come back
        ([10, 10, 50, 12, 12], [2]),
        ([10, 10, 50, 50, 10], []),  # two days are no spike
        ([10, 10, 50], []),  # not to be told yet
        ([50, 10, 10], []),
        ([10, 50, 10, 50, 10, 10], [1, 3]),  # the close between two spikes is none
        ([10, 0, 10, -1, np.inf, 10, np.nan], [1, 3, 4, 6]),
        ([10, 50, 0, 10], [1, 2]),  # what stands beside it is the next good close
        ([], []),
        ([5], []),
    ],
)
def test_spikes_of_one_day_and_impossible_numbers_are_found(close, places):
    assert found([float(value) for value in close]) == places


def test_closes_far_apart_say_nothing_of_each_other():
    index = pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-20"])
    assert (bad_prints(pd.Series([10.0, 50.0, 10.0], index=index)) == "").all()


def test_close_outside_its_range_is_found_at_once():
    low, high = [9.0, 9.0, np.nan, 0.0, 9.0], [11.0, 11.0, np.nan, 0.0, 11.0]
    assert found([10.0, 14.0, 14.0, 14.0, 7.0], low=low, high=high) == [1, 4]
    assert found([13.7, 7.3, 10.0, 10.0, 10.0], low=low, high=high) == []


@settings(max_examples=50)
@given(st.lists(st.floats(0.5, 2.0), min_size=3, max_size=30), st.data())
def test_one_spike_among_calm_closes_is_found_and_nothing_else(steps, data):
    close = 10 * np.exp(np.cumsum(0.1 * np.log(steps)))
    assert found(close.tolist()) == []
    place = data.draw(st.integers(1, len(close) - 2))
    close[place] *= data.draw(st.sampled_from([0.2, 5.0, 100.0]))
    assert found(close.tolist()) == [place]
