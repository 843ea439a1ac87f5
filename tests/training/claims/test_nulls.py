"""Nulls of the event study: each equals a plain loop to 1e-8, and holds its level."""

from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.claims.other_nulls import bootstrap_means, random_date_test, random_dates
from training.claims.outcomes import circular_sums, excursions, outcomes_of
from training.claims.shifts import NullTest, draw_shifts, leave_one_out, shift_test, shifted_means, step_down
from training.claims.small_samples import count_rises
from training.claims.verdicts import CONSISTENT, CONTRADICTED, INCONCLUSIVE, NOT_TESTABLE, judge

RNG = np.random.default_rng(7)
RETURNS = 0.03 * RNG.standard_normal(400)
AT = np.array([20, 150, 390])


def test_circular_sums_equal_a_loop():
    got = circular_sums(RETURNS, (1, 5, 63, 401))
    for k, h in enumerate((1, 5, 63)):
        np.testing.assert_allclose(got[:, k], [sum(RETURNS[(t + j) % 400] for j in range(h)) for t in range(400)], atol=1e-12)
    assert np.isnan(got[:, 3]).all()


def test_outcomes_agree_with_the_circle_where_the_horizon_is_over():
    price = pd.Series(np.exp(np.cumsum(RETURNS)), index=pd.bdate_range("2020-01-01", periods=400))
    price.iloc[:30] = np.nan
    price.iloc[395:] = np.nan
    got = outcomes_of(price)
    assert got.sessions[0] == price.index[30]
    over = ~np.isnan(got.forward[:-1])
    np.testing.assert_allclose(got.circle[over], got.forward[:-1][over], atol=1e-12)
    assert over.sum() > 300
    assert got.positions(pd.DatetimeIndex([price.index[0], price.index[31]])).tolist() == [1]
    assert outcomes_of(price * np.nan).forward.shape == (0, 5)


def test_shift_test_equals_a_loop():
    circle = circular_sums(RETURNS, (21,))[:, 0]
    shifts = draw_shifts(400, [400], 300, np.random.default_rng(0))[400]
    null = [np.mean([sum(RETURNS[(p + s + j) % 400] for j in range(21)) for p in AT]) for s in shifts]
    np.testing.assert_allclose(shifted_means(circle, AT, shifts), null, atol=1e-8)
    got, mean = shift_test(circle, AT, shifts), circle[AT].mean()
    assert got.p_above == (1 + sum(each >= mean - 1e-12 for each in null)) / 301
    assert got.p_below == (1 + sum(each <= mean + 1e-12 for each in null)) / 301
    left = leave_one_out(circle, AT, shifts)
    assert [each.mean for each in left] == pytest.approx([circle[[150, 390]].mean(), circle[[20, 390]].mean(), circle[[20, 150]].mean()])
    assert leave_one_out(circle, AT[:1], shifts) == []
    assert shift_test(circle, AT[:0], shifts).n == 0


def test_shifts_are_common_and_uniform_on_every_circle():
    drawn = draw_shifts(100, [100, 40], 200_000, np.random.default_rng(0))
    common = drawn[100] < 40
    assert (drawn[100][common] == drawn[40][common]).all()
    for length, shifts in drawn.items():
        counts = np.bincount(shifts, minlength=length)
        assert counts[0] == 0
        # each of length - 1 values, 200,000 draws: five standard errors
        expected = 200_000 / (length - 1)
        assert np.abs(counts[1:] - expected).max() < 5 * np.sqrt(expected)


def test_step_down_equals_a_loop():
    rng = np.random.default_rng(3)
    null = rng.standard_normal((500, 6)) @ rng.standard_normal((6, 6)) + rng.standard_normal(6)
    observed = null.mean(axis=0) + null.std(axis=0) * np.array([2.6, 0.3, np.nan, 2.4, -1.0, 1.7])
    got = step_down(observed, null)
    z = (observed - null.mean(axis=0)) / null.std(axis=0)
    drawn = (null - null.mean(axis=0)) / null.std(axis=0)
    left, running = [k for k in range(6) if k != 2], 0.0
    want = np.full(6, np.nan)
    while left:
        best = max(left, key=lambda k: z[k])
        p = (1 + sum(max(row[k] for k in left) >= z[best] for row in drawn)) / 501
        running = max(running, p)
        want[best] = running
        left.remove(best)
    np.testing.assert_allclose(got, want, atol=1e-8)


def test_step_down_holds_the_level_over_the_family_and_is_no_smaller_than_the_single_test():
    """400 families of 12 correlated null cells: .05 within 4 standard errors of .011."""
    rng, hits = np.random.default_rng(5), 0
    mix = np.eye(12) + 0.4 * rng.standard_normal((12, 12))
    for _ in range(400):
        null = rng.standard_normal((399, 12)) @ mix
        observed = rng.standard_normal(12) @ mix
        adjusted = step_down(observed, null)
        raw = (1 + (null >= observed).sum(axis=0)) / 400
        assert (adjusted >= raw).all()
        hits += bool((adjusted <= 0.05).any())
    assert abs(hits / 400 - 0.05) < 4 * 0.011


@given(st.integers(1, 4), st.integers(1, 12), st.integers(30, 60))
@settings(max_examples=40)
def test_random_dates_keep_apart(n, apart, n_sessions):
    got = random_dates(n, n_sessions, apart, 50, np.random.default_rng(0))
    if n_sessions - (n - 1) * (apart - 1) < n:
        assert got is None
        return
    assert got.min() >= 0
    assert got.max() < n_sessions
    assert (np.diff(got, axis=1) >= apart).all()


def test_random_dates_are_uniform_over_all_sets():
    """3 dates of 9 sessions, 2 apart: 35 sets; 70,000 draws give each 2,000 with a standard error of 44."""
    got = random_dates(3, 9, 2, 70_000, np.random.default_rng(0))
    _, counts = np.unique(got, axis=0, return_counts=True)
    assert len(counts) == comb(9 - 2, 3) == 35
    assert np.abs(counts - 2000).max() < 5 * 44


def test_random_date_test_never_uses_open_windows():
    forward = np.concatenate([np.zeros(200), np.full(20, np.nan)])
    forward[50] = 1.0
    got = random_date_test(forward, np.array([50]), 10, 4999, np.random.default_rng(0))
    assert got.mean == 1.0
    assert got.p_above == pytest.approx(1 / 200, abs=5 * np.sqrt(1 / 200 / 4999))
    assert random_date_test(forward, np.array([0, 199]), 500, 99, np.random.default_rng(0)).n == 0


def test_bootstrap_means_equal_a_loop_over_the_same_histories():
    from arch.bootstrap import StationaryBootstrap

    from training.claims.other_nulls import bootstrap_block

    cells = [(AT, 5), (AT[:1], 63)]
    got = bootstrap_means(RETURNS, cells, 40, seed=3)
    assert bootstrap_block(RETURNS) >= 63
    for row, ((history,), _) in zip(got, StationaryBootstrap(bootstrap_block(RETURNS), RETURNS, seed=3).bootstrap(40), strict=True):
        for value, (at, h) in zip(row, cells, strict=True):
            assert value == pytest.approx(np.mean([sum(history[(p + j) % 400] for j in range(h)) for p in at]), abs=1e-10)


def test_excursions_equal_a_loop():
    price = pd.Series(np.exp(np.cumsum(RETURNS)), index=pd.bdate_range("2020-01-01", periods=400))
    got = excursions(price, 30)
    for t in range(400 - 30):
        moves = np.log(price.to_numpy()[t : t + 31] / price.iloc[t])
        assert got.iloc[t].tolist() == pytest.approx([moves.max(), moves.min(), moves.argmax()], abs=1e-12)
    assert got.iloc[370:].isna().all().all()


def test_counts_of_rises_equal_sums_by_hand():
    got = count_rises(np.array([0.1, 0.2, 0.3]), 0.6)
    assert got.p == pytest.approx(0.6**3, abs=1e-12)
    # all of three: the two-sided 95% bound solves p^3 = .025
    assert (got.low, got.high) == (pytest.approx(0.025 ** (1 / 3), abs=1e-8), 1.0)
    two = count_rises(np.array([0.1, -0.2, 0.3, 0.1]), 0.6)
    assert two.p == pytest.approx(sum(comb(4, k) * 0.6**k * 0.4 ** (4 - k) for k in (3, 4)), abs=1e-12)
    assert np.isnan(count_rises(np.array([]), 0.6).p)


FAR, NEAR = NullTest(3, 1.0, 0.001, 0.999), NullTest(3, 0.1, 0.4, 0.6)
LOW = NullTest(3, -1.0, 0.999, 0.001)


def test_verdicts_follow_the_written_rule():
    assert judge(NullTest(0, np.nan, np.nan, np.nan), (np.nan, np.nan), []) == NOT_TESTABLE
    assert judge(FAR, (0.01, 1.0), [FAR, FAR, FAR]) == CONSISTENT
    assert judge(FAR, (0.01, 1.0), [FAR, NEAR, FAR]) == INCONCLUSIVE, "one leave-one-out does not agree"
    assert judge(FAR, (0.2, 1.0), [FAR, FAR, FAR]) == INCONCLUSIVE, "the grid was searched"
    assert judge(NullTest(1, 1.0, 0.001, 0.999), (0.001, 1.0), []) == INCONCLUSIVE, "nothing to leave out"
    assert judge(LOW, (1.0, 0.01), [LOW, LOW, LOW]) == CONTRADICTED
    assert judge(FAR, (0.01, 1.0), [FAR, FAR, FAR], always=True, falls=1) == CONTRADICTED
    assert judge(NullTest(12, 1.0, 0.001, 0.999), (0.01, 1.0), [NEAR] * 12) == CONSISTENT, "leave-one-out binds small n alone"


@given(st.integers(0, 40), st.floats(0, 1), st.floats(0, 1), st.booleans(), st.integers(0, 3))
def test_no_verdict_is_stronger_than_consistent(n, p, adjusted, always, falls):
    whole = NullTest(n, 0.0, p, 1 - p)
    said = judge(whole, (adjusted, 1 - adjusted), [whole] * n, always=always, falls=falls)
    assert said in {CONSISTENT, INCONCLUSIVE, CONTRADICTED, NOT_TESTABLE}
    assert said != CONSISTENT or (n >= 2 and adjusted <= 0.05)


def test_record_day_test_equals_scipy_on_the_same_rows():
    from scipy.stats import ttest_1samp

    from training.claims.records import record_day_test

    forward, days = RNG.standard_normal(300), np.arange(40, 80)
    got, want = record_day_test(forward, days), ttest_1samp(forward[days], forward.mean())
    assert (got.t, got.p) == pytest.approx((want.statistic, want.pvalue), abs=1e-10)
    assert np.isnan(record_day_test(forward, days[:1]).p)
