"""Refits on resampled history: the resampling itself, the range it gives, and the worlds it must not name."""

import numpy as np
import pandas as pd
import pytest

from models.bootstrap import bootstrap_refits, stationary_blocks
from models.ensemble import RANGE, Ensemble, probability_range
from models.identity import MIN_ORDER_PROB, order_probability
from models.inference import HMMParams, forward_filter
from models.regime import RegimeHMM
from models.regime_fit import HMMSettings, fit_regime_hmm
from sources.simulated.regimes import unit_t
from tests.models.worlds import frame_of, random_params, two_state_returns, with_gaps

SETTINGS = HMMSettings(n_components=2, kappa=100.0, n_init=2, n_iter=100, tol=1e-3, score_column="ret")


def fitted(returns: np.ndarray) -> tuple[RegimeHMM, pd.DataFrame]:
    frame = frame_of(returns, ("ret",))
    return fit_regime_hmm(frame, ("ret",), SETTINGS, np.random.default_rng(0)), frame


def named(returns: np.ndarray, n_refits: int) -> bool:
    """Whether a world's states get their names, as a study decides it."""
    model, frame = fitted(returns)
    apart = model.identity.identified  # without the bootstrap's word
    order_prob = bootstrap_refits(model, frame, SETTINGS, n_refits, np.random.default_rng(1))[1]
    return apart and order_prob >= MIN_ORDER_PROB


def garch(n_obs: int, rng: np.random.Generator) -> np.ndarray:
    """Volatility that moves without regimes: GARCH(1,1) with .08 and .90, sd .012."""
    out, variance = np.empty(n_obs), 0.012**2
    for t, shock in enumerate(rng.standard_normal(n_obs)):
        out[t] = np.sqrt(variance) * shock
        variance = 0.02 * 0.012**2 + 0.90 * variance + 0.08 * out[t] ** 2
    return out[:, None]


@pytest.mark.parametrize(("n_obs", "mean_block"), [(1, 63), (50, 63), (1000, 63), (1000, 1)])
def test_blocks_fill_the_sample_with_contiguous_rows(n_obs, mean_block):
    rows, lengths = stationary_blocks(n_obs, mean_block, np.random.default_rng(0))
    assert len(rows) == n_obs
    assert lengths.sum() == n_obs
    assert lengths.min() >= 1
    assert rows.min() >= 0
    assert rows.max() < n_obs
    for block in np.split(rows, np.cumsum(lengths)[:-1]):
        np.testing.assert_array_equal(block, (block[0] + np.arange(len(block))) % n_obs)


def test_blocks_have_geometric_lengths_and_draw_every_row_alike():
    rng = np.random.default_rng(1)
    counts, lengths = np.zeros(500), []
    for _ in range(400):
        rows, drawn = stationary_blocks(500, 20, rng)
        counts += np.bincount(rows, minlength=500)
        lengths.append(drawn[:-1])  # the last one is cut to fit
    lengths = np.concatenate(lengths)
    # some 9,600 draws of mean 20 and sd 19.5: standard error .2; blocks that end within the sample are a little shorter than all
    assert lengths.mean() == pytest.approx(20, abs=1.2)
    assert (lengths == 1).mean() == pytest.approx(1 / 20, abs=0.01)
    # each row 400 times on average; blocks of 20 make the variance of a count about 40 times a Poisson's at most
    assert counts.mean() == 400
    assert np.abs(counts - 400).max() < 400
    assert counts.min() > 200


def test_refits_keep_the_models_states_and_scatter_about_its_parameters():
    model, frame = fitted(two_state_returns(1500, 3)[1])
    ensemble, order_prob = bootstrap_refits(model, frame, SETTINGS, 12, np.random.default_rng(1))
    arrays = ensemble.arrays()
    means, variances = arrays["means"], np.diagonal(arrays["scales"], axis1=2, axis2=3)
    assert arrays["start"].shape == (12, 2)
    assert arrays["trans"].shape == (12, 2, 2)
    np.testing.assert_allclose(arrays["trans"].sum(axis=2), 1.0, atol=1e-12)
    assert (variances[:, 0, 0] < variances[:, 1, 0]).all()
    # the mean of 12 standard deviations, each known to some 5%
    np.testing.assert_allclose(np.sqrt(variances).mean(axis=0), np.sqrt(model.params.variances), rtol=0.1)
    scores = (means[:, :, 0] * model.scale + model.center) / (np.sqrt(variances[:, :, 0]) * model.scale)
    assert order_prob == order_probability(scores)


def test_refits_are_repeatable():
    model, frame = fitted(two_state_returns(800, 3)[1])
    one, other = (bootstrap_refits(model, frame, SETTINGS, 3, np.random.default_rng(9))[0] for _ in range(2))
    np.testing.assert_array_equal(one.arrays()["means"], other.arrays()["means"])


def ensemble_of(seed: int, n_models: int = 5, n_states: int = 3, n_features: int = 2) -> tuple[Ensemble, list, np.random.Generator]:
    rng = np.random.default_rng(seed)
    models = [random_params(rng, n_states, n_features) for _ in range(n_models)]
    return Ensemble(tuple(models)), models, rng


def test_ensemble_filters_like_each_of_its_models_alone():
    ensemble, models, rng = ensemble_of(0)
    X = with_gaps(2.0 * rng.normal(size=(60, 2)), rng)
    X[10] = np.nan
    got = ensemble.filter_proba(X)
    for i, params in enumerate(models):
        np.testing.assert_allclose(got[:, i], forward_filter(X, params).probs, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(ensemble.filter_proba(X[25:], last=got[24]), got[25:])


def test_ensemble_ignores_a_state_that_cannot_be():
    apart = Ensemble((HMMParams(np.array([1.0, 0.0]), np.eye(2), np.array([[0.0], [90.0]]), np.ones((2, 1))),) * 2)
    np.testing.assert_array_equal(apart.filter_proba(np.array([[90.0], [1.0]])), np.tile([1.0, 0.0], (2, 2, 1)))


def test_range_is_the_quantiles_of_the_first_state():
    probs = np.stack([np.linspace(0, 1, 11), 1 - np.linspace(0, 1, 11)], axis=1)[None]
    low, high = probability_range(probs)
    assert (low.tolist(), high.tolist()) == ([pytest.approx(RANGE[0])], [pytest.approx(RANGE[1])])


@pytest.mark.slow
def test_worlds_without_a_difference_stay_unidentified_and_clear_ones_are_named():
    """METHODS A13 wants a tenth of the former named at most, and clear ones nearly always; counts of 12 at .10 reach 3 once in nine times.

    Regimes that differ in mean alone are no world without a difference, but no filter recovers them (METHODS 2.1): of 12 such worlds
    5 were named on the daily return alone, so the target of A13 is not met there. The line at half of them holds it from getting worse.
    """
    n_worlds, n_refits = 12, 40
    draws = {
        "one state": lambda s: two_state_returns(2500, s, sigmas=(0.013, 0.013), means=(0.0005, 0.0005))[1],
        "i.i.d. t4": lambda s: 0.0003 + 0.012 * unit_t(np.random.default_rng(s), 4.0, (2500, 1)),
        "GARCH": lambda s: 0.0003 + garch(2500, np.random.default_rng(s)),
        "mean only": lambda s: two_state_returns(2500, s, sigmas=(0.013, 0.013), means=(0.001, -0.001))[1],
        "clear": lambda s: two_state_returns(2500, s)[1],
    }
    counts = {name: sum(named(draw(seed), n_refits) for seed in range(n_worlds)) for name, draw in draws.items()}
    print(f"worlds named, of {n_worlds}: {counts}")  # noqa: T201
    assert all(counts[name] <= 3 for name in ("one state", "i.i.d. t4", "GARCH")), counts
    assert counts["mean only"] <= n_worlds // 2, counts
    assert counts["clear"] >= 11, counts
