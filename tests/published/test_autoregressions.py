"""Published Markov-switching autoregressions, by our filter and smoother on the histories of states that they need.

Numbers: EViews and Stata, as they stand in statsmodels' own tests (which ship the data). statsmodels computes nothing here.
"""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from models.inference import expected_dwell
from models.transitions import transition_matrices
from tests.published.chains import autoregression, two_states
from tests.published.data import lists_of, table_of

PUBLISHED = lists_of("test_markov_autoregression")

RGNP, NBER = PUBLISHED["rgnp"], PUBLISHED["rec"]

PRINTED = 1e-5
"""Probabilities are printed to six digits, from parameters printed to six or seven."""


def hamilton_ar4():
    phi = np.tile([0.013486, -0.057521, -0.246983, -0.212923], (2, 1))
    variances = np.full(2, np.exp(-0.262658) ** 2)
    return autoregression(RGNP, np.array([-0.358811, 1.163516]), phi, variances, two_states(0.754673, 0.095915))


def test_hamilton_1989_log_likelihood():
    assert hamilton_ar4().log_lik == pytest.approx(-181.26339, abs=1e-4)


def test_hamilton_1989_probabilities():
    chain = hamilton_ar4()
    np.testing.assert_allclose(chain.filtered(2)[:, 1], PUBLISHED["hamilton_ar4_filtered"], atol=PRINTED)
    np.testing.assert_allclose(chain.smoothed(2)[:, 1], PUBLISHED["hamilton_ar4_smoothed"], atol=PRINTED)


def test_hamilton_1989_durations():
    np.testing.assert_allclose(expected_dwell(two_states(0.754673, 0.095915)), [4.08, 10.43], atol=0.005)


def test_hamilton_1989_recessions_are_those_of_the_nber():
    agrees = (hamilton_ar4().smoothed(2)[:, 0] > 0.5) == (NBER[4:] == 1)
    assert agrees.mean() == pytest.approx(0.916, abs=0.01)


def switching_ar2(numbers):
    p00, p10, low, high, variance, *phi = numbers
    by_regime = np.array(phi).reshape(2, 2).T
    return autoregression(RGNP, np.array([low, high]), by_regime, np.full(2, variance), two_states(p00, p10))


STATA_AR2 = (0.3812383, 0.3564492, -0.0055216, 1.195482, 0.6677098**2, 0.3710719, 0.4621503, 0.7002937, -0.3206652)


def test_switching_ar2_of_stata():
    chain, table = switching_ar2(STATA_AR2), table_of("results_predict_rgnp").iloc[3:]
    assert chain.log_lik == pytest.approx(-179.32354, abs=1e-4)
    n = len(table)
    np.testing.assert_allclose(chain.filtered(2)[-n:], table[["switchar2_f1", "switchar2_f2"]], atol=PRINTED)
    np.testing.assert_allclose(chain.smoothed(2)[-n:], table[["switchar2_sm1", "switchar2_sm2"]], atol=PRINTED)


def climbed(log_lik_of, begin):
    """Highest log-likelihood that our filter's surface leads to from `begin`."""
    return -float(minimize(lambda free: -log_lik_of(free), begin, method="BFGS", options={"maxiter": 300}).fun)


def test_switching_ar2_fitted_needs_more_than_one_start():
    """Stata's maximum is found from one start, and from another nothing better than a worse one (statsmodels' own fit: -179.38684)."""

    def log_lik(free):
        return switching_ar2((*expit(free[:2]), free[2], free[3], np.exp(2.0 * free[4]), *free[5:])).compiled_log_lik

    calm = np.array([1.0, -1.0, 0.0, 1.0, -0.3, 0.2, 0.2, 0.2, 0.2])
    spread = np.array([1.0, 1.0, 0.5, 0.5, 0.2, 0.3, 0.3, 0.3, 0.3])
    starts = [calm + spread * np.random.default_rng(seed).normal(size=9) for seed in (2, 3)]
    good, bad = (climbed(log_lik, start) for start in starts)
    assert good == pytest.approx(-179.32354, abs=1e-4)
    assert bad < good - 1.0


def test_switching_ar1_of_eviews():
    trans = two_states(0.85472458, 0.53662099)
    phi, variances = np.array([[0.243128], [0.713029]]), np.full(2, np.exp(-0.231404) ** 2)
    chain = autoregression(RGNP, np.array([1.041419, -0.479157]), phi, variances, trans)
    assert chain.log_lik == pytest.approx(-186.7575, abs=1e-4)
    np.testing.assert_allclose(chain.filtered(2)[:, 0], PUBLISHED["hamilton_ar1_switch_filtered"], atol=PRINTED)
    np.testing.assert_allclose(chain.smoothed(2)[:, 0], PUBLISHED["hamilton_ar1_switch_smoothed"], atol=PRINTED)
    np.testing.assert_allclose(expected_dwell(trans), [6.883477, 1.863513], atol=1e-5)


def moving(into_zero, z):
    """Matrices from published logits of moving to state 0, (2, 1 + n_covariates) by origin: ours are those of leaving."""
    (stay, come) = np.asarray(into_zero)
    return transition_matrices(np.array([[0.0 * stay, -stay], [come, 0.0 * come]]), z)


def nber_driven(numbers):
    """MS-AR(1) whose transitions are driven by the NBER's recessions; the dummy of t leads into t."""
    stay0, come0, stay1, come1, low, high, log_sd, *phi = numbers
    trans = moving([[stay0, stay1], [come0, come1]], NBER[:, None].astype(float))
    return autoregression(RGNP, np.array([low, high]), np.array(phi)[:, None], np.full(2, np.exp(2.0 * log_sd)), trans)


EVIEWS_NBER = (6.564923, 7.846371, -8.064123, -15.37636, 1.027190, -0.719760, -0.217003, 0.161489, 0.022536)


def test_nber_driven_transitions_of_eviews():
    chain = nber_driven(EVIEWS_NBER)
    assert chain.log_lik == pytest.approx(-163.914049, abs=1e-4)
    assert chain.compiled_log_lik == pytest.approx(chain.log_lik, rel=1e-12)
    np.testing.assert_allclose(chain.filtered(2)[:, 0], PUBLISHED["hamilton_ar1_switch_tvtp_filtered"], atol=PRINTED)
    np.testing.assert_allclose(chain.smoothed(2)[:, 0], PUBLISHED["hamilton_ar1_switch_tvtp_smoothed"], atol=PRINTED)
    leave = expected_dwell(moving([[6.564923, -8.064123], [7.846371, -15.37636]], NBER[1:, None].astype(float))[0])
    np.testing.assert_allclose(leave, PUBLISHED["expected_durations"][0], rtol=1e-5)


def test_nber_driven_transitions_fitted_pass_the_values_of_eviews():
    """EViews stopped at -163.914049; climbed on, the likelihood reaches -161.786477 while two logits run off to infinity."""
    begin = np.array([2.0, -1.0, 0.0, 0.0, 1.0, -0.5, -0.2, 0.2, 0.2])
    begin = begin + np.array([1, 1, 1, 1, 0.3, 0.3, 0.1, 0.2, 0.2]) * np.random.default_rng(2).normal(size=9)
    assert climbed(lambda free: nber_driven(free).compiled_log_lik, begin) == pytest.approx(-161.786477, abs=1e-4)


def test_filardo_1994():
    table = table_of("mar_filardo")
    trans = moving([[4.35941747, 1.7702123], [-1.6493936, 0.9945672]], table[["dmdlleading"]].to_numpy()[:-1])
    phi = np.tile([0.189474, 0.079344, 0.110944, 0.122251], (2, 1))
    y, variances = table["dlip"].to_numpy()[1:], np.full(2, np.exp(-0.362469) ** 2)
    chain = autoregression(y, np.array([0.517298, -0.865888]), phi, variances, trans)
    assert chain.log_lik == pytest.approx(-586.5718, abs=1e-4)
    np.testing.assert_allclose(chain.filtered(2)[:, 0], table["filtered_0"].iloc[5:], atol=PRINTED)
    np.testing.assert_allclose(chain.smoothed(2)[:, 0], table["smoothed_0"].iloc[5:], atol=PRINTED)
    dwell = 1.0 / (1.0 - trans[4:, [0, 1], [0, 1]])
    np.testing.assert_allclose(dwell, table[["duration0", "duration1"]].iloc[5:], rtol=1e-5)
