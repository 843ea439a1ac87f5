"""The walk of the candidates: against a plain loop, the shipped tests one by one, and what is not known yet."""

import numpy as np
import pytest
from scipy.stats import norm

from tests.recovery.lag_worlds import market
from tests.validation.candidates import FIRST, HISTORY, LAG, RECENT, REFIT, features, scored, walked
from training.evaluation.forecast_tests import clark_west, smaller_loss

EXACT = 1e-8
"""Relative to the spread: sums of a few thousand terms in another order."""


@pytest.fixture(scope="module")
def columns() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    small, _, coin = market(rng, HISTORY + 1300, LAG, 0.008)
    table = features(small[LAG:], coin, rng).iloc[HISTORY:].to_numpy()
    return table[:, [0, 8, 19]], coin[HISTORY:]


@pytest.mark.parametrize("horizon", [5, 21])
def test_walk_equals_a_loop_over_rows(columns, horizon):
    x, returns = columns
    walk = walked(x, returns, horizon)
    y = np.array([returns[t + 1 : t + 1 + horizon].sum() for t in range(len(returns) - horizon)])
    for row in range(FIRST, len(y), 13):
        refit = FIRST + (row - FIRST) // REFIT * REFIT
        known = [t for t in range(len(y)) if t + horizon <= refit]  # its last return ended at the refit
        past = y[known]
        expected = [0.0, past.mean() / 2, past[-RECENT:].mean(), past.mean()]
        np.testing.assert_allclose(walk.baselines[row - FIRST], expected, rtol=0, atol=EXACT * y.std())
        assert walk.sd[row - FIRST] == pytest.approx(past.std(), rel=EXACT)
        for column in range(x.shape[1]):
            slope, intercept = np.polyfit(x[known, column], past, 1)
            assert walk.fitted[row - FIRST, column] == pytest.approx(intercept + slope * x[row, column], abs=EXACT * y.std())
    np.testing.assert_allclose(walk.y, y[FIRST:], rtol=0, atol=EXACT * y.std())


def test_later_returns_change_no_earlier_forecast(columns):
    x, returns = columns
    cut = 1150
    later = np.where(np.arange(len(returns)) > cut, 9.0, returns)
    before = slice(0, cut + 1 - FIRST)
    one, other = walked(x, returns, 21), walked(x, later, 21)
    for name in ("fitted", "baselines", "sd"):
        np.testing.assert_array_equal(getattr(one, name)[before], getattr(other, name)[before])
        assert (getattr(one, name)[-1] != getattr(other, name)[-1]).any()


def test_features_are_known_on_their_row():
    def table(scale: float):
        rng = np.random.default_rng(3)
        small, _, coin = market(rng, 800, 0, 0.008)
        factor = np.where(np.arange(800) > 600, scale, 1.0)
        return features(small * factor, coin * factor, rng)

    one, other = table(1.0), table(3.0)
    assert one.shape == (800, 20)
    assert one.iloc[:601].equals(other.iloc[:601])
    market_columns = [name for name in one if not name.startswith("noise")]
    assert (one[market_columns].iloc[-1] != other[market_columns].iloc[-1]).all()


def test_each_candidate_is_held_against_the_baseline_it_has_most_trouble_with(columns):
    x, returns = columns
    walk = walked(x, returns, 5)
    scores, gains = scored(walk, 5)

    def crps(mean):
        z = (walk.y - mean) / walk.sd
        return walk.sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))

    for column, fitted in enumerate(walk.fitted.T):
        each = [clark_west(walk.y, base, fitted, 5) for base in walk.baselines.T]
        hardest = max(each, key=lambda test: test.p)
        assert scores.loc[column, "p"] == pytest.approx(hardest.p, rel=EXACT)
        assert scores.loc[column, "p_mean"] == pytest.approx(each[-1].p, rel=EXACT)
        assert gains[:, :, column].mean(axis=1) == pytest.approx([test.mean for test in each], rel=EXACT)
        costs = [crps(base) for base in walk.baselines.T]
        cheaper = max(smaller_loss(cost, crps(fitted), 5).p for cost in costs)
        assert scores.loc[column, "p_gain"] == pytest.approx(cheaper, rel=1e-7)
        skill = 1 - crps(fitted).mean() / min(cost.mean() for cost in costs)
        assert scores.loc[column, "crps_skill"] == pytest.approx(skill, abs=EXACT)
