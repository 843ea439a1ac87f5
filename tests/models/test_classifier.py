"""The supervised way to label: folds that do not leak, probabilities that mean what they say."""

import numpy as np
import pytest

from models.classifier import RegimeClassifier
from models.classifier_fit import N_FOLDS, fit_classifier, purged_folds
from models.scores import brier
from tests.models.worlds import frame_of

COLUMNS = ("a", "b")
PURGE = 21


def learnable(n: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, labels and the probability they were drawn with: a steep logistic of the first column."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    truth = 1.0 / (1.0 + np.exp(-(0.6 + 1.5 * X[:, 0])))
    return X, (rng.random(n) < truth).astype(float), truth


@pytest.fixture(scope="module")
def fitted() -> RegimeClassifier:
    X, label, _ = learnable()
    return fit_classifier(frame_of(X, COLUMNS), COLUMNS, label, PURGE)


@pytest.mark.parametrize(("n_obs", "purge"), [(1000, 21), (1003, 1), (400, 63)])
def test_purged_folds_train_on_the_past_and_leave_the_labels_horizon_out(n_obs, purge):
    folds = purged_folds(n_obs, N_FOLDS, purge)
    assert len(folds) == N_FOLDS
    for train, test in folds:
        # a label of row s is made of rows up to s + purge: none may reach into the block
        assert train[0] == 0
        assert train[-1] + purge < test[0]
        np.testing.assert_array_equal(np.diff(train), 1)
    tested = np.concatenate([test for _, test in folds])
    np.testing.assert_array_equal(tested, np.arange(n_obs // (N_FOLDS + 1), n_obs))


def test_probabilities_beat_the_base_rate_and_are_calibrated(fitted):
    X, label, truth = learnable(seed=1)
    prob = fitted.filter_proba(frame_of(X, COLUMNS))[:, 0]
    event = label == 1
    ours, base, best = (brier(event, p).mean() for p in (prob, np.full(len(label), fitted.base_rate), truth))
    assert best < base - 0.05
    assert ours < base - 0.85 * (base - best)
    for low, high in ((0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 0.95)):
        bin_ = (prob >= low) & (prob < high)
        assert bin_.sum() > 200
        assert event[bin_].mean() == pytest.approx(prob[bin_].mean(), abs=0.08)  # two standard errors of a bin, and the fit's own error


def test_first_column_is_the_labelled_state_and_the_second_the_rest(fitted):
    probs = fitted.filter_proba(frame_of(np.array([[3.0, 0.0], [-3.0, 0.0]]), COLUMNS))
    np.testing.assert_allclose(probs.sum(axis=1), 1.0, atol=1e-12)
    assert probs[0, 0] > 0.9
    assert probs[1, 0] < 0.2
    np.testing.assert_array_equal(fitted.predict_proba_ahead(probs, 21), probs)


def test_each_row_is_judged_by_itself_alone(fitted):
    X = learnable(200, seed=2)[0]
    whole = fitted.filter_proba(frame_of(X, COLUMNS))
    np.testing.assert_allclose(fitted.filter_proba(frame_of(X[:50], COLUMNS)), whole[:50], rtol=0, atol=1e-12)


def test_missing_value_is_put_at_the_training_mean(fitted):
    gap = fitted.filter_proba(frame_of(np.array([[np.nan, 0.3]]), COLUMNS))
    np.testing.assert_array_equal(gap, fitted.filter_proba(frame_of(np.array([[fitted.center[0], 0.3]]), COLUMNS)))


def test_unknown_labels_and_incomplete_rows_are_left_out():
    X, label, _ = learnable()
    label[-PURGE:] = np.nan
    X[10, 1] = np.nan
    whole = fit_classifier(frame_of(X, COLUMNS), COLUMNS, label, PURGE)
    keep = np.flatnonzero(~np.isnan(label) & ~np.isnan(X).any(axis=1))
    part = fit_classifier(frame_of(X[keep], COLUMNS), COLUMNS, label[keep], PURGE)
    assert whole.base_rate == part.base_rate == label[keep].mean()
    probe = frame_of(learnable(50, seed=3)[0], COLUMNS)
    np.testing.assert_array_equal(whole.filter_proba(probe), part.filter_proba(probe))


def test_fold_with_one_class_is_refused():
    X, label, _ = learnable(500)
    label[:200] = 1.0
    with pytest.raises(ValueError, match=r"classifier: a fold of 79 rows holds one class only"):
        fit_classifier(frame_of(X, COLUMNS), COLUMNS, label, PURGE)
