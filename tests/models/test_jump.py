"""What a jump model says online: every path by brute force, one row as many, and nothing of the future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ScoringError
from models.jump import JumpParams, JumpState, filter_labels, filter_proba, filter_values, row_losses, update
from models.jump_path import cheapest_path, cheapest_paths
from models.jump_space import move_costs, simplex_grid, simplex_size
from tests.models.jump_worlds import enumerate_jumps, losses_by_hand, moves_by_hand, random_jump
from tests.models.worlds import with_gaps

# (states, rows, step of the grid or None): at most 7,776 paths each
SHAPES = [(1, 5, None), (2, 8, None), (3, 8, None), (4, 6, None), (2, 6, 0.25), (3, 4, 0.5), (1, 3, 0.5)]


def rows_and_model(seed: int, n_states: int, n_obs: int, step: float | None, penalty: float, share: float = 0.3, n_features: int = 3):
    rng = np.random.default_rng(seed)
    params = random_jump(rng, n_states, n_features, penalty, step)
    return with_gaps(rng.normal(size=(n_obs, n_features)), rng, share), params


@pytest.mark.parametrize(("n_states", "n_obs", "step"), SHAPES)
@pytest.mark.parametrize("penalty", [0.0, 0.7, 30.0])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_values_and_path_equal_every_path_written_out(n_states, n_obs, step, penalty, share):
    X, params = rows_and_model(n_states * 100 + n_obs, n_states, n_obs, step, penalty, share)
    values, path, cost = enumerate_jumps(losses_by_hand(X, params), moves_by_hand(params))
    np.testing.assert_allclose(filter_values(X, params).values, values, rtol=1e-12, atol=1e-12)
    losses = row_losses(X, params)
    found, least = cheapest_path(losses, params.moves)
    assert least == pytest.approx(cost, rel=1e-12, abs=1e-12)
    np.testing.assert_array_equal(found, path)


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(2, 7, None), (3, 6, None), (2, 5, 0.5), (3, 3, 0.5)]),
    penalty=st.floats(0.0, 20.0),
    mode_loss=st.booleans(),
    share=st.floats(0.0, 1.0),
)
@settings(max_examples=60, deadline=None)
def test_any_model_on_any_rows_equals_every_path_written_out(seed, shape, penalty, mode_loss, share):
    n_states, n_obs, step = shape
    X, drawn = rows_and_model(seed, n_states, n_obs, step, penalty, share)
    params = JumpParams(drawn.centers, penalty, drawn.weights, drawn.grid, mode_loss)
    values, _, cost = enumerate_jumps(losses_by_hand(X, params), moves_by_hand(params))
    got = filter_values(X, params)
    np.testing.assert_allclose(got.values, values, rtol=1e-11, atol=1e-11)
    assert (got.relative.min(axis=1) == 0.0).all()
    path, least = cheapest_path(row_losses(X, params), params.moves)
    assert least == pytest.approx(cost, rel=1e-11, abs=1e-11)
    along = row_losses(X, params)[np.arange(n_obs), path].sum() + params.moves[path[:-1], path[1:]].sum()
    assert along == pytest.approx(cost, rel=1e-11, abs=1e-11)  # ties may pick another path, of the same cost


@given(
    seed=st.integers(0, 2**32 - 1),
    n_features=st.integers(1, 20),
    shape=st.sampled_from([(1, None), (2, None), (5, None), (2, 0.05), (3, 0.2)]),
    share=st.floats(0.0, 1.0),
    fortran=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_one_row_at_a_time_gives_the_bits_of_the_batch(seed, n_features, shape, share, fortran):
    X, params = rows_and_model(seed, shape[0], 15, shape[1], 3.0, share, n_features)
    batch = filter_values(np.asfortranarray(X) if fortran else X, params)
    state = None
    for t, x in enumerate(X):
        state = update(params, state, x)
        np.testing.assert_array_equal(state.values, batch.relative[t])
        assert state.label == filter_labels(batch, params)[t]
        np.testing.assert_array_equal(state.proba, filter_proba(batch, params)[t])


@pytest.mark.parametrize("step", [None, 0.25])
def test_gone_on_with_from_any_row_gives_the_bits_of_the_whole(step):
    X, params = rows_and_model(3, 2, 40, step, 3.0)
    whole = filter_values(X, params).relative
    for cut in (1, 7, 39):
        state = JumpState(filter_values(X[:cut], params).relative[-1], 0, np.zeros(2))
        np.testing.assert_array_equal(filter_values(X[cut:], params, state).relative, whole[cut:])


@pytest.mark.parametrize("step", [None, 0.1])
def test_later_rows_change_no_earlier_label_while_the_whole_path_does_change(step):
    X, params = rows_and_model(11, 2, 60, step, 2.0)
    online = filter_labels(filter_values(X, params), params)
    smooth = params.vectors.argmax(axis=1)[cheapest_path(row_losses(X, params), params.moves)[0]]
    changed = 0
    for cut in range(1, 60):
        np.testing.assert_array_equal(filter_labels(filter_values(X[:cut], params), params), online[:cut])
        early = params.vectors.argmax(axis=1)[cheapest_path(row_losses(X[:cut], params), params.moves)[0]]
        changed += bool((early != smooth[:cut]).any())
    assert changed >= 5  # the negative control: a path that sees the whole sample is revised


def test_values_carried_over_a_long_history_do_not_grow():
    X, params = rows_and_model(5, 2, 4000, None, 2.0)
    values = filter_values(X, params)
    assert values.relative.max() <= 2.0 + row_losses(X, params).max()
    assert values.level[-1] > 1000.0


def test_missing_values_are_left_out_and_the_rest_scaled_up_to_the_whole_weight():
    params = JumpParams(np.array([[0.0, 5.0, 1.0], [1.0, 0.0, 3.0]]), 1.0, np.array([1.0, 1.0, 2.0]))
    X = np.array([[1.0, np.nan, 3.0], [np.nan, 1.0, np.nan], [np.nan, np.nan, np.nan]])
    # row 0: (1 * 1 + 2 * 4) / 2 * 4 / 3 and 0;  row 1: 16 / 2 * 4 and 1 / 2 * 4;  row 2: nothing to lose
    np.testing.assert_allclose(row_losses(X, params), [[6.0, 0.0], [32.0, 2.0], [0.0, 0.0]], rtol=1e-15)


def test_a_row_with_only_weightless_features_costs_nothing():
    params = JumpParams(np.array([[0.0, 5.0], [1.0, 0.0]]), 1.0, np.array([1.0, 0.0]))
    np.testing.assert_array_equal(row_losses(np.array([[np.nan, 3.0]]), params), [[0.0, 0.0]])


def test_a_row_with_nothing_in_it_leaves_the_label_as_it_was():
    rng = np.random.default_rng(2)
    params = random_jump(rng, 3, 2, 4.0)
    X = np.repeat(rng.normal(size=(20, 2)) * 3.0, 2, axis=0)
    X[1::2] = np.nan
    labels = filter_labels(filter_values(X, params), params)
    np.testing.assert_array_equal(labels[1::2], labels[::2])
    assert len(set(labels)) > 1


def test_states_named_otherwise_give_the_same_labels_named_otherwise():
    X, params = rows_and_model(7, 3, 200, None, 0.3)
    order = np.array([2, 0, 1])
    renamed = JumpParams(params.centers[order], params.penalty, params.weights)
    before, after = filter_labels(filter_values(X, params), params), filter_labels(filter_values(X, renamed), renamed)
    np.testing.assert_array_equal(order[after], before)
    assert len(set(before)) == 3


def test_without_a_penalty_each_row_takes_its_nearest_center_and_with_an_endless_one_none_ever_moves():
    X, params = rows_and_model(7, 3, 50, None, 0.0)
    losses = row_losses(X, params)
    np.testing.assert_array_equal(filter_labels(filter_values(X, params), params), losses.argmin(axis=1))
    stuck = JumpParams(params.centers, 1e9, params.weights)
    np.testing.assert_array_equal(filter_labels(filter_values(X, stuck), stuck), losses.cumsum(axis=0).argmin(axis=1))


def test_continuous_model_on_the_corners_alone_is_the_discrete_one():
    X, params = rows_and_model(9, 3, 60, None, 2.5)
    corners = JumpParams(params.centers, params.penalty, params.weights, simplex_grid(3, 1.0))
    np.testing.assert_allclose(filter_values(X, corners).values, filter_values(X, params).values, rtol=1e-13)
    np.testing.assert_allclose(corners.moves, params.moves, atol=1e-15)


def test_sequences_begin_anywhere_at_no_cost():
    X, params = rows_and_model(13, 2, 12, None, 5.0)
    losses, lengths = row_losses(X, params), [5, 1, 6]
    path, cost = cheapest_paths(losses, params.moves, np.array(lengths))
    parts = [enumerate_jumps(part, params.moves) for part in np.split(losses, [5, 6])]
    np.testing.assert_array_equal(path, np.concatenate([part[1] for part in parts]))
    assert cost == pytest.approx(sum(part[2] for part in parts), rel=1e-13)


@pytest.mark.parametrize(("n_states", "step"), [(1, 0.5), (2, 0.05), (3, 0.1), (4, 0.25)])
def test_grid_holds_each_vector_of_the_simplex_once(n_states, step):
    grid = simplex_grid(n_states, step)
    whole = np.rint(grid / step)
    np.testing.assert_allclose(grid, whole * step, atol=1e-15)
    assert (whole.sum(axis=1) == round(1 / step)).all()
    assert len({tuple(row) for row in whole}) == len(grid) == simplex_size(n_states, step)
    np.testing.assert_array_equal(grid[[0, -1]], np.eye(n_states)[[0, -1]])


@pytest.mark.parametrize("penalty", [0.0, 1.0, 50.0, 5000.0])
def test_mode_loss_gives_each_vector_the_same_total_and_no_move_a_gain(penalty):
    moves = move_costs(simplex_grid(3, 0.1), penalty, mode_loss=True)
    totals = np.exp(-moves).sum(axis=1)
    np.testing.assert_allclose(totals, totals[0], rtol=1e-12)
    assert moves.min() > -1e-12


@pytest.mark.parametrize("bad", [np.inf, -np.inf, 1e200])
def test_infinite_values_are_refused_with_row_and_column(bad):
    X, params = rows_and_model(1, 2, 6, None, 1.0)
    X[4, 1] = bad
    with pytest.raises(ScoringError, match=r"column 1 is .* in row 4; rule: finite, or NaN"):
        filter_values(X, params)
    with pytest.raises(ScoringError, match="column 1"):
        update(params, None, X[4])


def test_an_outlier_of_a_thousand_sigma_is_borne():
    X, params = rows_and_model(1, 2, 30, None, 1.0, share=0.0)
    X[10] = 1e3
    values = filter_values(X, params)
    assert np.isfinite(values.values).all()
    np.testing.assert_array_equal(filter_labels(values, params)[:10], filter_labels(filter_values(X[:10], params), params))
