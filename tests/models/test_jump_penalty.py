"""The penalty by what the labels are for: causal, and the one that suits the regimes."""

import numpy as np
import pytest
from sklearn.base import clone

from models.errors import FitError
from models.jump_model import JumpModel
from models.jump_penalty import select_penalty
from tests.models.jump_worlds import jump_world

MODEL = JumpModel(n_init=3, random_state=0)


def misses(states: np.ndarray):
    """Share of rows whose label is another than the true state: the downstream loss of these tests."""
    return lambda labels, rows: float(min(np.mean(labels != states[rows]), np.mean(labels == states[rows])))


def test_choice_is_the_least_loss_of_labels_made_with_parameters_of_the_past():
    states, X = jump_world(600, 2, 3, 4, stay=0.99, spread=0.6)
    X = 5.0 * X + 2.0  # in any units
    chosen = select_penalty(X, [0.0, 10.0, 40.0], misses(states), MODEL, min_history=300, refit_every=100)
    for i, penalty in enumerate((0.0, 10.0, 40.0)):
        parts, warm = [], None
        for first in (300, 400, 500):
            scaled = (X[: first + 100] - X[:first].mean(axis=0)) / X[:first].std(axis=0)
            model = clone(MODEL).set_params(jump_penalty=penalty, warm_start=True)
            if warm is not None:
                model.centers_ = warm
            warm = model.fit(scaled[:first]).centers_
            parts.append(model.filter_labels(scaled)[first:])
        np.testing.assert_array_equal(chosen.labels[i], np.concatenate(parts))
        assert chosen.losses[i] == misses(states)(chosen.labels[i], slice(300, 600))
    assert chosen.best == chosen.penalties[chosen.losses.argmin()]
    assert chosen.losses[0] > chosen.losses.min() + 0.05  # k-means is not good enough here, so there is a choice to make


def test_labels_of_a_shorter_history_are_those_of_the_longer_one():
    states, X = jump_world(500, 2, 3, 4)
    long = select_penalty(X, [5.0, 20.0], misses(states), MODEL, min_history=200, refit_every=90)
    for cut in (201, 290, 401):
        short = select_penalty(X[:cut], [5.0, 20.0], misses(states), MODEL, min_history=200, refit_every=90)
        np.testing.assert_array_equal(short.labels, long.labels[:, : cut - 200])


def test_of_equal_losses_the_largest_penalty_is_taken_and_the_model_left_alone():
    X = jump_world(200, 2, 3, 4)[1]
    model = JumpModel(jump_penalty=7.0, n_init=2, random_state=0)
    chosen = select_penalty(X, [20.0, 5.0, 10.0], lambda labels, rows: 1.0, model, min_history=100, refit_every=100)
    assert chosen.best == 20.0
    assert model.jump_penalty == 7.0
    assert not hasattr(model, "centers_")


def test_refits_with_an_empty_state_are_counted_not_shouted():
    X = jump_world(200, 2, 3, 4)[1]
    chosen = select_penalty(X, [5.0, 1e6], lambda labels, rows: float(len(set(labels)) == 1), MODEL, min_history=100, refit_every=50)
    assert list(chosen.degenerate) == [0, 2]
    assert chosen.best == 5.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"penalties": []}, "0 penalties.* rule: at least one penalty"),
        ({"min_history": 200}, "min_history 200 of 200 rows"),
        ({"refit_every": 0}, "refit_every 0; rule"),
        ({"loss": lambda labels, rows: np.nan}, "the loss of penalty 5 is nan; rule: finite. Leave out rows with no outcome yet"),
        ({"penalties": [-1.0]}, "jump_penalty is -1.0"),
    ],
)
def test_what_allows_no_choice_is_refused(changes, message):
    arguments = {"penalties": [5.0], "loss": lambda labels, rows: 0.0, "min_history": 100, "refit_every": 50} | changes
    with pytest.raises(FitError, match=message):
        select_penalty(jump_world(200, 2, 3, 4)[1], model=MODEL, **arguments)
