"""Whether states foretell a column better than one state does."""

import numpy as np
import pytest
from scipy.stats import norm, t

from models.hmm import fit_hmm
from models.inference import HMMParams, forward_filter, predict_next
from models.one_state import gain_z, one_state_density, predicted_density
from models.starts import sticky_start
from sources.simulated.regimes import unit_t
from tests.models.worlds import random_params, two_state_returns


def test_predicted_density_equals_a_plain_loop():
    rng = np.random.default_rng(0)
    params, X, lengths = random_params(rng, 3, 2), rng.normal(size=(30, 2)), np.array([12, 18])
    got = predicted_density(X, params, 1, lengths)
    expected = []
    for part in np.split(X, [12]):
        for n in range(len(part)):
            belief = params.start if n == 0 else predict_next(forward_filter(part[:n], params).probs[-1], params.trans)
            expected.append(np.log(belief @ norm.pdf(part[n, 1], params.means[:, 1], np.sqrt(params.variances[:, 1]))))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)


def test_of_one_column_it_is_the_log_score_of_the_filter():
    _, X, truth = two_state_returns(300, 1)
    np.testing.assert_allclose(predicted_density(X, truth, 0), forward_filter(X, truth).log_next, rtol=0, atol=1e-10)


def test_a_row_has_no_part_in_its_own_prediction():
    rng = np.random.default_rng(2)
    params, X = random_params(rng, 2, 2), rng.normal(size=(40, 2))
    later = X.copy()
    later[20:, 0] += 3.0  # the column that is foretold stays
    np.testing.assert_array_equal(predicted_density(later, params, 1)[:21], predicted_density(X, params, 1)[:21])
    assert (predicted_density(later, params, 1)[21:] != predicted_density(X, params, 1)[21:]).all()


@pytest.mark.parametrize("dof", [3.5, 6.0])
def test_one_state_is_as_likely_as_scipys_student_t(dof):
    x = unit_t(np.random.default_rng(3), dof, 3000)
    found = t.logpdf(x, *t.fit(x, dof)).sum()
    assert one_state_density(x).sum() == pytest.approx(found, abs=0.5)  # ours has priors: it may lack a little


def test_one_state_of_normal_rows_is_the_normal_law():
    x = np.random.default_rng(4).normal(0.1, 2.0, 3000)
    # variance under the prior of five rows at the pooled variance is the pooled variance
    np.testing.assert_allclose(one_state_density(x), norm.logpdf(x, x.mean(), x.std()), rtol=0, atol=1e-6)


def test_regimes_gain_surely_and_tails_and_noise_do_not():
    draws = {"clear": two_state_returns(3000, 5)[1], "t": unit_t(np.random.default_rng(5), 4.0, (3000, 1))}
    draws["noise"] = np.random.default_rng(5).normal(size=(3000, 1))
    gains = {}
    for name, X in draws.items():
        X = (X - X.mean()) / X.std()
        gains[name] = gain_z(X, fit_hmm(X, 2, kappa=100.0, starts=[sticky_start(2, X)], n_iter=200, tol=1e-3).params, 0)
    assert gains["clear"] > 5
    assert gains["t"] < 0
    assert abs(gains["noise"]) < 1.6


def test_a_state_made_of_the_past_of_the_column_gains_nothing():
    """Columns of i.i.d. returns' own past: states hold the returns apart in their own rows, and foretell none of them."""
    r = np.random.default_rng(6).normal(size=3300)
    trends = [np.convolve(r, np.ones(window), "valid")[-3000:] / np.sqrt(window) for window in (21, 63, 200)]
    X = np.column_stack([r[-3000:], *trends])
    params = fit_hmm(X, 2, kappa=100.0, starts=[sticky_start(2, X)], n_iter=200, tol=1e-3).params
    assert np.ptp(params.means[:, 0]) / np.sqrt(4.0 / 3000) > 3.0  # standard errors of a difference of two halves: looks sure
    assert gain_z(X, params, 0) < 0


def test_states_that_are_one_and_the_same_pay_for_their_parameters():
    x = np.random.default_rng(7).normal(size=(500, 1))
    twice = HMMParams(np.full(2, 0.5), np.full((2, 2), 0.5), np.tile(x.mean(axis=0), (2, 1)), np.tile(x.var(axis=0), (2, 1)))
    assert gain_z(x, twice, 0) < -10
