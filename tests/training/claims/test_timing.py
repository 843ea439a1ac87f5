"""Who leads: cross-correlations against loops, a planted lead found, chance called chance, and the rule for the verdict."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from training.claims.c6_c7 import lag_words, projection_words, timing_finding
from training.claims.lags import LONGEST, LagProfile, cross_correlation, lag_profile, prewhiten
from training.claims.projections import project, response
from training.claims.timing import BY_END, BY_START, Timing, adjusted, coin_returns, days_of, judge_timing
from training.claims.verdicts import CONSISTENT, CONTRADICTED, INCONCLUSIVE, NOT_TESTABLE

RNG = np.random.default_rng(2)
X = 0.01 * RNG.standard_normal(1500)


def test_cross_correlation_equals_a_loop():
    x, y = RNG.standard_normal(200), RNG.standard_normal(200)
    got = cross_correlation(x, y, 20)
    want = [sum(x[t] * y[t + k] for t in range(200) if 0 <= t + k < 200) / 200 for k in range(-20, 21)]
    np.testing.assert_allclose(got, want, atol=1e-10)
    np.testing.assert_allclose(cross_correlation(np.stack([x, y]), y, 20)[0], want, atol=1e-10)


def test_prewhitening_takes_the_order_of_least_aic_and_leaves_white_noise():
    from statsmodels.tsa.ar_model import AutoReg, ar_select_order

    x = np.zeros(2000)
    shocks = RNG.standard_normal(2000)
    for t in range(2, 2000):
        x[t] = 0.5 * x[t - 1] - 0.3 * x[t - 2] + shocks[t]
    white, other, order = prewhiten(x, x)
    assert order == max(ar_select_order(x, 10, ic="aic").ar_lags)
    residuals = AutoReg(x, order, hold_back=10).fit().resid
    assert np.corrcoef(white[10 - order :], residuals)[0, 1] == pytest.approx(1.0, abs=1e-10)
    np.testing.assert_array_equal(white, other)


def test_planted_lead_is_found_with_an_interval_around_it():
    y = 0.03 * RNG.standard_normal(1500)
    y[7:] += 1.2 * X[:-7]
    found = lag_profile(X, y, draws=199)
    assert found.best == 7
    assert found.lo <= 7 <= found.hi
    assert found.hi - found.lo <= 5
    assert found.p <= 0.01
    assert lag_profile(y, X, draws=199).best == -7, "seen from the other side it is behind"


def test_same_day_correlation_is_no_lead():
    y = 2.0 * X + 0.03 * RNG.standard_normal(1500)
    found = lag_profile(X, y, draws=199)
    assert found.at(0) > found.band
    assert found.best is None
    assert found.lo is None


def test_chance_is_called_a_lead_at_the_nominal_rate():
    """60 pairs of unrelated fat-tailed series at .05: at most 9, four standard errors of .028 above."""
    rng = np.random.default_rng(8)
    hits = sum(lag_profile(rng.standard_t(4, 600), rng.standard_t(4, 600), draws=99, seed=k).best is not None for k in range(60))
    assert hits <= 9


def test_too_few_sessions_are_refused():
    with pytest.raises(ValueError, match="400 sessions; rule: at least 500"):
        lag_profile(X[:400], X[:400])


def test_projections_equal_least_squares_and_refuse_few_rows():
    returns, x = RNG.standard_normal(900), RNG.standard_normal(900)
    table = project(returns, x, (5, 63))
    y = np.array([returns[t + 1 : t + 6].sum() for t in range(895)])
    assert table.loc[5, "slope"] == pytest.approx(np.polyfit(x[:895], y, 1)[0], abs=1e-8)
    assert table.loc[5, "n"] == 179
    assert np.isnan(table.loc[63, "p"]), "13 rows that do not overlap"


def test_response_peaks_at_the_planted_lag():
    x = np.sin(np.arange(1200) / 40) + 0.1 * RNG.standard_normal(1200)
    shock = np.zeros(1200)
    shock[::60] = 1.0
    spread = np.convolve(shock, np.ones(3), mode="same")
    returns = np.concatenate([np.zeros(12), spread[:-12]])
    assert abs(response(returns, spread).best - 12) <= 1
    k, centred = 20, x - x.mean()
    slopes = []
    for lag in range(k - 2, k + 3):
        now, later = centred[: 1200 - lag], returns[lag:]
        slopes.append(now @ (later - later.mean()) / (now @ now))
    assert response(returns, x).slopes[k - 1] == pytest.approx(np.mean(slopes), abs=1e-10)


def profiles_of(best: int | None, same: float, at_best: float = 0.0):
    correlation = np.zeros(2 * LONGEST + 1)
    correlation[LONGEST] = same
    if best is not None:
        correlation[LONGEST + best] = at_best
    lags = np.arange(-LONGEST, LONGEST + 1.0)
    return LagProfile(lags, correlation, 0.04, 0.07, 0.5 if best is None else 0.001, best, best, best, 2000, 0)


def coin_with(first, second, asset: str = "BTC") -> Timing:
    nothing = pd.DataFrame({"p": [np.nan]})
    return Timing(asset, {BY_END: first, BY_START: second}, nothing, nothing, pd.Series(dtype=float))


def with_p(best: int | None, p: float) -> LagProfile:
    return dataclasses.replace(profiles_of(best, 0.1, 0.2), p=p)


@pytest.mark.parametrize(
    ("first", "second", "leads"),
    [
        ((10, 0.005), (9, 0.010), True),
        ((10, 0.005), (None, 0.060), False),  # one label alone
        ((10, 0.005), (-9, 0.005), False),  # they disagree on who leads
        ((10, 0.005), (9, 0.020), False),  # .02 times three coins
    ],
)
def test_lead_needs_both_labels_and_outlives_the_look_at_every_coin(first, second, leads):
    others = [coin_with(with_p(None, 0.5), with_p(None, 0.4), asset) for asset in ("ETH", "ALT")]
    got = adjusted([coin_with(with_p(*first), with_p(*second)), *others])
    assert [each.leads for each in got] == [leads, False, False]
    assert got[0].p_lead == pytest.approx(3 * max(first[1], second[1]))  # Holm: the least of three p-values
    assert got[1].p_lead == pytest.approx(1.0)
    assert ("none found under both labels" in lag_words(got[0])) is not leads
    assert not coin_with(with_p(10, 0.005), with_p(9, 0.005)).leads, "before it was adjusted"


def test_null_worlds_name_a_lead_at_most_at_the_nominal_rate():
    """20 worlds, three coins of one market, same-day correlation .25: at most 3, two standard errors of .05 above the nominal one."""
    rng, empty, named = np.random.default_rng(4), pd.DataFrame({"p": [np.nan]}), 0
    for _ in range(20):
        small, common = rng.standard_t(5, 700), rng.standard_t(4, 700)
        coins = [0.25 * small + 0.8 * common + 0.6 * rng.standard_t(4, 700) for _ in range(3)]
        pairs = [(lag_profile(small, coin, 59, 0), lag_profile(small[1:], coin[:-1], 59, 0)) for coin in coins]
        found = adjusted(
            [
                Timing(f"C{k}", dict(zip((BY_END, BY_START), pair, strict=True)), empty, empty, pd.Series(dtype=float))
                for k, pair in enumerate(pairs)
            ]
        )
        named += any(each.leads for each in found)
    assert named <= 3


def timing_with(profile, p: float = 0.5, backward: float = 0.9) -> Timing:
    table = pd.DataFrame({"slope": 1.0, "error": 1.0, "t": 1.0, "p": [p, np.nan], "n": [100, 20]}, index=pd.Index([5, 126], name="horizon"))
    return Timing("BTC", {BY_END: profile, BY_START: profile}, table, table.assign(p=backward), pd.Series(dtype=float))


@pytest.mark.parametrize(
    ("best", "same", "at_best", "p", "verdict"),
    [
        (10, 0.05, 0.20, 0.5, CONSISTENT),
        (10, 0.30, 0.20, 0.5, INCONCLUSIVE),  # a lead, but weaker than the same day
        (-10, 0.05, 0.20, 0.5, INCONCLUSIVE),  # the coin leads
        (None, 0.30, 0.0, 0.5, CONTRADICTED),
        (None, 0.30, 0.0, 0.001, INCONCLUSIVE),  # a projection says there is something
        (None, 0.01, 0.0, 0.5, INCONCLUSIVE),
    ],
)
def test_verdict_on_timing_follows_the_rule(best, same, at_best, p, verdict):
    assert judge_timing(adjusted([timing_with(profiles_of(best, same, at_best), p)])) == verdict


def test_projection_of_either_direction_keeps_the_claim_from_being_contradicted():
    profile = profiles_of(None, 0.30)
    (still,), (told,) = (adjusted([timing_with(profile, backward=p)]) for p in (0.5, 0.001))
    assert (judge_timing([still]), judge_timing([told])) == (CONTRADICTED, INCONCLUSIVE)
    assert "small caps over 5 sessions on the last 21 of BTC" in timing_finding(SimpleNamespace(timing=[told])).why
    assert "sessions on the last" not in timing_finding(SimpleNamespace(timing=[still])).why


def test_ten_per_cent_are_a_move_of_ten_per_cent():
    """A slope of 1 answers 10% with 10%, one of 2 with 1.1 squared less 1."""
    for slope, told in ((1.0, "+10% in 5"), (2.0, "+21% in 5"), (-1.0, "-9.1% in 5")):
        (timing,) = adjusted([timing_with(profiles_of(None, 0.0))])
        timing = dataclasses.replace(timing, forward=timing.forward.assign(slope=slope))
        assert f"small caps up 10% in 21 sessions foretold of BTC: {told} sessions" in projection_words(timing)


def test_projections_are_adjusted_by_holm_over_both_directions():
    """p of .01, .9 and .9: times 3, times 2, times 1 and at most 1; one that was not computed is in no family."""
    (got,) = adjusted([timing_with(profiles_of(None, 0.0), 0.01)])
    np.testing.assert_allclose(got.forward["p_adjusted"], [0.03, np.nan])
    np.testing.assert_allclose(got.backward["p_adjusted"], [1.0, 1.0])


def test_timing_without_sessions_cannot_be_tested():
    assert judge_timing([]) == NOT_TESTABLE
    assert adjusted([]) == []


def test_label_conventions_are_one_calendar_day_apart(sample_market):
    late, early = (coin_returns(sample_market, "BTC", each) for each in (BY_END, BY_START))
    wednesday = next(k for k, day in enumerate(sample_market.sessions[500:], 500) if day.day_of_week == 2)
    bars = sample_market.coins[sample_market.coins["asset"] == "BTC"].set_index("date")["close"]
    day, before = sample_market.sessions[wednesday], sample_market.sessions[wednesday - 1]
    assert late.iloc[wednesday] == pytest.approx(np.log(bars[day] / bars[before]))
    one = pd.Timedelta(days=1)
    assert early.iloc[wednesday] == pytest.approx(np.log(bars[day - one] / bars[before - one]))


def test_days_are_calendar_days():
    assert days_of(252) == 365
