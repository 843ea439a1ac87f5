"""`StudentTHMM`: hmmlearn's methods with heavy tails, and the law that was drawn from found again."""

import pickle

import numpy as np
import pytest
from scipy.stats import multivariate_t
from sklearn.base import clone

from models import GaussianHMM, StudentTHMM
from tests.models.engine.worlds import scipy_densities
from tests.models.worlds import with_gaps

TYPES = ("spherical", "diag", "tied", "full")


def heavy_rows(n_obs: int = 4000, seed: int = 0, dof: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    """Two sticky states, scales 1 and 3."""
    rng = np.random.default_rng(seed)
    states = np.cumsum(rng.random(n_obs) < 0.02) % 2
    noise = rng.normal(size=(n_obs, 2)) / np.sqrt(rng.chisquare(dof, n_obs) / dof)[:, None]
    return states, noise * (1 + 2 * states[:, None])


def fitted(X: np.ndarray, covariance_type: str = "diag", **parameters) -> StudentTHMM:
    settings = {"n_components": 2, "n_iter": 500, "tol": 1e-3, "random_state": 0, "stickiness": 50.0} | parameters
    return StudentTHMM(covariance_type=covariance_type, **settings).fit(X)


def test_the_law_that_was_drawn_is_found_again_and_the_gaussian_one_is_worse():
    states, X = heavy_rows()
    model = fitted(X)
    order = model.params_.variances[:, 0].argsort()
    np.testing.assert_allclose(model.dof_, 4.0, rtol=0.3)  # its standard error at 2000 rows is some .35
    np.testing.assert_allclose(np.sqrt(model.params_.scales[order, 0, 0]), [1.0, 3.0], rtol=0.08)
    assert (model.filter_proba(X)[:, order].argmax(axis=1) == states).mean() > 0.93
    gaussian = GaussianHMM(2, n_iter=500, tol=1e-3, random_state=0, prior="data", stickiness=50.0).fit(X)
    later = heavy_rows(seed=1)[1]
    assert model.score(later) > gaussian.score(later) + 100.0


@pytest.mark.parametrize("covariance_type", TYPES)
def test_densities_are_scipys_and_hmmlearns_methods_work(covariance_type):
    X = heavy_rows(600)[1]
    model = fitted(X, covariance_type)
    gappy = with_gaps(X[:50], np.random.default_rng(0))
    np.testing.assert_allclose(model._compute_log_likelihood(gappy), scipy_densities(gappy, model.params_), rtol=1e-9, atol=1e-9)
    log_lik, posteriors = model.score_samples(X)
    assert log_lik == pytest.approx(model.score(X), rel=1e-10)
    np.testing.assert_allclose(posteriors, model.smooth_proba(X), atol=1e-9)
    assert model.decode(X)[1].shape == model.predict(X).shape == (600,)
    assert model.score_next(gappy).sum() == pytest.approx(model.score(gappy), rel=1e-12)
    more = {"spherical": 2, "diag": 4, "tied": 3, "full": 6}[covariance_type]
    n_params = 1 + 2 + 4 + more + 2
    assert model.aic(X) == pytest.approx(-2 * model.score(X) + 2 * n_params)
    assert model.bic(X) == pytest.approx(-2 * model.score(X) + n_params * np.log(600))


def test_samples_are_of_the_law():
    X = heavy_rows(600)[1]
    model = fitted(X, "full")
    drawn, states = model.sample(20_000, random_state=0)
    for k in range(2):
        part, law = drawn[states == k], multivariate_t(model.means_[k], model.covars_[k], df=model.dof_[k])
        # distances of a multivariate Student-t, over the dimension, are F distributed: compare the quartiles with draws of SciPy
        inverse = np.linalg.inv(model.covars_[k])
        theirs = law.rvs(20_000, random_state=1)
        for quantile in (0.25, 0.5, 0.75, 0.95):
            ours, hers = (
                np.quantile(np.einsum("ti,ij,tj->t", each - model.means_[k], inverse, each - model.means_[k]), quantile)
                for each in (part, theirs)
            )
            assert ours == pytest.approx(hers, rel=0.1)


def test_degrees_of_freedom_are_kept_shared_or_estimated():
    X = heavy_rows(1500)[1]
    np.testing.assert_array_equal(fitted(X, params="stmc", dof=7.0).dof_, [7.0, 7.0])
    shared, apart = fitted(X, shared_dof=True), fitted(X)
    assert shared.dof_[0] == shared.dof_[1]
    assert apart.dof_[0] != apart.dof_[1]
    assert apart.dof_.min() - 0.5 < shared.dof_[0] < apart.dof_.max() + 0.5
    assert (fitted(np.random.default_rng(0).normal(size=(1500, 1)), n_components=1).dof_ > 15).all()  # a Gaussian, shrunk by its prior
    assert (fitted(heavy_rows(1500, dof=1.6)[1]).dof_ == 3.0).all()  # the least
    bic = [model._get_n_fit_scalars_per_param()["d"] for model in (shared, apart)]
    assert bic == [1, 2]


def test_cloned_pickled_and_gappy_models():
    X = heavy_rows(800)[1]
    model = fitted(X, "full")
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.filter_proba(X), model.filter_proba(X))
    np.testing.assert_array_equal(clone(model).fit(X).dof_, model.dof_)
    gappy = fitted(with_gaps(X, np.random.default_rng(0), 0.1), "full")
    order = [each.params_.variances[:, 0].argsort() for each in (model, gappy)]
    np.testing.assert_allclose(gappy.params_.scales[order[1]], model.params_.scales[order[0]], rtol=0.35, atol=0.35)
    assert (gappy.filter_proba(X)[:, order[1]].argmax(axis=1) == model.filter_proba(X)[:, order[0]].argmax(axis=1)).mean() > 0.97


def test_one_crash_makes_no_state_of_its_own():
    """A day of 40 deviations: Gaussian states that start from it keep one for it alone."""
    X = heavy_rows(1500, dof=8.0)[1]
    X[700] = 40.0
    model = StudentTHMM(2, n_iter=500, random_state=0, stickiness=50.0, init_params="stcd", params="stmcd")
    model.means_ = np.array([[-0.1, -0.1], [0.1, 0.1]])
    occupancy = model.fit(X).filter_proba(X).mean(axis=0)
    assert occupancy.min() > 0.2
