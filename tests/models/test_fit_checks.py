"""Bad input: refused or warned of by the name of the column, with the way out, by both classes and by `fit_hmm`."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

from models import GaussianHMM, StudentTHMM
from models.degenerate import DegenerateFitWarning
from models.errors import FitError, ScoringError
from models.fit_checks import doubts
from models.hmm import fit_hmm
from models.params import HMMParams
from models.starts import sticky_start
from tests.models.worlds import with_gaps

NAMES = ["ret", "flow", "depth"]
TYPES = ("diag", "full", "tied", "spherical")


def rows(n_obs: int = 300) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n_obs, 3)) * np.repeat([[1.0], [3.0]], (n_obs + 1) // 2, axis=0)[:n_obs]


def data_gaussian(**parameters):
    return GaussianHMM(**{"n_components": 2, "prior": "data", "random_state": 0, "n_iter": 200, "stickiness": 20.0, **parameters})


def student(**parameters):
    return StudentTHMM(**{"n_components": 2, "random_state": 0, "n_iter": 300, "stickiness": 20.0, **parameters})


def stock(**parameters):
    return GaussianHMM(**{"n_components": 2, "random_state": 0, **parameters})


def spoilt(kind: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows(), columns=NAMES)
    if kind == "constant":
        frame["flow"] = 0.1
    elif kind == "collinear":
        frame["depth"] = 2.0 * frame["ret"] - 0.5 * frame["flow"]
    elif kind == "outlier":
        frame.loc[100, "flow"] = 1e3
    elif kind == "infinite":
        frame.loc[7, "flow"] = -np.inf
    elif kind == "missing":
        frame["flow"] = np.nan
    elif kind == "text":
        frame["flow"] = frame["flow"].astype(object)
        frame.loc[3, "flow"] = "n/a"
    elif kind == "few":
        frame = frame.iloc[:9]
    elif kind == "support":
        frame = pd.concat([frame.iloc[:1]] * 40, ignore_index=True).assign(ret=[0.0, 1.0] * 20, flow=[2.0, 1.0] * 20, depth=[1.0, 5.0] * 20)
    return frame


REFUSED = [
    ("constant", {}, r"column 'flow' is constant; rule: values that differ. Leave it out"),
    ("infinite", {}, r"column 'flow' is -inf in row 7; rule: finite, or NaN where missing. Mend"),
    ("missing", {}, r"column 'flow' is missing in every row; rule: .* Leave it out"),
    ("text", {}, r"column 'flow' is 'n/a' in row 3; rule: numbers, NaN where missing. Convert it"),
    ("few", {"n_components": 12}, r"9 rows with a value for 12 states; rule: at least 12. Use more rows or fewer states"),
    ("support", {"n_components": 3}, r"2 distinct rows for 3 states; rule: at least one each. Use fewer states"),
]
WARNED = [
    ("collinear", r"column 'depth' is a linear combination of the columns before it.*leave it out"),
    ("outlier", r"column 'flow' is \d\d\d robust standard deviations from its median in row 100: mend or blank \(NaN\)"),
    ("few", r"9 rows for \d+ parameters: use fewer states, fewer columns, another covariance_type or more rows"),
]


@pytest.mark.parametrize("make", [data_gaussian, student])
@pytest.mark.parametrize(("kind", "parameters", "message"), REFUSED, ids=[each[0] for each in REFUSED])
def test_what_no_fit_can_mean_is_refused_by_name(make, kind, parameters, message):
    for covariance_type in TYPES:
        with pytest.raises(FitError, match=message):
            make(covariance_type=covariance_type, **parameters).fit(spoilt(kind))
    with pytest.raises(FitError, match=message.replace("'flow'", "1")):
        make(**parameters).fit(spoilt(kind).to_numpy())


@pytest.mark.parametrize("make", [data_gaussian, student])
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize(("kind", "message"), WARNED, ids=[each[0] for each in WARNED])
def test_what_makes_a_fit_mean_little_is_warned_of_by_name(make, covariance_type, kind, message):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = make(covariance_type=covariance_type).fit(spoilt(kind))
    assert {each.category for each in said} == {DegenerateFitWarning}
    assert any(re.search(message, str(each.message)) for each in said)
    assert all(each.filename == __file__ for each in said)  # the line that called fit
    assert np.isfinite(model.params_.scales).all()
    assert np.isfinite(model.filter_proba(spoilt(kind))).all()


@pytest.mark.parametrize("kind", ["constant", "collinear", "outlier", "support"])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_with_hmmlearns_priors_it_is_logged_as_hmmlearn_logs_and_nothing_breaks(kind, covariance_type, caplog):
    model = stock(covariance_type=covariance_type).fit(spoilt(kind))
    said = " ".join(record.getMessage() for record in caplog.records)
    if kind == "support":
        assert "column 'flow' is a linear combination" in said
    else:
        assert f"column '{'depth' if kind == 'collinear' else 'flow'}' is" in said
    assert np.isfinite(model.score(spoilt(kind)))  # a singular covariance gets hmmlearn's second try


@pytest.mark.parametrize("make", [stock, data_gaussian, student])
def test_shapes_settings_and_lengths_are_refused(make):
    X = rows()
    for bad, message in [(X[:0], r"shape \(0, 3\); rule: at least one row"), (X[:, :0], r"shape \(300, 0\)"), (X[0], "Expected 2D array")]:
        with pytest.raises(FitError, match=message):
            make().fit(bad)
    with pytest.raises(FitError, match="1 rows with a value for 1 states; rule: at least 2"):
        make(n_components=1).fit(X[:1])
    for parameters, message in [
        ({"n_components": 0}, "n_components is 0; rule: a whole number of at least 1"),
        ({"n_components": 2.0}, "n_components is 2.0"),
        ({"covariance_type": "round"}, "covariance_type is 'round'; rule: one of"),
        ({"prior": "flat"}, "prior is 'flat'; rule: None"),
    ]:
        with pytest.raises(FitError, match=message):
            make(**parameters).fit(X)
    for lengths in ([100, 100], [300.5, -0.5], [0, 300], [150.5, 149.5], []):
        with pytest.raises(FitError, match=r"lengths .* add up to .*; rule: whole numbers of at least 1"):
            make().fit(X, lengths)


def test_scoring_refuses_other_columns_infinities_and_lengths():
    frame = pd.DataFrame(rows(), columns=NAMES)
    model = data_gaussian().fit(frame)
    assert list(model.feature_names_in_) == NAMES
    for method in (model.filter_proba, model.score, model.score_next, model.smooth_proba, model.predict, model.predict_proba, model.decode):
        with pytest.raises(ScoringError, match=r"rule: those of fit, in order, \['ret', 'flow', 'depth'\]"):
            method(frame[NAMES[::-1]])
        with pytest.raises(ScoringError, match="column 'flow' is -inf in row 7"):
            method(spoilt("infinite"))
        with pytest.raises(ScoringError, match="rule: those of fit"):
            method(frame.to_numpy()[:, :2])
        with pytest.raises(ScoringError, match=r"lengths \[1.0, 2.0\] add up to 3 for 300 rows"):
            method(frame, [1, 2])
    with pytest.raises(ScoringError, match="column 'depth' is inf in row 0"):
        model.update(None, pd.Series([0.0, 1.0, np.inf], index=NAMES))
    with pytest.raises(ScoringError, match="rule: those of fit"):
        model.update(None, frame.iloc[0][::-1])
    with pytest.raises(ScoringError, match=r"a state of shape \(3,\); rule: \(2,\)"):
        model.update(np.ones(3) / 3, frame.iloc[0])
    assert not hasattr(model.fit(frame.to_numpy()), "feature_names_in_")


def test_a_singular_covariance_set_by_hand_is_named():
    model = data_gaussian(covariance_type="full").fit(rows())
    model._covars_ = np.array([np.eye(3), np.diag([1.0, 1.0, -1.0])])
    with pytest.raises(ScoringError, match=r"the covariance of state 1 is not positive definite .* Fit with prior='data'"):
        model.score(rows())


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (data_gaussian, {"n_iter": 3, "tol": 1e-9}, r"GaussianHMM: EM did not converge in 3 iterations \(raise n_iter\)"),
        (student, {"n_iter": 3, "tol": 1e-9}, r"StudentTHMM: EM did not converge in 3 iterations"),
        (student, {"n_iter": 3, "tol": 1e-9, "prior": None}, r"StudentTHMM: EM did not converge in 3 iterations"),
    ],
)
def test_a_fit_that_did_not_converge_is_warned_of(make, parameters, message):
    for verbose in (False, True):
        with pytest.warns(DegenerateFitWarning, match=message):
            make(verbose=verbose, **parameters).fit(rows())
    stock(n_iter=3, tol=1e-9).fit(rows())  # hmmlearn says nothing, and warnings are errors here


def test_unused_and_collapsed_states_are_warned_of_and_good_fits_are_not():
    X = rows(600)
    data_gaussian(tol=1e-4).fit(X)
    student(tol=1e-4).fit(X)
    lone = X.copy()
    lone[300] = 60.0
    with pytest.warns(DegenerateFitWarning, match=r"state \d holds 0.\d% of the days, under 1% \(use fewer states\)"):
        data_gaussian(n_components=3, covariance_type="full").fit(lone)
    alike = X.copy()
    alike[:300] = [0.3, 0.2, 0.1]  # half of the rows are one row
    with pytest.warns(DegenerateFitWarning, match=r"state \d collapsed: the prior alone makes \d+% of its variance of column \d"):
        data_gaussian(covariance_type="diag").fit(alike)
    with pytest.warns(DegenerateFitWarning, match="of its variance of all columns"):
        data_gaussian(covariance_type="spherical").fit(alike)


@pytest.mark.parametrize("dof", [np.inf, 8.0])
def test_fit_hmm_refuses_and_warns_alike(dof):
    def fitted(frame):
        X = frame.to_numpy(dtype=float)
        start = HMMParams(*(getattr(sticky_start(2, rows(), dof), name) for name in ("start", "trans", "means", "scales", "dof")))
        return fit_hmm(X, 2, kappa=20.0, starts=[start], n_iter=200, tol=1e-3, names=NAMES)

    for kind in ("constant", "infinite", "missing"):
        message = next(each[2] for each in REFUSED if each[0] == kind)
        with pytest.raises(FitError, match=message if kind != "infinite" else "column 1 is -inf in row 7"):
            fitted(spoilt(kind))
    for kind in ("collinear", "outlier"):
        with pytest.warns(DegenerateFitWarning, match=f"fit_hmm: {dict(WARNED)[kind]}"):
            fitted(spoilt(kind))
    with pytest.raises(FitError, match="9 rows for"):
        fitted(spoilt("few"))


def test_heavy_tails_gaps_and_correlated_columns_are_no_outliers_and_no_copies():
    rng = np.random.default_rng(0)
    X = rng.standard_t(3, size=(5000, 3))
    assert doubts(with_gaps(X, rng), 20, None) == []
    X[:, 2] = X[:, 0] + 0.01 * rng.normal(size=5000)  # correlated at .9999
    assert doubts(X, 20, None) == []
    X[:, 2] = X[:, 0] + 1e-6 * rng.normal(size=5000)
    assert len(doubts(X, 20, None)) == 1
