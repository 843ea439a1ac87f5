"""What moved the odds: parts that add up, equal to all orders of arrival counted out, and to a case by hand."""

import itertools
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from models.errors import ScoringError
from models.explain import Explanation, View, explain_days, explain_memory, families_by_prefix
from models.explain_game import coalitions, shapley
from models.inference import forward_filter, predict_next
from models.params import HMMParams
from tests.models.worlds import random_params, with_gaps

FAMILIES = {"price": [0, 2], "breadth": [1], "flow": [3]}
KINDS = ["diagonal", "covaried", "student"]


def model(kind: str, n_states: int, seed: int = 0) -> HMMParams:
    rng = np.random.default_rng(seed)
    params = random_params(rng, n_states, 4)
    if kind == "diagonal":
        return params
    mixing = rng.normal(size=(n_states, 4, 4))
    params = replace(params, scales=np.eye(4) + 0.5 * mixing @ mixing.transpose(0, 2, 1))
    return params if kind == "covaried" else replace(params, dof=rng.uniform(3.0, 12.0, size=n_states))


def rows(n_obs: int = 7, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, 1])
    return with_gaps(2.0 * rng.normal(size=(n_obs, 4)), rng, 0.2)


def odds_of_first(probs: np.ndarray) -> np.ndarray:
    return np.log(probs[..., 0]) - np.log(probs[..., 1:].sum(axis=-1))


def seen_alone(X: np.ndarray, params: HMMParams, columns: list[int]) -> tuple[np.ndarray, HMMParams]:
    mask = np.isin(np.arange(4), columns)
    return X[:, mask], params.marginal(mask)


def worth_of_day(X: np.ndarray, params: HMMParams, t: int, columns: list[int]) -> float:
    """The filter of all columns before t, and of some at t, by the filter that serves."""
    belief = params.start if t == 0 else predict_next(forward_filter(X[:t], params).probs[-1], params.trans)
    if not columns:
        return float(odds_of_first(belief))
    part, own = seen_alone(X[t : t + 1], params, columns)
    return float(odds_of_first(forward_filter(part, own, belief).probs[0]))


def worth_of_memory(X: np.ndarray, params: HMMParams, t: int, columns: list[int]) -> float:
    if not columns:
        return float(odds_of_first(params.start @ np.linalg.matrix_power(params.trans, t)))
    part, own = seen_alone(X[: t + 1], params, columns)
    return float(odds_of_first(forward_filter(part, own).probs[-1]))


def over_all_orders(worth, families: dict[str, list[int]]) -> dict[str, float]:
    """What each family adds when families come in every possible order, averaged."""
    added = dict.fromkeys(families, 0.0)
    orders = list(itertools.permutations(families))
    for order in orders:
        columns: list[int] = []
        for name in order:
            before = worth(columns)
            columns = [*columns, *families[name]]
            added[name] += (worth(columns) - before) / len(orders)
    return added


@pytest.mark.parametrize("n_states", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("explain", "worth"), [(explain_days, worth_of_day), (explain_memory, worth_of_memory)], ids=["days", "memory"])
def test_contributions_are_those_of_all_orders_counted_out(explain, worth, kind, n_states):
    X, params = rows(), model(kind, n_states)
    explained = explain(View(X, params, FAMILIES))
    for t in range(len(X)):
        expected = over_all_orders(lambda columns, t=t: worth(X, params, t, columns), FAMILIES)
        np.testing.assert_allclose(explained.contributions[t], list(expected.values()), atol=1e-10)
        assert explained.base[t] == pytest.approx(worth(X, params, t, []), abs=1e-10)
        assert explained.total[t] == pytest.approx(worth(X, params, t, [0, 1, 2, 3]), abs=1e-10)


@given(
    kind=st.sampled_from(KINDS),
    n_states=st.integers(2, 4),
    seed=st.integers(0, 999),
    cuts=st.lists(st.integers(0, 2), min_size=4, max_size=4),
    explain=st.sampled_from([explain_days, explain_memory]),
)
def test_base_and_families_add_up_to_the_filtered_log_odds_whatever_the_families(kind, n_states, seed, cuts, explain):
    families = {f"f{each}": [c for c in range(4) if cuts[c] == each] for each in sorted(set(cuts))}
    X, params = rows(12, seed), model(kind, n_states, seed)
    explained = explain(View(X, params, families))
    np.testing.assert_allclose(explained.base + explained.contributions.sum(axis=1), explained.total, atol=1e-10)
    # an odds ratio made of probabilities keeps fewer digits where they are near 0 or 1
    inside = np.abs(explained.total) < 10.0
    np.testing.assert_allclose(explained.total[inside], odds_of_first(forward_filter(X, params).probs)[inside], atol=1e-9)


def test_two_columns_by_hand():
    """States N(0, 1) and N(1, 1) in the first column, N(0, 1) and N(0, 4) in the second: log ratios 1/2 - x and ln 2 - 3/8 y^2."""
    params = HMMParams(
        np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 4.0]])
    )
    explained = explain_days(View(np.array([[0.0, 2.0], [2.0, np.nan]]), params, {"level": [0], "spread": [1]}))
    first = [0.5, math.log(2.0) - 1.5]
    np.testing.assert_allclose(explained.contributions, [first, [-1.5, 0.0]], atol=1e-14)
    p = 1.0 / (1.0 + math.exp(-sum(first)))
    ahead = 0.9 * p + 0.2 * (1.0 - p)
    np.testing.assert_allclose(explained.base, [0.0, logit(ahead)], atol=1e-14)
    np.testing.assert_allclose(explained.total, [sum(first), logit(ahead) - 1.5], atol=1e-14)
    told = explained.at(0)
    assert told["families"] == {"level": pytest.approx(0.5), "spread": pytest.approx(first[1])}
    assert (told["base_prob"], told["total_prob"]) == (pytest.approx(0.5), pytest.approx(p))


def test_the_short_way_of_independent_families_is_the_game_itself():
    """Three states of which two are alike go the long way and must say what two states say by the short one."""
    params, X = model("diagonal", 2), rows(40)
    trans = np.array([[*params.trans[0, :1], params.trans[0, 1] / 2, params.trans[0, 1] / 2]] + [[params.trans[1, 0], 0.0, 0.0]] * 2)
    trans[1:, 1:] = params.trans[1, 1] / 2
    start = np.array([params.start[0], params.start[1] / 2, params.start[1] / 2])
    split = HMMParams(start, trans, params.means[[0, 1, 1]], params.scales[[0, 1, 1]])
    short, long = explain_days(View(X, params, FAMILIES)), explain_days(View(X, split, FAMILIES))
    for name in ("base", "contributions", "total"):
        np.testing.assert_allclose(getattr(short, name), getattr(long, name), atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_moves_nothing(kind):
    X, params = rows(30), model(kind, 3)
    X[:, 1] = np.nan
    X[3, [0, 2]] = np.nan
    X[5] = np.nan
    days, memory = explain_days(View(X, params, FAMILIES)), explain_memory(View(X, params, FAMILIES))
    assert (days.contributions[:, 1] == 0.0).all()
    assert (memory.contributions[:, 1] == 0.0).all()
    assert days.contributions[3, 0] == 0.0 != days.contributions[3, 2]
    assert (days.contributions[5] == 0.0).all()
    assert days.total[5] == days.base[5]
    assert memory.contributions[5, 0] != 0.0  # what it said before still counts


@pytest.mark.parametrize("explain", [explain_days, explain_memory])
@pytest.mark.parametrize("n_states", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_that_round_to_one_keep_finite_parts_that_add_up(kind, n_states, explain):
    params = replace(model(kind, n_states), trans=np.full((n_states, n_states), 1e-12) + np.eye(n_states) * (1.0 - n_states * 1e-12))
    params = replace(params, means=np.arange(n_states)[:, None] * np.array([40.0, 1.0, 0.0, -3.0]), dof=params.dof * 100.0)
    X = np.vstack([params.means[0] + np.zeros((5, 4)), params.means[1] + np.zeros((5, 4)), np.full((1, 4), 1e200)])
    explained = explain(View(X, params, FAMILIES))
    assert (forward_filter(X[:5], params).probs[:, 0] == 1.0).any()
    for part in (explained.base, explained.contributions, explained.total):
        assert np.isfinite(part).all()
    gap = explained.base + explained.contributions.sum(axis=1) - explained.total
    assert np.abs(gap / np.maximum(np.abs(explained.contributions).max(axis=1), 1.0)).max() < 1e-10


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_that_cannot_be_is_moved_by_nothing(kind):
    params = replace(model(kind, 2), start=np.array([0.0, 1.0]), trans=np.array([[0.9, 0.1], [0.0, 1.0]]))
    for explain in (explain_days, explain_memory):
        explained = explain(View(rows(), params, FAMILIES))
        assert (explained.base == -np.inf).all()
        assert (explained.total == -np.inf).all()
        assert (explained.contributions == 0.0).all()


def test_units_and_later_rows_do_not_matter():
    X, params = rows(50), model("student", 3)
    whole = explain_days(View(X, params, FAMILIES))
    other = explain_days(View(X * 7.0 - 3.0, params.rescaled(np.full(4, -3.0), np.full(4, 7.0)), FAMILIES))
    np.testing.assert_allclose(other.contributions, whole.contributions, atol=1e-10)
    for explain in (explain_days, explain_memory):
        before, after = explain(View(X[:20], params, FAMILIES)), explain(View(X, params, FAMILIES))
        np.testing.assert_array_equal(after.contributions[:20], before.contributions)


@pytest.mark.parametrize("kind", ["diagonal", "student"])
def test_a_new_row_after_a_stored_state_is_explained_as_in_the_whole(kind):
    X, params = rows(20), model(kind, 3)
    last = forward_filter(X[:19], params).probs[-1]
    one = explain_days(View(X[19:], params, FAMILIES, prior=predict_next(last, params.trans)))
    whole = explain_days(View(X, params, FAMILIES))
    np.testing.assert_allclose(one.contributions[0], whole.contributions[-1], atol=1e-10)
    assert one.total[0] == pytest.approx(whole.total[-1], abs=1e-10)


def test_transitions_that_vary_in_time_are_the_constant_ones_where_they_do_not_vary():
    X, params = rows(20), model("diagonal", 2)
    constant = explain_days(View(X, params, FAMILIES))
    for explain in (explain_days, explain_memory):
        held = explain(View(X, params, FAMILIES, trans=np.tile(params.trans, (20, 1, 1))))
        np.testing.assert_array_equal(held.total, explain(View(X, params, FAMILIES)).total)
    other = np.tile(params.trans, (20, 1, 1))
    other[10] = [[0.5, 0.5], [0.5, 0.5]]
    changed = explain_days(View(X, params, FAMILIES, trans=other))
    assert changed.base[10] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_array_equal(changed.contributions, constant.contributions)  # evidence is what it was


def mixture(shares: tuple[float, float] = (0.7, 0.3)) -> tuple[View, View]:
    """Two specifications of the same rows: other columns, other scales, one of them without flows."""
    X = rows(25)
    whole = View(X, model("student", 2, 1), FAMILIES, weight=shares[0])
    mask = np.array([True, True, False, False])
    part = model("covaried", 2, 2).marginal(mask).rescaled(np.zeros(2), np.full(2, 3.0))
    return whole, View(X[:, :2] * 3.0, part, {"price": [0], "breadth": [1]}, weight=shares[1])


@pytest.mark.parametrize("explain", [explain_days, explain_memory])
def test_an_average_of_specifications_adds_up_to_the_log_odds_of_the_average(explain):
    views = mixture()
    explained = explain(views)
    average = sum(view.weight * forward_filter(view.X, view.params).probs for view in views)
    np.testing.assert_allclose(explained.total, odds_of_first(average), atol=1e-9)
    np.testing.assert_allclose(explained.base + explained.contributions.sum(axis=1), explained.total, atol=1e-10)


def test_an_average_is_explained_by_all_orders_counted_out():
    whole, part = mixture()

    def worth(columns: list[int]) -> float:
        odds = [
            worth_of_day(whole.X, whole.params, t, columns),
            worth_of_pair(part, t, [c for c in columns if c < 2]),
        ]
        return float(logit(0.7 / (1.0 + math.exp(-odds[0])) + 0.3 / (1.0 + math.exp(-odds[1]))))

    explained = explain_days([whole, part])
    for t in (0, 7, 24):
        expected = over_all_orders(worth, FAMILIES)
        np.testing.assert_allclose(explained.contributions[t], list(expected.values()), atol=1e-9)


def worth_of_pair(view: View, t: int, columns: list[int]) -> float:
    belief = view.params.start if t == 0 else predict_next(forward_filter(view.X[:t], view.params).probs[-1], view.params.trans)
    if not columns:
        return float(odds_of_first(belief))
    mask = np.isin(np.arange(2), columns)
    return float(odds_of_first(forward_filter(view.X[t : t + 1, mask], view.params.marginal(mask), belief).probs[0]))


def test_the_same_model_twice_is_explained_as_once():
    once = View(rows(), model("student", 3), FAMILIES)
    twice = explain_days([replace(once, weight=0.5), replace(once, weight=0.5)])
    np.testing.assert_allclose(twice.contributions, explain_days(once).contributions, atol=1e-10)


def test_families_by_prefix_keep_the_order_of_columns():
    assert families_by_prefix(["momentum__ret_1", "breadth__x", "momentum__log_vol"]) == {"momentum": [0, 2], "breadth": [1]}


def test_coalitions_and_shapley_of_a_game_by_hand():
    """Gloves: player 0 has a left one, 1 and 2 a right one each; a pair is worth 1. Shapley values 2/3, 1/6, 1/6."""
    assert coalitions(2).tolist() == [[False, False], [True, False], [False, True], [True, True]]
    worth = np.array([float(row[0] and row[1:].any()) for row in coalitions(3)])[:, None]
    np.testing.assert_allclose(shapley(worth), [[2 / 3, 1 / 6, 1 / 6]], atol=1e-15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"families": {"a": [0, 1], "b": [1, 2, 3]}}, r"families hold the columns \[0, 1, 1, 2, 3\]; rule: each of 0..3 exactly once"),
        ({"X": np.zeros((3, 2))}, r"rows of shape \(3, 2\); rule: \(n_obs, 4\)"),
        ({"X": np.full((3, 4), np.inf)}, "column 0 is infinite"),
        ({"params": model("diagonal", 1)}, "a model of one state; rule: two or more"),
        ({"weight": 0.5}, r"weights \[0.5\]; rule: positive and adding up to 1"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_the_way_out(change, message):
    view = replace(View(rows(), model("diagonal", 2), FAMILIES), **change)
    with pytest.raises(ScoringError, match=message):
        explain_days(view)


def test_too_many_families_and_unlike_rows_are_refused():
    many = random_params(np.random.default_rng(0), 2, 13)
    with pytest.raises(ScoringError, match="13 families; rule: at most 12"):
        explain_memory(View(np.zeros((2, 13)), many, {str(k): [k] for k in range(13)}))
    whole, part = mixture()
    with pytest.raises(ScoringError, match=r"models on \[25, 20\] rows"):
        explain_days([whole, replace(part, X=part.X[:20])])


def test_it_needs_numpy_alone():
    code = "import sys, models.explain; print([m for m in ('numba', 'hmmlearn', 'sklearn', 'pandas', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_explanation_of_no_row_is_empty():
    assert isinstance(explained := explain_days(View(np.empty((0, 4)), model("diagonal", 2), FAMILIES)), Explanation)
    assert explained.contributions.shape == (0, 3)
