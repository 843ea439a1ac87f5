"""Regimes of explicit duration, as a series of sub-states: what the comparison of tests/recovery/durations.py stands on."""

import numpy as np
import pytest
from scipy.stats import nbinom

from models.em import climb, data_prior
from models.engine.filtering import filter_history
from models.starts import sticky_start
from tests.models.worlds import enumerate_paths, random_params, two_state_returns
from tests.recovery.durations import KAPPA, by_regime, dwelling_returns, expand_durations, fit_durations


@pytest.mark.parametrize("stages", [1, 2, 4])
def test_dwell_is_negative_binomial_of_unchanged_mean(stages):
    """Days until the chain has left the regime's sub-states, by powers of their block, against scipy's law."""
    params = two_state_returns(10, 0)[2]
    block = expand_durations(params, (stages, 3)).trans[:stages, :stages]
    survival = [1.0]
    belief = np.eye(stages)[0]
    for _ in range(3000):
        belief = belief @ block
        survival.append(belief.sum())
    lasts = -np.diff(survival)
    days = np.arange(1, 3001)
    np.testing.assert_allclose(lasts, nbinom.pmf(days - stages, stages, stages * 0.01), atol=1e-12)
    assert (days * lasts).sum() == pytest.approx(100.0, rel=1e-6)


def test_one_stage_is_the_plain_model():
    params = random_params(np.random.default_rng(0), 3, 2)
    X = np.random.default_rng(1).normal(size=(100, 2))
    expanded = expand_durations(params, (1, 1, 1))
    np.testing.assert_allclose(expanded.trans, params.trans, atol=1e-15)
    np.testing.assert_allclose(filter_history(X, expanded).probs, filter_history(X, params).probs, atol=1e-13)


def test_filter_of_sub_states_is_that_of_all_paths():
    params = two_state_returns(10, 0)[2]
    X = np.random.default_rng(2).normal(scale=0.015, size=(7, 1))
    expanded = expand_durations(params, (2, 1))
    filtered, (last, log_lik) = filter_history(X, expanded), enumerate_paths(X, expanded)
    assert filtered.log_lik == pytest.approx(log_lik, abs=1e-10)
    np.testing.assert_allclose(by_regime(filtered.probs, (2, 1))[-1], [last[:2].sum(), last[2]], atol=1e-10)


def test_fit_of_one_stage_is_that_of_the_plain_model():
    X = two_state_returns(1500, 3)[1]
    begin, prior = sticky_start(2, X), data_prior(X, 2, KAPPA)
    plain = climb(X, begin, prior, n_iter=40, tol=0.0)
    explicit = fit_durations(X, begin, prior, (1, 1), n_iter=40, tol=-np.inf)
    assert explicit.log_lik == pytest.approx(plain.log_lik[-1], abs=1e-7)
    np.testing.assert_allclose(explicit.params.trans, plain.params.trans, rtol=1e-7)
    np.testing.assert_allclose(explicit.params.means, plain.params.means, rtol=1e-6)


def test_fit_of_stages_finds_the_mean_dwell():
    """60,000 days hold 450 visits: the mean dwell has a standard error of 2.4% here, 10% are allowed; no prior of staying."""
    _, X, truth = dwelling_returns(60_000, 5, "negative binomial", 4)
    fit = fit_durations(X, truth, data_prior(X, 2), (4, 4), n_iter=30)
    dwell = 4.0 / (1.0 - np.diag(fit.params.trans))[[0, 4]]
    np.testing.assert_allclose(dwell, [100.0, 100.0 / 3.0], rtol=0.1)
    assert fit.log_lik > filter_history(X, truth).log_lik + 100.0
