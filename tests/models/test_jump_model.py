"""The estimator: one row as many, nothing of the future, columns by name, and refusals that show the way out."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from models.degenerate import DegenerateFitWarning
from models.errors import FitError, ScoringError
from models.jump_model import JumpModel
from tests.models.jump_worlds import jump_world
from tests.models.worlds import frame_of, with_gaps

KINDS = [
    {},
    {"continuous": True, "grid_step": 0.1},
    {"max_features": 2.0},
    {"continuous": True, "grid_step": 0.1, "max_features": 2.0},
]
NAMES = ("calm", "rise", "flow", "depth")


def world(seed: int = 0, n_obs: int = 400) -> np.ndarray:
    return jump_world(n_obs, 2, 4, seed)[1]


def fitted(X: np.ndarray | pd.DataFrame, **parameters: object) -> JumpModel:
    return JumpModel(jump_penalty=10.0, n_init=3, random_state=1, **parameters).fit(X)


@pytest.mark.parametrize("kind", KINDS)
def test_update_equals_the_batch_to_the_bit_on_rows_never_seen(kind):
    model = fitted(world(), **kind)
    later = with_gaps(world(5), np.random.default_rng(0))
    labels, proba, values = model.filter_labels(later), model.filter_proba(later), model.filter_values(later)
    state = None
    for t, x in enumerate(later):
        state = model.update(state, x)
        assert state.label == labels[t]
        np.testing.assert_array_equal(state.proba, proba[t])
        np.testing.assert_array_equal(state.values, values[t])
    assert len(set(labels)) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_online_answers_of_truncated_data_are_those_of_the_whole_and_the_path_is_not(kind):
    model = fitted(world(), **kind)
    rows = jump_world(300, 2, 4, 3, spread=0.7)[1]
    labels, proba, smooth = model.filter_labels(rows), model.filter_proba(rows), model.smooth_labels(rows)
    revised = 0
    for cut in range(1, 300, 7):
        np.testing.assert_array_equal(model.filter_labels(rows[:cut]), labels[:cut])
        np.testing.assert_array_equal(model.filter_proba(rows[:cut]), proba[:cut])
        altered = rows.copy()
        altered[cut:] *= -10.0
        np.testing.assert_array_equal(model.filter_labels(altered)[:cut], labels[:cut])
        revised += bool((model.smooth_labels(rows[:cut]) != smooth[:cut]).any())
    assert revised > 0  # the negative control


def test_attributes_are_those_of_the_fit_and_states_rise_in_the_first_column():
    X = world()
    model = fitted(X)
    path = model.smooth_labels(X)
    centers = np.array([X[path == k].mean(axis=0) for k in range(2)])
    np.testing.assert_allclose(model.centers_, centers, rtol=1e-12)
    np.testing.assert_array_equal(model.weights_, np.ones(4))
    np.testing.assert_allclose(model.occupancy_, np.bincount(path) / len(X))
    assert model.centers_[0, 0] < model.centers_[1, 0]
    assert model.objective_ == pytest.approx(0.5 * ((X - centers[path]) ** 2).sum() + 10.0 * (np.diff(path) != 0).sum(), rel=1e-12)
    assert model.n_iter_ >= 1


def test_discrete_answer_is_an_indicator_of_the_online_label_and_the_continuous_one_a_vector():
    X = jump_world(400, 2, 4, 0, spread=0.5)[1]
    discrete, continuous = fitted(X), fitted(X, continuous=True)
    np.testing.assert_array_equal(discrete.filter_proba(X), np.eye(2)[discrete.filter_labels(X)])
    proba = continuous.filter_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-15)
    assert ((proba > 0.0) & (proba < 1.0)).any()
    np.testing.assert_array_equal(continuous.filter_labels(X), proba.argmax(axis=1))
    np.testing.assert_array_equal(discrete.filter_values(X).argmin(axis=1), discrete.filter_labels(X))


@pytest.mark.parametrize("kind", KINDS)
def test_sequences_are_read_each_for_itself(kind):
    X = world()
    model = JumpModel(jump_penalty=10.0, n_init=3, random_state=1, **kind).fit(X, lengths=[150, 250])
    for method in ("filter_labels", "filter_proba", "filter_values", "smooth_labels"):
        read = getattr(model, method)
        np.testing.assert_array_equal(read(X, lengths=[150, 250]), np.concatenate([read(X[:150]), read(X[150:])]))
    assert (model.filter_values(X, lengths=[150, 250]) != model.filter_values(X)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_pickled_cloned_and_refitted_models_are_the_same(kind):
    X = world()
    model = fitted(X, **kind)
    model.filter_labels(X)
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.filter_values(X), model.filter_values(X))
    again = clone(model)
    assert not hasattr(again, "centers_")
    assert again.get_params() == model.get_params()
    np.testing.assert_array_equal(again.fit(X).centers_, model.centers_)
    np.testing.assert_array_equal(model.fit(X).centers_, again.centers_)  # a second fit begins anew


def test_warm_start_goes_on_from_the_present_centers():
    X = world()
    model = JumpModel(jump_penalty=10.0, n_init=1, random_state=1, warm_start=True).fit(X)
    better = fitted(X)
    model.centers_ = better.centers_
    assert model.fit(X).objective_ <= better.objective_ + 1e-9
    assert model.fit(X[:, :3]).centers_.shape == (2, 3)  # centers of other columns are no start


def test_columns_of_a_frame_are_kept_and_asked_for_by_name():
    frame = frame_of(world(), NAMES)
    model = fitted(frame)
    assert tuple(model.feature_names_in_) == NAMES
    np.testing.assert_array_equal(model.filter_labels(frame), model.filter_labels(frame.to_numpy()))
    state = model.update(None, frame.iloc[0])
    np.testing.assert_array_equal(state.values, model.filter_values(frame)[0])
    for other in (frame[list(NAMES[::-1])], frame[list(NAMES[:3])]):
        with pytest.raises(ScoringError, match=r"rule: those of fit, in order, \['calm'"):
            model.filter_labels(other)
    with pytest.raises(ScoringError, match=r"rule: those of fit"):
        model.update(None, frame.iloc[0][::-1])
    assert not hasattr(model.fit(frame.to_numpy()), "feature_names_in_")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [("rise", np.inf, "column 'rise' is inf"), ("flow", 3.0, "'flow' is constant.*Leave it out"), ("depth", np.nan, "'depth' is missing")],
)
def test_a_bad_column_is_refused_by_its_name(column, value, message):
    frame = frame_of(world(), NAMES)
    frame[column] = value
    with pytest.raises(FitError, match=message):
        fitted(frame)


def test_an_infinite_value_is_refused_by_name_where_it_is_scored():
    frame = frame_of(world(), NAMES)
    model = fitted(frame)
    frame.iloc[7, 2] = -np.inf
    with pytest.raises(ScoringError, match=r"column 'flow' is -inf in row 7; rule: finite, or NaN where missing"):
        model.filter_labels(frame)
    with pytest.raises(ScoringError, match="is -inf in row 7"):
        model.smooth_labels(frame)
    with pytest.raises(ScoringError, match="is -inf in row 0"):
        model.update(None, frame.iloc[7])
    with pytest.raises(ScoringError, match="is -inf in row 0"):
        model.update(None, frame.iloc[7].to_numpy())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 0}, "n_components is 0; rule: a whole number of at least 1"),
        ({"n_components": 2.5}, "n_components is 2.5"),
        ({"n_init": 0}, "n_init is 0"),
        ({"max_iter": True}, "max_iter is True"),
        ({"jump_penalty": -1.0}, "jump_penalty is -1.0; rule: finite and at least 0"),
        ({"jump_penalty": np.inf}, "jump_penalty is inf"),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"max_features": 0.5}, "max_features is 0.5; rule: at least 1, or None"),
        ({"continuous": True, "grid_step": 0.3}, "grid_step is 0.3; rule: a divisor of 1"),
        ({"continuous": True, "n_components": 5}, r"grid_step is 0.05; rule: at most 3000 points for 5 states, not 10626; take a larger"),
    ],
)
def test_parameters_that_mean_nothing_are_refused_by_fit(parameters, message):
    with pytest.raises(FitError, match=message):
        JumpModel(**parameters).fit(world())


def test_a_state_that_is_not_needed_is_warned_of_and_one_state_is_not():
    X = world()
    with pytest.warns(DegenerateFitWarning, match="JumpModel: state 0 holds 0.0% of the rows"):
        JumpModel(jump_penalty=1e6, random_state=0).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not JumpModel(1, random_state=0).fit(X).filter_labels(X).any()


def test_what_is_not_fitted_or_not_a_table_says_so():
    with pytest.raises(NotFittedError):
        JumpModel().filter_labels(world())
    with pytest.raises(NotFittedError):
        JumpModel().update(None, world()[0])
    for bad, message in ((np.arange(10.0), "Expected 2D array"), (np.array([["a"]]), "could not convert")):
        with pytest.raises(FitError, match=f"JumpModel: .*{message}"):
            JumpModel().fit(bad)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        JumpModel().fit(csr_array(np.eye(3)))
    model = fitted(world())
    with pytest.raises(ScoringError, match="2 lengths, the least 1, add up to 3 for 400 rows"):
        model.filter_labels(world(), lengths=[1, 2])
    with pytest.raises(ScoringError, match=r"x has shape \(3,\); rule: one row of the 4 columns of fit"):
        model.update(None, np.zeros(3))


class WithTarget(JumpModel):
    """`fit` as scikit-learn calls it: its second argument is a target, which an unsupervised model does not read."""

    def fit(self, X, y=None):
        return super().fit(X)


def test_scikit_learns_own_checks_pass_where_the_second_argument_is_a_target():
    """Its checks of row order and subsets ask for `predict`, `transform` and the like, which a sequence model that is honest has not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # checks fit on noise, whose states mean nothing
        results = check_estimator(WithTarget(), on_fail=None, on_skip=None)
    assert [(r["check_name"], str(r["exception"])) for r in results if r["status"] == "failed"] == []
    assert len(results) > 30


def test_what_is_served_loads_neither_compiler_nor_fit(tmp_path):
    """The one-row answer of a stored model, in a process of its own."""
    model = fitted(world())
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    code = (
        "import pickle, sys, pathlib, numpy as np\n"
        "model = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "print(model.update(None, np.zeros(4)).label)\n"
        "print([m for m in ('numba', 'hmmlearn', 'models.jump_fit', 'sklearn.cluster') if m in sys.modules])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path / "model.pkl")], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:2] == [str(model.update(None, np.zeros(4)).label), "[]"]


def test_pure_functions_need_numpy_alone():
    code = "import sys, models.jump; print([m for m in ('numba', 'hmmlearn', 'sklearn', 'pandas', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
