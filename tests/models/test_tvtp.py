"""Transitions driven by covariates: by enumeration, against the homogeneous model, and in worlds whose coefficients are known."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.base import clone

from models.degenerate import DegenerateFitWarning
from models.em import climb, data_prior
from models.engine.filtering import filter_history
from models.errors import FitError, ScoringError
from models.gaussian_hmm import GaussianHMM
from models.inference import forward_filter
from models.starts import sticky_start
from models.transitions import homogeneous_coefs, log_prior, maximise_coefs, transition_matrices
from models.tvtp import TVTPParams, filter_sequence
from models.tvtp_em import climb_moving
from models.tvtp_hmm import TVTPHMM
from tests.models.driven_worlds import COEFS, covariate, driven_returns, enumerate_driven, random_driven
from tests.models.worlds import random_params, two_state_returns, with_gaps


def with_params(params: TVTPParams, **settings) -> TVTPHMM:
    """A model that is fitted by decree."""
    model = TVTPHMM(params.hmm.n_states, **settings)
    model.params_ = params
    return model


@pytest.mark.parametrize(("n_states", "n_features", "n_obs"), [(2, 1, 8), (2, 3, 6), (3, 2, 6)])
def test_filter_smoother_and_likelihood_are_those_of_all_paths(n_states, n_features, n_obs):
    rng = np.random.default_rng(n_states * 10 + n_features)
    params, X, z = random_driven(rng, n_states, n_features, 2), rng.normal(size=(n_obs, n_features)), rng.normal(size=(n_obs, 2))
    model = with_params(params)
    pairs, log_lik = enumerate_driven(X, z, params)
    assert model.score_next(X, z).sum() == pytest.approx(log_lik, abs=1e-10)
    np.testing.assert_allclose(model.smooth_proba(X, z)[1:], pairs.sum(axis=1), atol=1e-10)
    np.testing.assert_allclose(model.smooth_proba(X, z)[0], pairs[0].sum(axis=1), atol=1e-10)
    for t in range(2, n_obs + 1):  # a filter is the end of a smoother
        np.testing.assert_allclose(model.filter_proba(X, z)[t - 1], enumerate_driven(X[:t], z[:t], params)[0][-1].sum(axis=0), atol=1e-10)


def test_filter_in_numpy_and_compiled_are_one():
    rng = np.random.default_rng(1)
    params, X, z = random_driven(rng, 3, 2, 2), with_gaps(rng.normal(size=(200, 2)), rng), with_gaps(rng.normal(size=(200, 2)), rng)
    got, expected = with_params(params), filter_sequence(X, z, params)
    np.testing.assert_allclose(got.filter_proba(X, z), expected.probs, atol=1e-12)
    np.testing.assert_allclose(got.score_next(X, z), expected.log_next, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_states", [2, 3])
def test_filter_without_slopes_is_that_of_the_homogeneous_model(n_states):
    rng = np.random.default_rng(n_states)
    params, X, z = random_params(rng, n_states, 2), rng.normal(size=(300, 2)), rng.normal(size=(300, 3))
    model = with_params(TVTPParams(params, homogeneous_coefs(params.trans, 3), np.zeros(3), np.ones(3)))
    plain = filter_history(X, params)
    np.testing.assert_allclose(model.filter_proba(X, z), plain.probs, atol=1e-12)
    np.testing.assert_allclose(model.score_next(X, z), plain.log_next, atol=1e-12)
    np.testing.assert_allclose(model.predict_next_proba(X, z), plain.probs @ params.trans, atol=1e-12)


@pytest.mark.parametrize("dof", [np.inf, 8.0])
@pytest.mark.parametrize("covariance_type", ["diag", "tied", "full", "spherical"])
def test_em_without_slopes_is_that_of_the_homogeneous_model(covariance_type, dof):
    rng = np.random.default_rng(3)
    X = with_gaps(np.column_stack([two_state_returns(600, seed)[1] for seed in (0, 1)]), rng, 0.05)
    start, prior = sticky_start(2, X, dof), data_prior(X, 2, 20.0)
    lengths = np.array([250, 350])
    limits = {"covariance_type": covariance_type, "n_iter": 25, "tol": 0.0, "lengths": lengths}
    plain = climb(X, start, prior, **limits)
    flat = homogeneous_coefs(start.trans, 1)
    moving = climb_moving(X, rng.normal(size=(600, 1)), start, flat, prior, ridge=np.inf, **limits)
    np.testing.assert_allclose(moving.log_lik, plain.log_lik, rtol=1e-9)
    np.testing.assert_allclose(moving.objective, plain.objective, rtol=1e-9)
    for name in ("start", "trans", "means", "scales", "dof"):
        np.testing.assert_allclose(
            getattr(moving.params, name), getattr(plain.params, name), rtol=1e-7, atol=1e-10, err_msg=name
        )  # logits end at e^-25


def test_class_without_slopes_is_gaussian_hmm():
    _, X, _ = two_state_returns(800, 5)
    z = np.random.default_rng(0).normal(size=(800, 1))
    model = TVTPHMM(2, ridge=np.inf, stickiness=100.0, tol=1e-9, n_iter=500).fit(X, z)
    plain = GaussianHMM(2, prior="data", init_params="", stickiness=100.0, tol=1e-9, n_iter=500)
    begin = sticky_start(2, X)
    plain.startprob_, plain.transmat_, plain.means_, plain._covars_ = begin.start, begin.trans, begin.means, begin.scales[:, :, 0]
    plain.fit(X)
    np.testing.assert_allclose(model.filter_proba(X, z), plain.filter_proba(X), atol=1e-5)
    assert model.score_next(X, z).sum() == pytest.approx(plain.score(X), abs=1e-5)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 38))
def test_nothing_of_the_future_is_seen(seed, cut):
    """Later rows altered, and the covariates of row t itself: the filter of t keeps its bits, the forecast of t + 1 moves with z_t."""
    rng = np.random.default_rng(seed)
    model = with_params(random_driven(rng, 2, 2, 2))
    X, z = with_gaps(rng.normal(size=(40, 2)), rng, 0.1), rng.normal(size=(40, 2))
    other_x, other_z = X.copy(), z.copy()
    other_x[cut + 1 :], other_z[cut:] = rng.normal(size=X[cut + 1 :].shape), rng.normal(size=z[cut:].shape)
    np.testing.assert_array_equal(model.filter_proba(other_x, other_z)[: cut + 1], model.filter_proba(X, z)[: cut + 1])
    np.testing.assert_array_equal(model.filter_proba(X[: cut + 1], z[: cut + 1]), model.filter_proba(X, z)[: cut + 1])
    np.testing.assert_array_equal(model.score_next(other_x, other_z)[: cut + 1], model.score_next(X, z)[: cut + 1])
    ahead, other = model.predict_next_proba(X, z), model.predict_next_proba(other_x, other_z)
    np.testing.assert_array_equal(other[:cut], ahead[:cut])
    assert (other[cut] != ahead[cut]).any()
    assert (model.smooth_proba(other_x, other_z)[cut] != model.smooth_proba(X, z)[cut]).any()  # the control: a smoother does see it


def test_updates_one_by_one_are_the_filter_of_all():
    rng = np.random.default_rng(4)
    model = with_params(random_driven(rng, 3, 2, 2))
    X, z = with_gaps(rng.normal(size=(50, 2)), rng), with_gaps(rng.normal(size=(50, 2)), rng)
    X[20], z[30] = np.nan, np.nan
    probs, ahead, scores, state = model.filter_proba(X, z), model.predict_next_proba(X, z), model.score_next(X, z), None
    for t in range(50):
        state = model.update(state, X[t], z[t])
        np.testing.assert_allclose(state.probs, probs[t], atol=1e-12)
        np.testing.assert_allclose(state.next_probs, ahead[t], atol=1e-12)
        assert state.log_next == pytest.approx(scores[t], abs=1e-11)


def test_sequences_do_not_lead_into_each_other():
    rng = np.random.default_rng(6)
    model = with_params(random_driven(rng, 2, 1, 1))
    X, z = rng.normal(size=(30, 1)), rng.normal(size=(30, 1))
    for method in (model.filter_proba, model.smooth_proba, model.predict_next_proba, model.score_next):
        both = method(X, z, lengths=[12, 18])
        np.testing.assert_allclose(both, np.concatenate([method(X[:12], z[:12]), method(X[12:], z[12:])]), atol=1e-13)


@pytest.mark.parametrize("n_states", [2, 3])
def test_coefficients_maximise_what_they_say(n_states):
    """Newton's step against a general optimiser on the same objective."""
    rng = np.random.default_rng(n_states)
    z, counts, ridge = rng.normal(size=(150, 2)), 1.0 + 5.0 * np.eye(n_states), 0.7
    truth = random_driven(rng, n_states, 1, 2).coefs
    pairs = transition_matrices(truth, z) * rng.random((150, 1, 1))
    got = maximise_coefs(np.zeros_like(truth), z, pairs, counts, ridge)
    off = ~np.eye(n_states, dtype=bool)

    def loss(free):
        coefs = np.zeros_like(truth)
        coefs[off] = free.reshape(-1, 3)
        return -(pairs * np.log(transition_matrices(coefs, z))).sum() - log_prior(coefs, counts, ridge)

    best = minimize(loss, np.zeros(3 * off.sum()), method="BFGS", options={"gtol": 1e-7})
    assert loss(got[off].ravel()) <= best.fun + 1e-9
    np.testing.assert_allclose(got[off].ravel(), best.x, atol=1e-4)


def test_em_never_loses_posterior():
    rng = np.random.default_rng(7)
    _, X, z, _ = driven_returns(1000, 7)
    X = with_gaps(np.column_stack([X, X[::-1]]), rng, 0.05)
    for dof in (np.inf, 8.0):
        start = sticky_start(2, X, dof)
        done = climb_moving(
            X, z, start, homogeneous_coefs(start.trans, 1), data_prior(X, 2, 10.0), ridge=1.0, n_iter=80, tol=0.0, covariance_type="full"
        )
        assert np.diff(done.objective).min() > -1e-8 * abs(done.objective[-1])
        assert done.objective[-1] > done.objective[0] + 10.0


@pytest.mark.parametrize("dof", [None, 10.0])
def test_known_coefficients_are_found(dof):
    """12,000 days hold about 150 moves each way: standard errors of a logit's coefficient are near .1; allowed are .45."""
    _, X, z, truth = driven_returns(12_000, 11, dof=np.inf if dof is None else 5.0)
    model = TVTPHMM(2, ridge=0.1, dof=dof, n_init=2, random_state=0).fit(X, z)
    got, order = model.params_, np.argsort(model.params_.hmm.variances[:, 0])
    coefs = got.coefs[np.ix_(order, order)]
    slopes = coefs[:, :, 1:] / got.scale
    intercepts = coefs[:, :, 0] - (slopes * got.center).sum(axis=2)
    np.testing.assert_allclose(slopes[:, :, 0], COEFS[:, :, 1], atol=0.45)
    np.testing.assert_allclose(intercepts, COEFS[:, :, 0], atol=0.45)
    np.testing.assert_allclose(np.sqrt(got.hmm.variances[order, 0]), np.sqrt(truth.hmm.variances[:, 0]), rtol=0.06)
    assert model.converged_


def test_pickle_clone_and_bad_input():
    _, X, z, _ = driven_returns(400, 3)
    model = TVTPHMM(2, stickiness=50.0, n_init=1).fit(X, z)
    model.update(None, X[0], z[0])
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.filter_proba(X, z), model.filter_proba(X, z))
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(FitError, match="covariate 1 is constant"):
        TVTPHMM(2).fit(X, np.column_stack([z, np.ones(400)]))
    with pytest.raises(FitError, match=r"ridge is 0.0; rule: above 0"):
        TVTPHMM(2, ridge=0.0).fit(X, z)
    with pytest.raises(ValueError, match="399 rows of covariates for 400"):
        TVTPHMM(2).fit(X, z[1:])
    with pytest.raises(ScoringError, match="2 covariates; rule: the 1"):
        model.filter_proba(X, np.column_stack([z, z]))
    with pytest.raises(ScoringError, match="covariate 0 is infinite"):
        model.update(None, X[0], [np.inf])


def test_fit_that_ran_out_of_iterations_warns():
    _, X, z, _ = driven_returns(400, 3)
    with pytest.warns(DegenerateFitWarning, match=r"did not converge in 2 iterations \(raise n_iter"):
        model = TVTPHMM(2, n_init=1, n_iter=2, tol=1e-9).fit(X, z)
    assert not model.converged_


def test_missing_covariate_counts_as_average():
    _, X, z, truth = driven_returns(100, 3)
    model = with_params(TVTPParams(truth.hmm, truth.coefs, np.array([0.3]), truth.scale))
    blank, filled = z.copy(), z.copy()
    blank[40:50], filled[40:50] = np.nan, 0.3
    np.testing.assert_array_equal(model.filter_proba(X, blank), model.filter_proba(X, filled))


def test_homogeneous_filter_is_the_one_of_models_inference():
    """The chain that ignores its covariates, in NumPy: bits of `forward_filter` to rounding."""
    params = random_params(np.random.default_rng(9), 2, 1)
    X, z = np.random.default_rng(1).normal(size=(60, 1)), covariate(60, np.random.default_rng(2))
    got = filter_sequence(X, z, TVTPParams(params, homogeneous_coefs(params.trans, 1), np.zeros(1), np.ones(1)))
    np.testing.assert_allclose(got.probs, forward_filter(X, params).probs, atol=1e-13)
