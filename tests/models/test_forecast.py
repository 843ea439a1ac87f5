"""The ladder of forecasts: nested where a test needs it nested, and each rung what its name says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from models.boosted import Boosted
from models.boosted_fit import LEAF_ROWS
from models.forecast import BASELINES, RUNGS, Inputs, Ladder, Linear
from models.forecast_fit import PRIOR_R2, PRIOR_ROWS, RECENT_ROWS, SD_RATIO_LIMITS, fit_ladder

HORIZON = 5


def made_inputs(n: int, seed: int = 0, n_states: int = 2) -> Inputs:
    rng = np.random.default_rng(seed)
    regime = rng.dirichlet(np.ones(n_states), size=n)
    return Inputs(0.03 * np.exp(0.3 * rng.standard_normal(n)), rng.normal(size=(n, 2)), regime, rng.normal(size=(n, 3)))


def made_ladder(n: int = 800, seed: int = 0, coef: float = 0.0, n_states: int = 2) -> tuple[Ladder, Inputs, np.ndarray]:
    inputs = made_inputs(n, seed, n_states)
    rng = np.random.default_rng(seed + 1)
    y = 0.004 + coef * inputs.features[:, 0] + inputs.vol * np.sqrt(HORIZON) * rng.standard_normal(n)
    return fit_ladder(y, inputs, HORIZON), inputs, y


def test_no_drift_forecasts_nothing_and_the_mean_the_training_mean():
    ladder, inputs, y = made_ladder()
    np.testing.assert_array_equal(ladder.predict("B0", inputs).mean(), 0.0)
    np.testing.assert_allclose(ladder.predict("M0", inputs).mean(), y.mean(), rtol=1e-14)


def test_other_baselines_are_half_the_mean_and_the_mean_of_the_newest_rows():
    ladder, inputs, y = made_ladder(RECENT_ROWS + 500)
    np.testing.assert_allclose(ladder.predict("B1", inputs).mean(), y.mean() / 2, rtol=1e-14)
    np.testing.assert_allclose(ladder.predict("B2", inputs).mean(), y[500:].mean(), rtol=1e-12)
    short, inputs, y = made_ladder(300)
    np.testing.assert_allclose(short.predict("B2", inputs).mean(), y.mean(), rtol=1e-12)


def test_truncated_ridge_is_the_ridge_where_that_is_above_zero_and_else_zero():
    ladder, inputs, _ = made_ladder(coef=0.02)
    free, truncated = ladder.predict("M4", inputs).mean(), ladder.predict("M4+", inputs).mean()
    assert 0.1 < (free < 0).mean() < 0.9
    np.testing.assert_array_equal(truncated, [max(each, 0.0) for each in free])


def test_combination_is_the_average_of_ridges_on_one_column_each():
    """By scikit-learn, a column at a time, at the penalty of one column."""
    ladder, inputs, y = made_ladder(coef=0.02)
    sd = ladder.scale.sd(inputs.vol, HORIZON)
    weight = 1.0 / (HORIZON * (sd / sd.mean()) ** 2)
    forecasts = []
    for x in [*inputs.momentum.T, *inputs.features.T]:
        z = ((x - x.mean()) / x.std())[:, None]
        ridge = Ridge(alpha=1 / PRIOR_R2, fit_intercept=False).fit(z, y - y.mean(), sample_weight=weight)
        forecasts.append(y.mean() + ridge.predict(z))
    np.testing.assert_allclose(ladder.predict("M7", inputs).mean(), np.mean(forecasts, axis=0), rtol=0, atol=1e-12)


def test_trees_find_a_step_that_the_ridge_cannot_and_stay_small_on_noise():
    rng, n = np.random.default_rng(4), 6000
    inputs = replace(made_inputs(n), vol=np.full(n, 0.03))
    noise = 0.03 * np.sqrt(HORIZON) * rng.standard_normal(n)
    step = np.where(np.abs(inputs.features[:, 1]) > 1, 0.04, -0.02)
    told, idle = (fit_ladder(y, inputs, HORIZON) for y in (step + noise, noise))
    explained = [np.corrcoef(told.predict(rung, inputs).mean(), step)[0, 1] for rung in ("M5", "M4")]
    assert explained[0] > 0.8
    assert abs(explained[1]) < 0.3
    assert idle.predict("M5", inputs).mean().std() < 0.1 * noise.std()


def test_too_few_rows_for_two_leaves_give_the_mean_exactly():
    ladder, inputs, _ = made_ladder(2 * LEAF_ROWS * HORIZON - 1, coef=0.05)
    assert ladder.trees == Boosted()
    np.testing.assert_array_equal(ladder.predict("M5", inputs).mean(), ladder.predict("M0", inputs).mean())


def test_every_rung_but_the_mixture_has_the_same_spread():
    ladder, inputs, _ = made_ladder(coef=0.02)
    sds = [ladder.predict(rung, inputs).sd() for rung in RUNGS if rung != "M6"]
    for each in sds[1:]:
        np.testing.assert_allclose(each, sds[0], rtol=1e-12)


def test_baselines_are_rungs():
    assert set(BASELINES) < set(RUNGS)


@pytest.mark.parametrize("rung", ["M1", "M3", "M4", "M7"])
def test_line_with_coefficients_of_zero_is_the_mean_exactly(rung):
    """Clark and West (2007) need the baseline nested in the forecast."""
    ladder, inputs, _ = made_ladder(coef=0.02)
    line = ladder.lines[rung]
    flat = replace(ladder, lines={**ladder.lines, rung: replace(line, coef=(0.0,) * len(line.coef))})
    for got, expected in zip(vars(flat.predict(rung, inputs)).values(), vars(flat.predict("M0", inputs)).values(), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_line_is_ridge_in_closed_form():
    """(z'Wz + k / PRIOR_R2)^-1 z'W u, with weights that count independent rows."""
    ladder, inputs, y = made_ladder(coef=0.01)
    sd = ladder.scale.sd(inputs.vol, HORIZON)
    z = (inputs.features - inputs.features.mean(axis=0)) / inputs.features.std(axis=0)
    weight = 1.0 / (HORIZON * (sd / sd.mean()) ** 2)
    gram = z.T @ (weight[:, None] * z) + np.eye(3) * 3 / PRIOR_R2
    expected = np.linalg.solve(gram, z.T @ (weight * (y - y.mean())))
    np.testing.assert_allclose(ladder.lines["M4"].coef, expected, rtol=1e-9)


def test_line_shrinks_towards_the_mean_by_the_independent_rows_it_rests_on():
    few, many = made_ladder(200, coef=0.03)[0], made_ladder(40_000, coef=0.03)[0]
    free = LinearRegression().fit(made_inputs(40_000).features, made_ladder(40_000, coef=0.03)[2])
    assert abs(few.lines["M4"].coef[0]) < 0.35 * abs(free.coef_[0])  # 40 independent rows against a prior worth 150
    assert many.lines["M4"].coef[0] == pytest.approx(free.coef_[0], rel=0.08)


def test_column_without_movement_gets_no_coefficient():
    inputs = made_inputs(500)
    still = replace(inputs, features=np.column_stack([inputs.features[:, 0], np.full(500, 7.0)]))
    ladder = fit_ladder(np.random.default_rng(0).normal(size=500), still, HORIZON)
    assert ladder.lines["M4"].coef[1] == 0.0
    assert np.isfinite(ladder.predict("M4", still).mean()).all()


@pytest.mark.parametrize("n_states", [2, 3])
def test_mean_of_the_mixture_is_weighted_by_the_regimes_probabilities(n_states):
    ladder, inputs, _ = made_ladder(n_states=n_states)
    got = ladder.predict("M6", inputs)
    np.testing.assert_allclose(got.mean(), inputs.regime @ np.array(ladder.regime_means), rtol=1e-12)
    within = (inputs.regime * (ladder.scale.sd(inputs.vol, HORIZON)[:, None] * np.array(ladder.regime_ratios)) ** 2).sum(axis=1)
    between = (inputs.regime * (np.array(ladder.regime_means) - got.mean()[:, None]) ** 2).sum(axis=1)
    np.testing.assert_allclose(got.sd() ** 2, within + between, rtol=1e-12)


def test_regimes_that_do_not_differ_shrink_to_the_mean_and_those_that_do_are_told_apart():
    rng = np.random.default_rng(2)
    n = 20_000
    on = rng.random(n) < 0.5
    inputs = replace(made_inputs(n), regime=np.column_stack([on, ~on]).astype(float), vol=np.full(n, 0.03))
    noise = 0.03 * np.sqrt(HORIZON) * rng.standard_normal(n)
    told = fit_ladder(np.where(on, 0.02, -0.02) + np.where(on, 0.8, 1.2) * noise, inputs, HORIZON)
    # 2,000 independent rows a regime against PRIOR_ROWS at the common mean; standard error of a mean .0006
    shrunk = 0.02 * 2000 / (2000 + PRIOR_ROWS)
    np.testing.assert_allclose(told.regime_means, [shrunk, -shrunk], atol=0.003)
    assert told.regime_ratios[1] / told.regime_ratios[0] == pytest.approx(1.5, rel=0.05)
    same = fit_ladder(0.01 + noise, inputs, HORIZON)
    np.testing.assert_allclose(same.regime_means, 0.01, atol=0.003)
    np.testing.assert_allclose(same.regime_ratios, 1.0, atol=0.03)


def test_regime_that_never_occurred_says_what_the_mean_says():
    inputs = replace(made_inputs(400), regime=np.column_stack([np.ones(400), np.zeros(400)]))
    y = np.random.default_rng(0).normal(0.02, 0.1, size=400)
    ladder = fit_ladder(y, inputs, HORIZON)
    assert ladder.regime_means[1] == pytest.approx(y.mean(), rel=1e-12)
    assert ladder.regime_ratios[1] == pytest.approx(1.0, rel=1e-12)


def test_regime_ratios_stay_within_their_limits():
    n = 5000
    on = np.random.default_rng(0).random(n) < 0.5
    inputs = replace(made_inputs(n), regime=np.column_stack([on, ~on]).astype(float), vol=np.full(n, 0.03))
    wild = fit_ladder(np.where(on, 0.01, 3.0) * np.random.default_rng(1).standard_normal(n), inputs, HORIZON)
    assert wild.regime_ratios[0] == SD_RATIO_LIMITS[0]
    assert max(wild.regime_ratios) <= SD_RATIO_LIMITS[1]


def test_ladder_survives_json_to_the_last_bit():
    ladder, inputs, _ = made_ladder(coef=0.01)
    again = Ladder.from_dict(json.loads(json.dumps(ladder.to_dict(), allow_nan=False)))
    assert again == ladder
    for rung in RUNGS:
        for got, expected in zip(vars(again.predict(rung, inputs)).values(), vars(ladder.predict(rung, inputs)).values(), strict=True):
            np.testing.assert_array_equal(got, expected)


def test_unknown_rung_is_refused_by_name():
    ladder, inputs, _ = made_ladder()
    with pytest.raises(ValueError, match=r"rung 'M9' is unknown; rule: one of B0, B1, B2, M0, M1, M3, M4, M4\+, M5, M6, M7"):
        ladder.predict("M9", inputs)


def test_missing_volatility_leaves_the_row_without_a_forecast():
    ladder, inputs, _ = made_ladder()
    gone = replace(inputs, vol=np.where(np.arange(len(inputs.vol)) == 3, np.nan, inputs.vol))
    for rung in RUNGS:
        assert np.flatnonzero(np.isnan(ladder.predict(rung, gone).sd())).tolist() == [3]


def single_rest(ladder: Ladder, inputs: Inputs, row: int) -> float:
    """M7 on a row of which the second momentum alone is known."""
    line = ladder.lines["M7"]
    return line.intercept + (inputs.momentum[row, 1] - line.center[1]) / line.scale[1] * line.coef[1]


def test_missing_feature_says_nothing_and_missing_momentum_leaves_its_rung_silent():
    ladder, inputs, _ = made_ladder(coef=0.02)
    features, momentum = inputs.features.copy(), inputs.momentum.copy()
    features[4], momentum[4, 0] = np.nan, np.nan
    gone = replace(inputs, features=features, momentum=momentum)
    assert ladder.predict("M4", gone).mean()[4] == ladder.predict("M0", gone).mean()[4]
    assert np.isnan(ladder.predict("M1", gone).mean()[4])
    filled = replace(inputs, features=np.vstack([features[:4], inputs.features.mean(axis=0), features[5:]]))
    assert ladder.predict("M5", gone).mean()[4] == ladder.predict("M5", filled).mean()[4]
    assert ladder.predict("M7", gone).mean()[4] == pytest.approx(single_rest(ladder, inputs, 4), abs=1e-15)
    np.testing.assert_array_equal(np.delete(ladder.predict("M4", gone).mean(), 4), np.delete(ladder.predict("M4", inputs).mean(), 4))


def test_complete_rows_have_every_block():
    inputs = made_inputs(6)
    inputs.vol[0] = inputs.momentum[1, 1] = inputs.regime[2, 0] = inputs.features[3, 2] = np.nan
    assert inputs.complete().tolist() == [False, False, False, False, True, True]
    assert len(inputs[inputs.complete()].vol) == 2


def test_line_is_evaluated_on_its_own_scale():
    line = Linear(intercept=1.0, center=(2.0, 0.0), scale=(4.0, 1.0), coef=(3.0, -1.0))
    assert line(np.array([[10.0, 5.0]])).tolist() == [1.0 + 3.0 * 2.0 - 5.0]
