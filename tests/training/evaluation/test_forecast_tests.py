"""Clark-West, Diebold-Mariano, Giacomini-White: against loops and regressions of another library, size and power in worlds."""

import numpy as np
import pytest
from scipy.stats import chi2, ttest_1samp

from tests.training.evaluation.worlds import predicted_worlds
from training.evaluation.forecast_tests import adjusted_gain, clark_west, giacomini_white, smaller_loss
from training.evaluation.offsets import MIN_ROWS, cauchy_combined, mean_over_offsets
from training.evaluation.overlap import mean_of

EXACT = 1e-8


@pytest.mark.parametrize("horizon", [1, 5, 21])
def test_clark_west_equals_a_loop(horizon):
    y, baseline, forecast = np.random.default_rng(horizon).normal(size=(3, 1000))
    f = [(o - b) ** 2 - ((o - m) ** 2 - (b - m) ** 2) for o, b, m in zip(y, baseline, forecast, strict=True)]
    each = [ttest_1samp(f[first::horizon], 0.0, alternative="greater") for first in range(horizon)]
    got = clark_west(y, baseline, forecast, horizon)
    assert got.t == pytest.approx(np.mean([e.statistic for e in each]), rel=EXACT)
    assert got.p == pytest.approx(cauchy_combined(np.array([e.pvalue for e in each])), rel=EXACT)
    assert got.n == 1000 // horizon


def test_clark_west_of_one_session_is_the_published_regression():
    """Clark and West (2007, p. 294): regress f on a constant and use the t-statistic."""
    import statsmodels.api as sm

    y, baseline, forecast = np.random.default_rng(0).normal(size=(3, 500))
    fitted = sm.OLS(adjusted_gain(y, baseline, forecast), np.ones(500)).fit()
    assert clark_west(y, baseline, forecast, 1).t == pytest.approx(fitted.tvalues[0], rel=EXACT)


def test_diebold_mariano_is_the_mean_of_loss_differences():
    one, other = np.random.default_rng(1).gamma(2.0, size=(2, 900))
    assert smaller_loss(one, other, 5) == mean_over_offsets(one - other, 5)


@pytest.mark.parametrize("horizon", [1, 5])
def test_giacomini_white_equals_a_regression_of_one_on_instruments(horizon):
    """n times the uncentred R2 of 1 on instrument times loss difference (their note 5), in another library."""
    import statsmodels.api as sm

    one, other = np.random.default_rng(horizon).gamma(2.0, size=(2, 503))
    gain, statistics = one - other, []
    for first in range(horizon):
        part = gain[first::horizon]
        z = np.array([[part[k], part[k - 1] * part[k]] for k in range(1, len(part))])
        statistics.append(len(z) * sm.OLS(np.ones(len(z)), z).fit().rsquared)
    got = giacomini_white(one, other, horizon)
    assert got.statistic == pytest.approx(np.mean(statistics), rel=EXACT)
    assert got.p == pytest.approx(cauchy_combined(chi2.sf(statistics, 2)), rel=EXACT)


def test_giacomini_white_finds_what_the_mean_hides_and_keeps_its_level():
    """Losses that differ by turns: equal on average, and yet one knows in advance which is smaller."""
    rng = np.random.default_rng(0)
    white = [giacomini_white(gain, np.zeros(1500), 5).p <= 0.05 for gain in rng.normal(size=(400, 1500))]
    assert 0.02 <= np.mean(white) <= 0.085
    state = np.repeat(np.where(np.arange(60) % 2, 1.0, -1.0), 25)
    turns = 0.8 * state + rng.normal(size=1500)
    assert giacomini_white(turns, np.zeros(1500), 5).p < 0.001
    assert smaller_loss(turns, np.zeros(1500), 5).p > 0.05


def test_what_cannot_be_tested_is_refused():
    short = np.random.default_rng(0).normal(size=(3, MIN_ROWS * 21 - 1))
    assert np.isnan(clark_west(*short, 21).p)
    assert np.isnan(smaller_loss(short[0], short[1], 21).p)
    assert np.isnan(giacomini_white(short[0], short[1], 21).p)
    assert giacomini_white(short[0], short[0], 5).p == clark_west(short[0], short[1], short[1], 5).p == 1.0


@pytest.mark.parametrize("horizon", [5, 21])
def test_clark_west_keeps_its_level_on_overlapping_targets(horizon):
    """METHODS A6: at most .085 at nominal .05 (standard error .011 with 400 worlds); a t-test that takes rows for independent fails it."""
    worlds = predicted_worlds(horizon, 400, 0.0)
    assert np.mean([clark_west(*world, horizon).p <= 0.05 for world in worlds]) <= 0.085
    naive = [adjusted_gain(*world) for world in worlds]
    assert np.mean([f.mean() / (f.std() / np.sqrt(len(f))) > 1.645 for f in naive]) > 0.12  # the negative control


@pytest.mark.parametrize(("horizon", "least"), [(5, 0.9), (21, 0.85)])
def test_clark_west_finds_an_effect_that_is_there(horizon, least):
    """A slope of .1 standard deviations a session on a persistent predictor: some 4% of the variance over 5 sessions."""
    assert np.mean([clark_west(*world, horizon).p <= 0.05 for world in predicted_worlds(horizon, 100, 0.1)]) >= least


@pytest.mark.slow
def test_rows_that_do_not_overlap_keep_their_level_and_lose_no_power():
    """METHODS A5, A6: 400 worlds, h = 5, 21, 63, 1 and 5 predictors; beside it the cosines of `training.evaluation.overlap`."""
    sizes, gained = [], []
    for effect in (0.0, 0.05, 0.1):
        for k in (1, 5):
            for horizon in (5, 21, 63):
                worlds = predicted_worlds(horizon, 400, effect, k, n_obs=2500 if horizon < 63 else 3000)
                own = np.mean([clark_west(*world, horizon).p <= 0.05 for world in worlds])
                cosines = np.mean([mean_of(adjusted_gain(*world), horizon).p <= 0.05 for world in worlds])
                print(f"effect {effect}, k = {k}, h = {horizon}, n = {worlds.y.shape[1] // horizon}: {own:.3f}, cosines {cosines:.3f}")  # noqa: T201
                (sizes if effect == 0.0 else gained).append((own, cosines))
    assert max(max(pair) for pair in sizes) <= 0.085
    assert min(own for own, _ in sizes) >= 0.02
    assert np.mean([own - cosines for own, cosines in gained]) >= 0.0
