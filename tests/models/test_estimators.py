"""The scikit-learn estimators: its own checks, nothing of the future, and the models they stand around."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import (
    check_methods_sample_order_invariance,
    check_methods_subset_invariance,
    parametrize_with_checks,
)

from models.classifier_fit import fit_classifier
from models.degenerate import DegenerateFitWarning
from models.errors import FitError
from models.estimators_hmm import GaussianRegimes, StudentTRegimes
from models.estimators_jump import JumpRegimes
from models.estimators_supervised import SupervisedRegimes
from models.gaussian_hmm import GaussianHMM
from models.inference import forward_filter
from models.jump_model import JumpModel
from models.starts import sticky_start
from models.student_hmm import StudentTHMM
from tests.models.worlds import frame_of, two_state_returns, with_gaps

HMMS = (GaussianRegimes, StudentTRegimes)
COLUMNS = ("ret", "vol")


FEW_SORTED = {"check_positive_only_tag_during_fit": "its few rows are sorted by class: no block of time is calibrated on both classes"}
"""Of scikit-learn's checks of `SupervisedRegimes`."""

IN_ORDER = {
    check_methods_sample_order_invariance: "a filter reads rows in their order: what it says of a row rests on the rows before it",
    check_methods_subset_invariance: "a filter reads consecutive rows: a batch of them begins a history of its own",
}
"""Checks that a model of sequences must fail; scikit-learn sees them pass, as it sets `n_components` to 1, where any order is one order."""


@parametrize_with_checks(
    [
        GaussianRegimes(n_init=2),
        StudentTRegimes(n_init=1),
        JumpRegimes(n_init=2),
        SupervisedRegimes(),
    ],
    expected_failed_checks=lambda estimator: FEW_SORTED if isinstance(estimator, SupervisedRegimes) else {},
)
def test_scikit_learns_own_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they fit on a few rows of noise, whose states mean nothing
        check(estimator)


class TwoGaussian(GaussianRegimes):
    def fit(self, X, y=None):
        self.n_components = 2
        return super().fit(X)


class TwoStudentT(StudentTRegimes):
    def fit(self, X, y=None):
        self.n_components = 2
        return super().fit(X)


class TwoJump(JumpRegimes):
    def fit(self, X, y=None):
        self.n_components = 2
        return super().fit(X)


@pytest.mark.parametrize("check", IN_ORDER, ids=lambda check: check.__name__)
@pytest.mark.parametrize("estimator", [TwoGaussian(), TwoStudentT(), TwoJump(jump_penalty=1.0, random_state=0)], ids=repr)
def test_checks_of_rows_in_any_order_fail_as_they_must(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(AssertionError):
            check(type(estimator).__name__, estimator)


def world(n_obs: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two columns that differ in mean and spread between the states of market S; and whether the state is the calm one."""
    states = two_state_returns(n_obs, seed)[0]
    rng = np.random.default_rng([seed, 7])
    means, sds = np.array([[0.5, -1.0], [-0.7, 1.0]]), np.array([[1.0, 1.0], [2.0, 1.2]])
    return means[states] + sds[states] * rng.normal(size=(n_obs, 2)), (states == 0).astype(int)


def every_kind():
    return [
        GaussianRegimes(n_init=2, random_state=0),
        StudentTRegimes(n_init=2, random_state=0),
        JumpRegimes(jump_penalty=5.0, n_init=2, random_state=0),
        JumpRegimes(jump_penalty=5.0, n_init=2, random_state=0, continuous=True),
        SupervisedRegimes(purge=5),
    ]


@pytest.mark.parametrize("estimator", every_kind(), ids=repr)
def test_answers_have_not_seen_later_rows(estimator):
    X, y = world()
    model = estimator.fit(X, y)
    later = with_gaps(world(200, 3)[0], np.random.default_rng(0), 0.1)
    whole = model.predict_proba(later)
    for cut in (1, 50, 133):
        altered = later.copy()
        altered[cut:] *= -10.0
        for rows in (later[:cut], altered):
            np.testing.assert_array_equal(model.predict_proba(rows)[:cut], whole[:cut])
    np.testing.assert_array_equal(model.transform(later), whole)
    np.testing.assert_array_equal(model.predict(later), model.classes_[whole.argmax(axis=1)])
    np.testing.assert_allclose(whole.sum(axis=1), 1.0, atol=1e-12)
    assert len(set(model.predict(later))) == 2


@pytest.mark.parametrize(("kind", "engine"), [(GaussianRegimes, GaussianHMM), (StudentTRegimes, StudentTHMM)])
def test_fit_is_that_of_the_model_it_stands_around(kind, engine):
    X, _ = world()
    model = kind(n_init=1).fit(X)
    rows = (X - X.mean(axis=0)) / X.std(axis=0)
    start = sticky_start(2, rows, 10.0)
    peer = engine(2, prior="data", stickiness=100.0, n_iter=100, tol=1e-3, init_params="")
    peer.startprob_, peer.transmat_, peer.means_, peer.covars_ = start.start, start.trans, start.means, np.diagonal(start.scales, 0, 1, 2)
    peer.dof_ = start.dof
    peer.fit(rows)
    order = np.argsort(-(peer.params_.means[:, 0] * X.std(axis=0)[0] + X.mean(axis=0)[0]) / np.sqrt(peer.params_.variances[:, 0]))
    for name in ("trans", "means", "scales", "dof"):
        np.testing.assert_allclose(getattr(model.params_, name), getattr(peer.params_.reordered(order), name), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.predict_proba(X), forward_filter(rows, model.params_).probs, atol=1e-14)


@pytest.mark.parametrize("kind", HMMS)
def test_rows_after_the_training_rows_go_on_from_its_last_probabilities(kind):
    X, _ = world()
    model = kind(n_init=1).fit(X[:400])
    np.testing.assert_allclose(model.filter_proba(X[400:], model.last_proba_), model.predict_proba(X)[400:], atol=1e-12)
    assert np.abs(model.predict_proba(X[400:])[0] - model.predict_proba(X)[400]).max() > 1e-3


@pytest.mark.parametrize("kind", HMMS)
def test_states_come_in_the_order_of_their_scores_by_position_or_name(kind):
    X, y = world(1500)
    model = kind(n_init=2, random_state=0).fit(X)
    natural = model.params_.rescaled(model.center_, model.scale_)
    assert np.all(np.diff(natural.means[:, 0] / np.sqrt(natural.variances[:, 0])) < 0)
    assert np.mean((model.predict(X) == 0) == y) > 0.8
    flipped = kind(n_init=2, random_state=0, score_column="vol").fit(frame_of(X * [1, -1], COLUMNS))
    first = flipped.params_.rescaled(flipped.center_, flipped.scale_)
    assert np.all(np.diff(first.means[:, 1] / np.sqrt(first.variances[:, 1])) < 0)


def test_score_is_the_mean_log_density_in_the_columns_own_units():
    X, _ = world()
    one = GaussianRegimes(n_components=1).fit(X)
    expected = norm.logpdf(X, X.mean(axis=0), X.std(axis=0)).sum(axis=1)
    assert one.score(X) == pytest.approx(expected.mean(), abs=1e-8)
    gaps = X.copy()
    gaps[::3, 1] = np.nan
    expected[::3] = norm.logpdf(X[::3, 0], X[:, 0].mean(), X[:, 0].std())
    assert one.score(gaps) == pytest.approx(expected.mean(), abs=1e-8)


def test_a_grid_search_over_expanding_splits_finds_the_two_states():
    X, _ = world(1200)
    search = GridSearchCV(GaussianRegimes(n_init=2, random_state=0), {"n_components": [1, 2]}, cv=TimeSeriesSplit(3)).fit(X[:, :1])
    assert search.best_params_ == {"n_components": 2}


def test_jump_regimes_are_those_of_the_jump_model_on_standardised_columns():
    X, _ = world()
    model = JumpRegimes(jump_penalty=5.0, n_init=3, random_state=1, score_column=1).fit(X)
    rows = (X - X.mean(axis=0)) / X.std(axis=0)
    peer = JumpModel(jump_penalty=5.0, n_init=3, random_state=1).fit(rows)
    assert model.model_.centers_[model.order_, 1].tolist() == sorted(peer.centers_[:, 1].tolist(), reverse=True)
    np.testing.assert_array_equal(model.predict(X), model.order_.argsort()[peer.filter_labels(rows)])


def test_supervised_regimes_are_those_of_the_classifier_that_is_trained():
    X, y = world(2500)
    label = y.astype(float)
    label[-21:] = np.nan
    model = SupervisedRegimes(purge=21).fit(X, label)
    peer = fit_classifier(frame_of(X, COLUMNS), COLUMNS, label, 21)
    np.testing.assert_allclose(model.predict_proba(X)[:, ::-1], peer.filter_proba(frame_of(X, COLUMNS)), atol=1e-9)
    assert model.n_folds_ == 4
    words = np.where(y == 1, "calm", "turbulent")
    told = SupervisedRegimes(purge=21).fit(X, words)
    assert told.classes_.tolist() == ["calm", "turbulent"]
    assert np.mean(told.predict(X) == words) > 0.7
    filled = np.where(np.isnan(gaps := with_gaps(X, np.random.default_rng(0))), model.center_, gaps)
    np.testing.assert_allclose(model.predict_proba(gaps), model.predict_proba(filled), atol=1e-12)


@pytest.mark.parametrize("estimator", every_kind(), ids=repr)
def test_names_copies_and_frames_are_kept(estimator):
    X, y = world()
    frame = frame_of(X, COLUMNS)
    model = clone(estimator).set_output(transform="pandas").fit(frame, y)
    assert model.feature_names_in_.tolist() == list(COLUMNS)
    assert model.n_features_in_ == 2
    out = model.transform(frame)
    assert out.columns.tolist() == model.get_feature_names_out().tolist() == ["p_0", "p_1"]
    assert out.index.equals(frame.index)
    np.testing.assert_array_equal(out.to_numpy(), clone(estimator).fit(X, y).transform(X))
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.predict_proba(frame), model.predict_proba(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict_proba(frame[list(reversed(COLUMNS))])
    fresh = clone(model)
    assert fresh.get_params() == estimator.get_params()
    with pytest.raises(NotFittedError):
        fresh.predict_proba(frame)


def test_filtered_probabilities_are_features_in_a_pipeline():
    X, y = world()
    model = make_pipeline(GaussianRegimes(n_init=1), LogisticRegression()).fit(X, y)
    assert model.score(X, y) > 0.8


def test_what_is_served_loads_neither_compiler_nor_fit(tmp_path):
    X, y = world()
    models = [estimator.fit(X, y) for estimator in every_kind()[:4]]
    (tmp_path / "models.pkl").write_bytes(pickle.dumps(models))
    code = (
        "import pickle, sys, pathlib, numpy as np\n"
        "models = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "print([model.predict_proba(np.zeros((1, 2)))[0].tolist() for model in models])\n"
        "print([m for m in ('numba', 'hmmlearn', 'models.em', 'models.jump_fit') if m in sys.modules])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path / "models.pkl")], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:2] == [str([model.predict_proba(np.zeros((1, 2)))[0].tolist() for model in models]), "[]"]


def test_a_fit_not_to_be_relied_on_is_warned_of():
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.warns(DegenerateFitWarning, match=r"GaussianRegimes: 40 rows for 10 parameters, under 5 a parameter \(use fewer states"):
        GaussianRegimes(n_init=1).fit(X)
    with pytest.warns(DegenerateFitWarning, match="EM did not converge in 2 iterations"):
        StudentTRegimes(n_init=1, n_iter=2).fit(world()[0])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 0}, "n_components is 0; rule: a whole number of at least 1"),
        ({"n_init": 1.5}, "n_init is 1.5; rule: a whole number"),
        ({"covariance_type": "round"}, "covariance_type is 'round'; rule: one of diag, full, tied, spherical"),
        ({"stickiness": -1.0}, "stickiness is -1.0; rule: at least 0"),
        ({"score_column": "other"}, r"score_column is 'other'; rule: a column of X, by name or position \(ret, vol\)"),
        ({"score_column": 2}, "score_column is 2; rule: a column of X"),
    ],
)
def test_parameters_that_mean_nothing_are_refused_at_fit(parameters, message):
    with pytest.raises(FitError, match=f"GaussianRegimes: {message}"):
        GaussianRegimes(**parameters).fit(frame_of(world()[0], COLUMNS))


@pytest.mark.parametrize("estimator", every_kind(), ids=repr)
def test_columns_that_say_nothing_are_named(estimator):
    X, y = world()
    for fault, values in (("is constant", 0.1), ("has no value", np.nan)):
        frame = frame_of(X, COLUMNS).assign(vol=values)
        with pytest.raises(FitError, match=f"column 'vol' {fault} in the 500 training rows; leave it out"):
            clone(estimator).fit(frame, y)


@pytest.mark.parametrize(
    ("y", "parameters", "message"),
    [
        (np.ones(500), {}, "500 complete, labelled rows hold one class; rule: two"),
        (np.arange(500) > 400, {}, "none of 4 folds of 500 rows holds both classes on both sides of a purge of 0"),
        (np.arange(500) % 2, {"purge": -1}, "purge is -1; rule: a whole number of at least 0"),
        (np.arange(500) % 3, {}, "Only binary classification is supported"),
    ],
)
def test_labels_that_teach_nothing_are_refused(y, parameters, message):
    with pytest.raises(FitError, match=message):
        SupervisedRegimes(**parameters).fit(world()[0], y)


@pytest.mark.parametrize("covariance", ["diag", "full", "tied", "spherical"])
def test_units_of_the_columns_do_not_matter(covariance):
    X, _ = world()
    first, second = (GaussianRegimes(covariance_type=covariance, n_init=1).fit(rows) for rows in (X, X * [100.0, 0.01] + [5.0, -3.0]))
    if np.array_equal(first.params_.means.round(6), second.params_.means.round(6)):
        np.testing.assert_allclose(first.predict_proba(X), second.predict_proba(X * [100.0, 0.01] + [5.0, -3.0]), atol=1e-6)
    else:  # the order by score may differ, as the mean was moved: the same states then
        np.testing.assert_allclose(first.params_.means, second.params_.means[::-1], atol=1e-6)
