"""Refits on resampled history: the resampling itself, the range it gives, and the worlds it must not name."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.average import RANGE, quantile_range
from models.bootstrap import bootstrap_refits, stationary_blocks, weigh_names
from models.ensemble import Ensemble
from models.identity import order_probability
from models.inference import HMMParams, forward_filter
from models.one_state import gain_z
from models.regime import RegimeHMM
from models.regime_fit import HMMSettings, fit_regime_hmm
from tests.models.worlds import frame_of, random_params, two_state_returns, with_gaps

SETTINGS = HMMSettings(n_components=2, kappa=100.0, n_init=2, n_iter=100, tol=1e-3, score_column="ret")


def fitted(returns: np.ndarray) -> tuple[RegimeHMM, pd.DataFrame]:
    frame = frame_of(returns, ("ret",))
    return fit_regime_hmm(frame, ("ret",), SETTINGS, np.random.default_rng(0)), frame


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
    low, high = quantile_range(probs)
    assert (low.tolist(), high.tolist()) == ([pytest.approx(RANGE[0])], [pytest.approx(RANGE[1])])


def test_names_are_weighed_by_resampling_and_by_what_the_states_foretell():
    model, frame = fitted(two_state_returns(1500, 3)[1])
    ensemble, identity = weigh_names(model, frame, SETTINGS, 6, np.random.default_rng(1))
    alone, order_prob = bootstrap_refits(model, frame, SETTINGS, 6, np.random.default_rng(1))
    np.testing.assert_array_equal(ensemble.arrays()["means"], alone.arrays()["means"])
    assert identity.order_prob == order_prob
    assert identity.gain_z == gain_z(model.standardise(frame), model.params, 0)
    assert identity.scores == model.identity.scores


def test_refits_leave_states_that_the_rows_do_not_support():
    """From a model's own parameters alone EM stays near a poor optimum; the cold start finds the better one."""
    model, frame = fitted(two_state_returns(1500, 3)[1])
    poor = replace(model, params=HMMParams(np.full(2, 0.5), np.full((2, 2), 0.5), np.array([[0.5], [-0.5]]), np.ones((2, 1))))
    refits = bootstrap_refits(poor, frame, SETTINGS, 4, np.random.default_rng(1))[0].arrays()
    ratio = np.sqrt(refits["scales"].max(axis=(1, 2, 3)) / refits["scales"].min(axis=(1, 2, 3)))
    assert (ratio > 1.5).all()
    assert (refits["trans"][:, [0, 1], [0, 1]] > 0.9).all()
