"""Delayed conformal intervals against a plain loop, and what they may know when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.conformal import ENDS, LEVELS, bounds, delayed_aci


def plain_loop(scores: np.ndarray, horizon: int, level: float, gamma: float, window: int) -> tuple[list[float], list[float]]:
    """The definition, sorting anew on every row."""
    widths, alphas, alpha = [], [], 1 - level
    counted = []
    for t in range(len(scores)):
        past = t - 1 - horizon
        if past >= 0 and counted[past]:
            missed = 1.0 if scores[past] > widths[past] else 0.0
            alpha = alpha + gamma * ((1 - level) - missed)
        known = [s for s in scores[: max(t - horizon + 1, 0)] if not np.isnan(s)][-window:]
        n = len(known)
        rank = int(np.ceil(round((n + 1) * (1 - alpha), 9)))
        widths.append(np.inf if rank > n else 0.0 if rank < 1 else float(np.sort(known)[rank - 1]))
        alphas.append(alpha)
        counted.append(int(np.ceil(round((n + 1) * level, 9))) <= n and not np.isnan(scores[t]))
    return widths, alphas


@given(
    st.integers(0, 10_000), st.sampled_from([1, 5, 21]), st.sampled_from([0.8, 0.9]), st.sampled_from([0.0, 0.005, 0.1]), st.integers(5, 60)
)
def test_half_widths_and_alpha_equal_a_plain_loop(seed, horizon, level, gamma, window):
    rng = np.random.default_rng(seed)
    scores = np.abs(rng.standard_t(3, size=150)) * np.where(rng.random(150) < 0.5, 1, 3)
    scores[rng.random(150) < 0.05] = np.nan
    got = delayed_aci(scores, horizon, level, gamma, window)
    widths, alphas = plain_loop(scores, horizon, level, gamma, window)
    np.testing.assert_allclose(got.half_width, widths, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got.alpha, alphas, rtol=0, atol=1e-12)


@given(st.integers(0, 10_000), st.sampled_from([1, 5, 21]), st.integers(0, 149), st.sampled_from([0.0, 50.0, np.nan]))
def test_score_of_a_row_is_not_used_before_its_outcome_is_known(seed, horizon, row, other):
    """Altering the score of t changes nothing before t + horizon."""
    scores = np.abs(np.random.default_rng(seed).standard_normal(150))
    altered = scores.copy()
    altered[row] = other
    one, two = delayed_aci(scores, horizon, 0.9, 0.02, 50), delayed_aci(altered, horizon, 0.9, 0.02, 50)
    np.testing.assert_array_equal(one.half_width[: row + horizon], two.half_width[: row + horizon])
    np.testing.assert_array_equal(one.alpha[: row + horizon + 1], two.alpha[: row + horizon + 1])


def test_score_of_a_row_is_used_on_the_first_row_that_can_know_it():
    scores = np.ones(100)
    altered = scores.copy()
    altered[60] = 50.0
    one, two = (delayed_aci(each, 5, 0.9, 0.02, 9) for each in (scores, altered))  # of 9 scores the rank is the largest
    assert one.half_width[65] == 1.0
    assert two.half_width[65] == 50.0
    assert two.alpha[66] == pytest.approx(one.alpha[66] - 0.02)


def test_misses_widen_and_hits_narrow():
    scores = np.abs(np.random.default_rng(3).standard_normal(400))
    scores[300:] *= 5
    found = delayed_aci(scores, 5, 0.8)
    assert found.alpha[340] < found.alpha[305] - 0.05
    assert found.half_width[340] > 1.5 * found.half_width[305]
    assert (np.diff(delayed_aci(np.full(200, 0.5), 1, 0.8).alpha[10:]) > 0).all()  # never missed


def test_nothing_known_is_unbounded_and_moves_nothing():
    found = delayed_aci(np.abs(np.random.default_rng(0).standard_normal(60)), 21, 0.9, 0.02, 500)
    assert np.isinf(found.half_width[: 21 + 8]).all()
    assert np.isfinite(found.half_width[21 + 8])  # nine scores bound nine tenths
    np.testing.assert_array_equal(found.alpha[: 21 + 8 + 22], 1 - 0.9)
    assert np.isinf(delayed_aci(np.full(50, np.nan), 5, 0.8).half_width).all()


def test_bounds_are_symmetric_about_the_mean_and_infinite_where_the_width_is():
    mean, sd = np.array([0.1, -0.2]), np.array([0.5, 2.0])
    out = bounds(mean, sd, {"80": 1.5, "90": np.array([2.0, np.inf])})
    assert tuple(out) == ENDS == ("lo80_conformal", "hi80_conformal", "lo90_conformal", "hi90_conformal")
    np.testing.assert_allclose(out["lo80_conformal"], [0.1 - 0.75, -0.2 - 3.0])
    np.testing.assert_allclose(out["hi80_conformal"], [0.1 + 0.75, -0.2 + 3.0])
    assert out["lo90_conformal"].tolist() == [0.1 - 1.0, -np.inf]
    assert out["hi90_conformal"].tolist() == [0.1 + 1.0, np.inf]
    assert set(LEVELS) == {"80", "90"}
