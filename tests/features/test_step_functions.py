"""Sums, counts and medians of spans against the plain way: session by session over whoever is there."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.step_functions import step_counts, step_medians, step_sums

N = 12

SPANS = st.lists(st.tuples(st.integers(0, N), st.integers(0, N)).map(sorted), max_size=25)
ANY = st.floats(-1e300, 1e300, allow_nan=False)
"""From the smallest subnormal number to where a sum could overflow."""


def arrays(spans: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def held(begin: np.ndarray, stop: np.ndarray, session: int) -> np.ndarray:
    return (begin <= session) & (session < stop)


@given(SPANS)
def test_counts_are_those_of_a_loop(spans: list[list[int]]) -> None:
    begin, stop = arrays(spans)
    assert step_counts(begin, stop, N).tolist() == [int(held(begin, stop, t).sum()) for t in range(N)]


@given(st.data(), SPANS)
def test_sums_are_rounded_once(data: st.DataObject, spans: list[list[int]]) -> None:
    begin, stop = arrays(spans)
    values = np.array(data.draw(st.lists(ANY, min_size=len(spans), max_size=len(spans))), dtype=np.float64)
    got = step_sums(values, begin, stop, N)
    assert got.tolist() == [math.fsum(values[held(begin, stop, t)]) for t in range(N)]


@given(st.data(), SPANS)
def test_medians_are_those_of_numpy(data: st.DataObject, spans: list[list[int]]) -> None:
    begin, stop = arrays(spans)
    few = st.sampled_from([-1.5, 0.1, 0.3, 2.0]) | st.floats(-1e6, 1e6)  # equal ones among them
    values = np.array(data.draw(st.lists(few, min_size=len(spans), max_size=len(spans))), dtype=np.float64)
    there = [values[held(begin, stop, t)] for t in range(N)]
    np.testing.assert_array_equal(step_medians(values, begin, stop, N), [np.median(each) if len(each) else np.nan for each in there])


def test_many_spans_of_dollars_agree_too() -> None:
    rng = np.random.default_rng(0)
    begin = rng.integers(0, 200, 5000)
    stop = np.minimum(begin + rng.integers(0, 90, 5000), 200)
    values = rng.normal(0, 1e8, 5000)
    there = [values[held(begin, stop, t)] for t in range(200)]
    assert step_sums(values, begin, stop, 200).tolist() == [math.fsum(each) for each in there]
    np.testing.assert_array_equal(step_medians(values, begin, stop, 200), [np.median(each) if len(each) else np.nan for each in there])
