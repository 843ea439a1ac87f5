"""Mixtures of normals against sampling, integration and published values."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import kurtosis, norm

from models.distribution import NormalMixture, end_to_end, heavy_tailed, mix, tail_parts
from models.scores import WORST_LOG_SCORE, brier, covered, crps, log_score, pinball, r2_oos
from models.volatility import FADE_GRID, TAIL_GRID, TAIL_WEIGHT, HorizonScale, fit_horizon_scale

seeds = st.integers(0, 10_000)


def mixtures(seed: int, n_obs: int = 4, n_parts: int = 3) -> NormalMixture:
    rng = np.random.default_rng(seed)
    return NormalMixture(
        rng.dirichlet(np.ones(n_parts), size=n_obs), rng.normal(size=(n_obs, n_parts)), rng.uniform(0.05, 2.0, (n_obs, n_parts))
    )


def draws(forecast: NormalMixture, row: int, n: int, rng: np.random.Generator) -> np.ndarray:
    part = rng.choice(forecast.weights.shape[1], size=n, p=forecast.weights[row])
    return rng.normal(forecast.means[row][part], forecast.sds[row][part])


@given(seeds, st.floats(0.001, 0.999))
def test_quantile_is_the_inverse_of_the_distribution_function(seed, level):
    forecast = mixtures(seed)
    np.testing.assert_allclose(forecast.cdf(forecast.quantile(level)), level, rtol=0, atol=1e-12)


@given(seeds)
def test_distribution_function_rises_and_quantiles_are_in_order(seed):
    forecast = mixtures(seed, n_obs=1)
    grid = np.linspace(-8, 8, 101)
    values = np.array([forecast.cdf(y)[0] for y in grid])
    assert (np.diff(values) >= 0).all()
    assert values[0] < 1e-3
    assert values[-1] > 0.999
    assert forecast.quantile(0.1)[0] < forecast.quantile(0.5)[0] < forecast.quantile(0.9)[0]


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1])
def test_quantile_refuses_levels_outside_the_open_interval(level):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        mixtures(0).quantile(level)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.9])
def test_quantile_of_one_normal_is_the_textbooks(level):
    one = NormalMixture(np.ones((1, 1)), np.array([[0.3]]), np.array([[2.0]]))
    assert one.quantile(level)[0] == pytest.approx(0.3 + 2.0 * norm.ppf(level), abs=1e-12)


def test_mean_and_deviation_equal_those_of_draws():
    forecast, rng, n = mixtures(1), np.random.default_rng(2), 200_000
    for row in range(len(forecast)):
        sample = draws(forecast, row, n, rng)
        error = forecast.sd()[row] / np.sqrt(n)
        assert sample.mean() == pytest.approx(forecast.mean()[row], abs=4 * error)
        assert sample.std() == pytest.approx(forecast.sd()[row], rel=0.02)  # standard error of a deviation under 0.4% here


def test_deviation_survives_a_mean_that_dwarfs_it():
    far = NormalMixture(np.full((1, 2), 0.5), np.full((1, 2), 1e8), np.full((1, 2), 1e-3))
    assert far.sd()[0] == pytest.approx(1e-3, rel=1e-9)


def test_deviation_has_the_between_part():
    # two spikes at -1 and 1: the variance is all between
    spikes = NormalMixture(np.full((1, 2), 0.5), np.array([[-1.0, 1.0]]), np.full((1, 2), 1e-9))
    assert spikes.sd()[0] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("ratio", TAIL_GRID)
def test_heavy_tails_keep_mean_and_deviation(ratio):
    forecast = heavy_tailed(np.array([0.1, -2.0]), np.array([0.5, 3.0]), 0.15, ratio)
    np.testing.assert_allclose(forecast.mean(), [0.1, -2.0], rtol=1e-14)
    np.testing.assert_allclose(forecast.sd(), [0.5, 3.0], rtol=1e-12)
    core, wide = tail_parts(0.15, ratio)
    assert wide / core == pytest.approx(ratio)


def test_heavy_tails_are_heavy():
    forecast = heavy_tailed(np.zeros(1), np.ones(1), 0.15, 3.0)
    sample = draws(forecast, 0, 400_000, np.random.default_rng(0))
    core, wide = tail_parts(0.15, 3.0)
    exact = 3 * (0.85 * core**4 + 0.15 * wide**4) - 3
    assert exact > 2
    assert kurtosis(sample) == pytest.approx(exact, rel=0.1)


@pytest.mark.parametrize("level", [0.05, 0.1, 0.5, 0.75, 0.95])
def test_quantile_of_heavy_tails_is_what_bisection_of_each_row_finds(level):
    rng = np.random.default_rng(7)
    ratio = rng.choice(TAIL_GRID, size=50)
    forecast = heavy_tailed(rng.normal(size=50), rng.uniform(0.01, 3, size=50), TAIL_WEIGHT, ratio)
    plain = NormalMixture(forecast.weights, forecast.means, forecast.sds)
    np.testing.assert_allclose(forecast.quantile(level), plain.quantile(level), rtol=0, atol=1e-12)
    np.testing.assert_allclose([forecast.mean(), forecast.sd()], [plain.mean(), plain.sd()], rtol=1e-12)
    picked = forecast[ratio > 1.5]
    np.testing.assert_array_equal(picked.quantile(level), forecast.quantile(level)[ratio > 1.5])


def test_blocks_end_to_end_are_the_rows_of_all_blocks():
    rng = np.random.default_rng(8)
    heavy = [heavy_tailed(rng.normal(size=3), rng.uniform(0.1, 1, size=3), TAIL_WEIGHT, ratio) for ratio in (1.0, 2.5)]
    for blocks in (heavy, [mixtures(1), mixtures(2)], [heavy[0], mixtures(3, n_parts=2)]):
        whole = end_to_end(blocks)
        for level in (0.1, 0.8):
            np.testing.assert_allclose(whole.quantile(level), np.concatenate([each.quantile(level) for each in blocks]), atol=1e-12)
        np.testing.assert_array_equal(whole.cdf(0.3), np.concatenate([each.cdf(0.3) for each in blocks]))


def test_recentred_forecast_has_the_other_mean_and_its_own_shape():
    forecast, mean = mixtures(9), np.array([0.0, 1.0, -3.0, 0.2])
    moved = forecast.recentred(mean)
    np.testing.assert_allclose(moved.mean(), mean, atol=1e-14)
    np.testing.assert_allclose(moved.sd(), forecast.sd(), rtol=1e-13)
    for y in (-1.0, 0.5):
        np.testing.assert_allclose(moved.cdf(y), forecast.cdf(y - mean + forecast.mean()), atol=1e-13)


def test_log_score_is_the_negative_log_of_the_density_and_no_worse_than_its_floor():
    forecast, y = mixtures(10), np.array([0.2, -1.0, 3.0, 400.0])
    density = (forecast.weights * norm.pdf(y[:, None], forecast.means, forecast.sds)).sum(axis=1)
    np.testing.assert_allclose(log_score(y, forecast)[:3], -np.log(density[:3]), rtol=1e-12)
    assert density[3] == 0.0
    assert log_score(y, forecast)[3] == WORST_LOG_SCORE == pytest.approx(10 * np.log(10))
    assert np.isnan(log_score(np.full(4, np.nan), forecast)).all()


def test_pinball_by_hand_and_twice_its_mean_over_levels_is_the_crps():
    """Gneiting and Raftery (2007, eq. 22): CRPS is twice the integral of the quantile losses over the level."""
    np.testing.assert_allclose(pinball(np.array([1.0, -1.0, 0.0]), np.zeros(3), 0.9), [0.9, 0.1, 0.0])
    assert np.isnan(pinball(np.array([np.nan]), np.zeros(1), 0.5)).all()
    forecast, y = mixtures(11), np.random.default_rng(11).normal(size=4)
    levels = (np.arange(2000) + 0.5) / 2000
    losses = np.mean([pinball(y, forecast.quantile(level), level) for level in levels], axis=0)
    np.testing.assert_allclose(2 * losses, crps(y, forecast), rtol=1e-3)  # the midpoint rule's error at the ends


def test_mixture_of_forecasts_is_the_weighted_sum_of_distribution_functions():
    parts, weights = [mixtures(3), mixtures(4, n_parts=2)], np.random.default_rng(5).dirichlet(np.ones(2), size=4)
    mixed = mix(parts, weights)
    np.testing.assert_allclose(mixed.weights.sum(axis=1), 1.0, atol=1e-14)
    for y in (-1.0, 0.2, 2.0):
        np.testing.assert_allclose(mixed.cdf(y), weights[:, 0] * parts[0].cdf(y) + weights[:, 1] * parts[1].cdf(y), atol=1e-14)
    np.testing.assert_allclose(mixed.mean(), weights[:, 0] * parts[0].mean() + weights[:, 1] * parts[1].mean(), atol=1e-14)


def test_picking_rows_picks_their_forecasts():
    forecast = mixtures(6)
    pick = np.array([True, False, False, True])
    np.testing.assert_array_equal(forecast[pick].mean(), forecast.mean()[pick])
    assert len(forecast[1:3]) == 2


def test_crps_of_the_standard_normal_at_zero_is_the_published_value():
    one = NormalMixture(np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1)))
    assert crps(np.zeros(1), one)[0] == pytest.approx(0.233695, abs=5e-7)  # METHODS 3.5; (sqrt(2) - 1) / sqrt(pi)
    assert crps(np.zeros(1), one)[0] == pytest.approx((np.sqrt(2) - 1) / np.sqrt(np.pi), abs=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_crps_equals_its_definition_by_integration(seed):
    """Integral of (F(x) - 1{x >= y})^2 (Gneiting and Raftery 2007, eq. 20)."""
    forecast, y = mixtures(seed), np.random.default_rng(seed).normal(size=4)
    got = crps(y, forecast)
    for row, outcome in enumerate(y):
        one = forecast[np.array([row])]
        below = quad(lambda x, one=one: one.cdf(x)[0] ** 2, -20, outcome, limit=400)[0]
        above = quad(lambda x, one=one: (1 - one.cdf(x)[0]) ** 2, outcome, 20, limit=400)[0]
        assert got[row] == pytest.approx(below + above, abs=1e-7)


def test_crps_of_a_missing_outcome_is_missing():
    assert np.isnan(crps(np.array([np.nan, 0.0, 0.0, 0.0]), mixtures(0))).tolist() == [True, False, False, False]


def test_brier_coverage_and_r2_by_hand():
    np.testing.assert_allclose(brier(np.array([True, False]), np.array([0.8, 0.3])), [0.04, 0.09])
    assert covered(np.array([0.05, 0.1, 0.5, 0.9, 0.95]), 0.8).tolist() == [False, True, True, True, False]
    # errors 1, 1 against 2, 0: two of four squared units are taken away
    assert r2_oos(np.array([1.0, 1.0]), np.array([0.0, 2.0]), np.array([-1.0, 1.0])) == pytest.approx(0.5)


def returns_with(share: float, factor: float, ratio: float, horizon: int, n: int = 20_000) -> tuple[np.ndarray, np.ndarray, HorizonScale]:
    rng = np.random.default_rng(0)
    vol = 0.03 * np.exp(0.6 * rng.standard_normal(n))
    truth = HorizonScale(share, float(np.mean(vol**2)), factor, ratio)
    unit = draws(heavy_tailed(np.zeros(1), np.ones(1), TAIL_WEIGHT, ratio), 0, n, rng)
    return unit * truth.sd(vol, horizon), vol, truth


@pytest.mark.parametrize(("share", "factor", "ratio", "horizon"), [(0.0, 1.0, 1.0, 5), (0.4, 1.5, 2.0, 21), (1.0, 0.7, 3.0, 63)])
def test_volatility_fit_finds_the_law_that_made_the_errors(share, factor, ratio, horizon):
    errors, vol, truth = returns_with(share, factor, ratio, horizon)
    got = fit_horizon_scale(errors, vol, horizon)
    assert got.share == pytest.approx(truth.share, abs=FADE_GRID[1] + 1e-12)  # neighbours on the grid are close in likelihood
    assert got.tail_ratio == pytest.approx(truth.tail_ratio, abs=0.5)
    assert got.factor == pytest.approx(truth.factor, rel=0.1)
    assert np.mean((errors / got.sd(vol, horizon)) ** 2) == pytest.approx(1.0, abs=1e-12)


def test_volatility_of_a_horizon_is_todays_fading_to_the_long_run_one():
    scale = HorizonScale(share=0.25, long_run=0.04, factor=2.0, tail_ratio=1.0)
    # 10 sessions * 2 * (.25 * .16 + .75 * .04)
    assert scale.sd(np.array([0.4]), 10)[0] == pytest.approx(np.sqrt(10 * 2 * (0.25 * 0.16 + 0.75 * 0.04)))
    assert HorizonScale(0.0, 0.04, 1.0, 1.0).sd(np.array([9.0]), 4)[0] == pytest.approx(0.4)


def test_crps_loads_no_compiler():
    """The library would compile on import what is not called here, seconds in every process."""
    code = (
        "import sys, numpy as np; from models.distribution import NormalMixture; from models.scores import crps; "
        "print(crps(np.zeros(1), NormalMixture(np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1))))[0], 'numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    score, compiler = done.stdout.split()
    assert float(score) == pytest.approx(0.233695, abs=1e-6)  # of N(0, 1) at 0: (sqrt(2) - 1) / sqrt(pi)
    assert compiler == "False"
