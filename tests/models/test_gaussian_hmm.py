"""`GaussianHMM`: hmmlearn's where hmmlearn has an answer, and causal, gap-tolerant and on the data's own scale where it has none."""

import inspect
import io
import pickle
from contextlib import redirect_stderr

import numpy as np
import pandas as pd
import pytest
from hmmlearn import hmm
from hmmlearn.base import ConvergenceMonitor
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from models import GaussianHMM, StudentTHMM
from models.inference import forward_filter
from tests.models.engine.worlds import sum_over_paths
from tests.models.worlds import two_state_returns, with_gaps

TYPES = ("spherical", "diag", "tied", "full")
LENGTHS = [120, 1, 279]
PRIORS = {"startprob_prior": 1.5, "transmat_prior": 2.0, "means_prior": 0.3, "means_weight": 2.0, "covars_prior": 0.5, "covars_weight": 7.0}


def rows(n_obs: int = 400, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    states = np.cumsum(rng.random(n_obs) < 0.05) % 3
    return rng.normal(size=(n_obs, 2)) * (1 + states[:, None]) + states[:, None]


def pair(covariance_type: str, X: np.ndarray, lengths=None, **parameters):
    settings = {"n_components": 3, "covariance_type": covariance_type, "n_iter": 40, "tol": 1e-4, "random_state": 3, **parameters}
    theirs = hmm.GaussianHMM(**settings).fit(X, lengths)
    if covariance_type == "spherical":  # a fit leaves (n_components, n_features), of which its `covars_` and `sample` make too many states
        theirs._covars_ = theirs._covars_[:, 0]
    return GaussianHMM(**settings).fit(X, lengths), theirs


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("priors", [{}, PRIORS])
@pytest.mark.parametrize("implementation", ["log", "scaling"])
def test_fit_is_hmmlearns_from_the_same_start(covariance_type, lengths, priors, implementation):
    """Rounding alone: the sums are added up in another order, and EM carries that on through forty iterations."""
    ours, theirs = pair(covariance_type, rows(), lengths, implementation=implementation, **priors)
    assert ours.monitor_.iter == theirs.monitor_.iter > 5
    assert ours.monitor_.converged == theirs.monitor_.converged
    np.testing.assert_allclose(ours.monitor_.history, theirs.monitor_.history, rtol=1e-9)
    for name in ("startprob_", "transmat_", "means_", "covars_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("params", ["st", "mc", "m", "tm", ""])  # 'c' without 'm' hmmlearn divides by sums it has not made
def test_only_what_params_names_is_estimated(params):
    ours, theirs = pair("full", rows(), params=params)
    for name in ("startprob_", "transmat_", "means_", "covars_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-8, atol=1e-8)


def test_parameters_and_their_defaults_are_hmmlearns_and_two_more():
    ours, theirs = (inspect.signature(each.__init__).parameters for each in (GaussianHMM, hmm.GaussianHMM))
    assert list(ours)[: len(theirs)] == list(theirs)
    assert {name: ours[name].default for name in theirs} == {name: each.default for name, each in theirs.items()}
    assert {name: each.default for name, each in ours.items() if name not in theirs} == {"prior": None, "stickiness": 0.0}
    mine, hers = pair("diag", rows())
    assert set(vars(hers)) <= set(vars(mine))
    assert issubclass(GaussianHMM, hmm.GaussianHMM)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_hmmlearns_own_methods_answer_as_hmmlearn(covariance_type, lengths):
    X = rows()
    ours, theirs = pair(covariance_type, X, lengths)
    new = rows(seed=5)
    np.testing.assert_array_equal(ours.predict(new, lengths), theirs.predict(new, lengths))
    np.testing.assert_allclose(ours.predict_proba(new, lengths), theirs.predict_proba(new, lengths), atol=1e-7)
    for algorithm in ("viterbi", "map"):
        mine, hers = ours.decode(new, lengths, algorithm), theirs.decode(new, lengths, algorithm)
        assert mine[0] == pytest.approx(hers[0], rel=1e-8)
        np.testing.assert_array_equal(mine[1], hers[1])
    for name in ("score", "aic", "bic"):
        assert getattr(ours, name)(new, lengths) == pytest.approx(getattr(theirs, name)(new, lengths), rel=1e-9)
    log_lik, posteriors = ours.score_samples(new, lengths)
    assert log_lik == pytest.approx(theirs.score_samples(new, lengths)[0], rel=1e-9)
    np.testing.assert_allclose(ours.smooth_proba(new, lengths), posteriors, atol=1e-9)
    for mine, hers in zip(ours.sample(50, random_state=1), theirs.sample(50, random_state=1), strict=True):
        np.testing.assert_allclose(mine, hers, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ours.get_stationary_distribution(), theirs.get_stationary_distribution(), rtol=1e-6)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_causal_answers_add_up_and_see_nothing_later(covariance_type, lengths):
    model, X = GaussianHMM(3, covariance_type, n_iter=20, random_state=0).fit(rows()), with_gaps(rows(seed=2), np.random.default_rng(0))
    probs, next_probs, log_next = model.filter_proba(X, lengths), model.predict_next_proba(X, lengths), model.score_next(X, lengths)
    np.testing.assert_allclose(probs.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(next_probs, probs @ model.transmat_, atol=1e-14)
    assert log_next.sum() == pytest.approx(model.score(X, lengths), rel=1e-12)
    parts = [forward_filter(part, model.params_) for part in np.split(X, np.cumsum(lengths or [400])[:-1])]
    np.testing.assert_allclose(probs, np.concatenate([part.probs for part in parts]), rtol=0, atol=1e-12)
    altered = X.copy()
    altered[200:] = 50.0
    np.testing.assert_array_equal(model.filter_proba(altered, lengths)[:200], probs[:200])
    np.testing.assert_array_equal(model.filter_proba(X[:100]), probs[:100])
    assert np.abs(model.smooth_proba(altered, lengths)[:200] - model.smooth_proba(X, lengths)[:200]).max() > 0.01  # the negative control


@pytest.mark.parametrize("make", [GaussianHMM, StudentTHMM])
def test_update_is_the_filter_one_row_at_a_time(make):
    model = make(3, "full", n_iter=300, random_state=0).fit(rows())
    X = with_gaps(rows(seed=7), np.random.default_rng(1))
    probs, log_next, state = model.filter_proba(X), model.score_next(X), None
    for t, x in enumerate(X):
        state = model.update(state, x)
        np.testing.assert_allclose(state.probs, probs[t], rtol=0, atol=1e-12)
        assert state.log_next == pytest.approx(log_next[t], abs=1e-11)
    np.testing.assert_allclose(model.update(probs[9], X[10]).probs, probs[10], rtol=0, atol=1e-12)
    model.means_ = model.means_ + 1.0  # new parameters, no old answer
    np.testing.assert_allclose(model.update(None, X[0]).probs, model.filter_proba(X[:1])[0], rtol=0, atol=1e-12)
    with pytest.raises(NotFittedError):
        make(2).update(None, X[0])


def test_hmmlearns_methods_integrate_what_is_missing_out():
    """Against every path, on seven rows with gaps; hmmlearn itself refuses them."""
    model = GaussianHMM(3, "full", n_iter=20, random_state=0).fit(rows())
    X = rows(7, seed=4)
    X[[1, 3, 4], [0, 1, 0]] = np.nan
    X[5] = np.nan
    paths = sum_over_paths(model._compute_log_likelihood(X), model.startprob_, model.transmat_)
    np.testing.assert_allclose(model.predict_proba(X), paths.smoothed, atol=1e-10)
    assert model.score_samples(X)[0] == pytest.approx(paths.log_lik, rel=1e-10)
    best = model.decode(X)
    whole = model.decode(np.vstack([X, rows(5)]), [7, 5])
    np.testing.assert_array_equal(whole[1][:7], best[1])
    np.testing.assert_array_equal(model.decode(X, algorithm="map")[1], paths.smoothed.argmax(axis=1))
    one = sum(model._compute_log_likelihood(X)[np.arange(7), best[1]]) + np.log(model.startprob_[best[1][0]])
    assert best[0] == pytest.approx(one + np.log(model.transmat_[best[1][:-1], best[1][1:]]).sum(), rel=1e-10)
    with pytest.raises(ValueError, match="algorithm is 'guess'"):
        model.decode(X, algorithm="guess")


@pytest.mark.parametrize("covariance_type", TYPES)
def test_missing_values_are_fitted_around(covariance_type):
    rng = np.random.default_rng(0)
    states = np.cumsum(rng.random(3000) < 0.03) % 2
    X = rng.normal(size=(3000, 2)) + np.array([[-1.5, -1.5], [1.5, 1.5]])[states]
    settings = {"n_components": 2, "covariance_type": covariance_type, "n_iter": 300, "random_state": 0, "prior": "data"}
    gappy = with_gaps(X, rng, 0.3)
    gappy[100:120] = np.nan
    model = GaussianHMM(**settings).fit(gappy)
    order = model.means_[:, 0].argsort()
    np.testing.assert_allclose(model.means_[order], [[-1.5, -1.5], [1.5, 1.5]], atol=0.15)  # five standard errors
    np.testing.assert_allclose(model.params_.variances, 1.0, atol=0.2)
    assert (model.filter_proba(gappy)[:, order].argmax(axis=1) == states).mean() > 0.95
    few = np.where(rng.random((200, 2)) < 0.5, np.nan, X[:200])
    few[np.flatnonzero(~np.isnan(few).any(axis=1)), 0] = np.nan  # no row is complete: the start comes of filled ones
    assert np.isfinite(GaussianHMM(**settings).fit(few).means_).all()


def test_cloned_pickled_and_framed_models_are_the_same():
    frame = pd.DataFrame(rows(), columns=["ret", "flow"], index=pd.bdate_range("2001-01-01", periods=400))
    model = GaussianHMM(3, "full", n_iter=200, prior="data", stickiness=10.0, random_state=1).fit(frame)
    again = clone(model)
    assert again.get_params() == model.get_params()
    assert not hasattr(again, "means_")
    np.testing.assert_array_equal(again.fit(frame.to_numpy()).means_, model.means_)
    model.update(None, frame.iloc[0])
    back = pickle.loads(pickle.dumps(model))
    assert "_online" not in vars(back)
    np.testing.assert_array_equal(back.filter_proba(frame), model.filter_proba(frame.to_numpy()))
    assert list(back.feature_names_in_) == ["ret", "flow"]


def test_verbose_prints_what_hmmlearn_prints_and_a_monitor_of_ones_own_decides():
    said = []
    for make in (GaussianHMM, hmm.GaussianHMM):
        with redirect_stderr(io.StringIO()) as out:
            make(2, n_iter=6, tol=1e-9, random_state=0, verbose=True).fit(rows())
        said.append([line.split() for line in out.getvalue().splitlines()])
    assert len(said[0]) == 6
    np.testing.assert_allclose(np.array(said[0][1:], float), np.array(said[1][1:], float), rtol=1e-6, atol=1e-7)

    class Third(ConvergenceMonitor):
        @property
        def converged(self):
            return self.iter == 3

    class Never(ConvergenceMonitor):
        converged = False

    for monitor, n_done in ((Third, 3), (Never, 8)):
        models = [make(2, n_iter=8, random_state=0) for make in (GaussianHMM, hmm.GaussianHMM)]
        for model in models:
            model.monitor_ = monitor(1e-2, 8, False)
            model.fit(rows())
            assert model.monitor_.iter == n_done
        np.testing.assert_allclose(models[0].means_, models[1].means_, rtol=1e-8)


def test_no_iterations_leave_the_start_and_set_parameters_count():
    for verbose in (False, True):
        ours, theirs = pair("diag", rows(), n_iter=0, verbose=verbose)
        np.testing.assert_allclose(ours.means_, theirs.means_)
        assert ours.monitor_.iter == 0
    model = GaussianHMM(2, n_iter=2, tol=-np.inf, random_state=0).set_params(n_iter=30).fit(rows())
    assert model.monitor_.iter == 30


def test_variances_of_two_years_of_daily_returns_are_a_quarter_too_large_with_hmmlearns_prior_and_right_with_the_datas():
    """hmmlearn adds .01 to each state's sum of squares, whose sum over 500 days at 1.2% is .07: by the law of total variance 1.28 times."""
    ratios: dict[str | None, list[float]] = {None: [], "data": []}
    for seed in range(7):
        returns = two_state_returns(500, seed, sigmas=(0.008, 0.019))[1]
        for prior, each in ratios.items():
            model = GaussianHMM(2, n_iter=500, tol=1e-6, random_state=0, prior=prior).fit(returns)
            weight = model.smooth_proba(returns).mean(axis=0)
            spread = (model.means_[:, 0] - weight @ model.means_[:, 0]) ** 2
            each.append(float(weight @ (model.params_.variances[:, 0] + spread) / returns.var()))
        expected = 1 + 2 * 0.01 / (len(returns) * returns.var())
        assert ratios[None][-1] == pytest.approx(expected, rel=0.02)
    print({str(prior): np.round(each, 3) for prior, each in ratios.items()})  # noqa: T201
    assert np.median(ratios[None]) == pytest.approx(1.28, abs=0.04)
    assert np.abs(np.array(ratios["data"]) - 1.0).max() < 0.03


@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "tied", "full"])
def test_parameters_set_by_hand_are_filtered_with(covariance_type):
    X = np.random.default_rng(0).normal(size=(50, 2))
    model, stock = (cls(2, covariance_type=covariance_type) for cls in (GaussianHMM, hmm.GaussianHMM))
    covars = {"spherical": np.array([1.0, 2.0]), "diag": np.ones((2, 2)), "tied": np.eye(2), "full": np.stack([np.eye(2), 2.0 * np.eye(2)])}
    for each in (model, stock):
        each.startprob_, each.transmat_, each.means_ = np.array([0.5, 0.5]), np.full((2, 2), 0.5), np.array([[0.0, 1.0], [1.0, 0.0]])
        each.n_features = 2  # what a setter of covariances needs
        each.covars_ = covars[covariance_type]
    del model.n_features
    assert model.score(X) == pytest.approx(stock.score(X), rel=1e-10)
    assert model.update(None, X[0]).probs == pytest.approx(model.filter_proba(X[:1])[0], abs=1e-12)
