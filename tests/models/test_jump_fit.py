"""Fitting a jump model: the descent never rises, ends where neither half can better it, and says where it should not be relied on."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from models.degenerate import DegenerateFitWarning
from models.errors import FitError
from models.jump import JumpParams, row_losses
from models.jump_fit import JumpFit, draw_starts, fit_jump, state_order, warn_if_degenerate
from models.jump_path import cheapest_path
from models.jump_settings import JumpSettings
from tests.models.jump_worlds import enumerate_jumps, jump_world
from tests.models.worlds import with_gaps

PLAIN = JumpSettings(2, 20.0)


def starts_of(X: np.ndarray, n_components: int = 2, n_init: int = 5, seed: int = 0) -> list[np.ndarray]:
    return draw_starts(X, n_components, n_init, np.random.default_rng(seed))


def cost_along(X: np.ndarray, fit: JumpFit, centers: np.ndarray) -> float:
    """Objective of the path that was found, with other centers."""
    params = replace(fit.params, centers=centers)
    path = np.array([int(np.flatnonzero((params.vectors == p).all(axis=1))[0]) for p in fit.proba])
    return float(row_losses(X, params)[np.arange(len(X)), path].sum() + params.moves[path[:-1], path[1:]].sum())


@given(
    seed=st.integers(0, 2**32 - 1),
    n_states=st.integers(1, 4),
    penalty=st.floats(0.0, 100.0),
    continuous=st.booleans(),
    share=st.sampled_from([0.0, 0.3, 0.8]),
)
@settings(max_examples=40, deadline=None)
def test_objective_never_rises_and_is_the_cost_of_the_path(seed, n_states, penalty, continuous, share):
    rng = np.random.default_rng(seed)
    X = with_gaps(rng.normal(size=(80, 3)) + 2.0 * rng.normal(size=(2, 3)).repeat(40, axis=0), rng, share)
    X[:2] = rng.normal(size=(2, 3))  # no column is ever empty
    fit = fit_jump(X, JumpSettings(n_states, penalty, continuous, grid_step=0.25), starts_of(X, n_states, 3, seed % 1000))
    scale = 1e-9 * (1.0 + fit.objective)
    assert (np.diff(fit.history) <= scale).all()
    assert fit.objective == fit.history[-1]
    assert cost_along(X, fit, fit.params.centers) == pytest.approx(fit.objective, rel=1e-9, abs=1e-9)
    assert fit.converged


@pytest.mark.parametrize("share", [0.0, 0.4])
@pytest.mark.parametrize("continuous", [False, True])
def test_neither_other_centers_nor_another_path_lowers_the_end_of_the_descent(continuous, share):
    X = with_gaps(jump_world(400, 2, 3, 1)[1], np.random.default_rng(0), share)
    fit = fit_jump(X, JumpSettings(2, 5.0, continuous, 0.1, tol=0.0), starts_of(X))
    assert cheapest_path(row_losses(X, fit.params), fit.params.moves)[1] == pytest.approx(fit.objective, rel=1e-12)
    for k, j in np.ndindex(2, 3):  # along each coordinate the objective is a parabola: its lowest point is where the fit stands
        nudge = np.zeros((2, 3))
        nudge[k, j] = 1e-3
        up, down = cost_along(X, fit, fit.params.centers + nudge), cost_along(X, fit, fit.params.centers - nudge)
        assert min(up, down) > fit.objective
        assert abs(up - down) < 1e-8 * fit.objective  # the slope is 0 but for rounding


def test_best_start_reaches_the_lowest_objective_there_is():
    """8 rows, every path with its own best centers written out."""
    X = jump_world(8, 2, 2, 3, stay=0.7)[1]
    fit = fit_jump(X, JumpSettings(2, 0.5), starts_of(X, n_init=20))
    least = np.inf
    for code in range(2**8):
        path = np.array([code >> t & 1 for t in range(8)])
        centers = np.array([X[path == k].mean(axis=0) if (path == k).any() else np.zeros(2) for k in range(2)])
        least = min(least, 0.5 * ((X - centers[path]) ** 2).sum() + 0.5 * (np.diff(path) != 0).sum())
    assert fit.objective == pytest.approx(least, rel=1e-12)
    assert fit.objective == pytest.approx(enumerate_jumps(row_losses(X, fit.params), fit.params.moves)[2], rel=1e-12)


def test_without_a_penalty_it_is_k_means():
    X = jump_world(300, 3, 2, 5)[1]
    fit = fit_jump(X, JumpSettings(3, 0.0, tol=0.0), starts_of(X, 3, 10))
    peer = KMeans(3, n_init=20, random_state=0, tol=0.0).fit(X)
    assert fit.objective == pytest.approx(peer.inertia_ / 2.0, rel=1e-10)
    np.testing.assert_allclose(fit.params.centers, peer.cluster_centers_[np.lexsort(peer.cluster_centers_.T[::-1])], atol=1e-8)


def test_one_state_is_the_mean_and_needs_no_penalty():
    X = jump_world(100, 2, 3, 5)[1]
    for continuous in (False, True):
        fit = fit_jump(X, JumpSettings(1, 7.0, continuous), starts_of(X, 1))
        np.testing.assert_allclose(fit.params.centers[0], X.mean(axis=0), atol=1e-12)
        assert fit.objective == pytest.approx(0.5 * ((X - X.mean(axis=0)) ** 2).sum(), rel=1e-12)


def test_a_penalty_finds_states_that_k_means_does_not():
    states, X = jump_world(2000, 2, 2, 8, stay=0.99, spread=0.7)
    with_penalty = fit_jump(X, PLAIN, starts_of(X)).proba.argmax(axis=1)
    without = fit_jump(X, replace(PLAIN, jump_penalty=0.0), starts_of(X)).proba.argmax(axis=1)
    agree = [max(np.mean(path == states), np.mean(path != states)) for path in (with_penalty, without)]
    assert agree[0] > 0.95 > 0.85 > agree[1]


def test_warm_start_from_the_answer_ends_in_one_round_and_never_above_it():
    X = jump_world(500, 3, 3, 2)[1]
    cold = fit_jump(X, JumpSettings(3, 10.0), starts_of(X, 3))
    warm = fit_jump(X, JumpSettings(3, 10.0), [cold.params.centers])
    assert warm.n_iter == 1
    assert warm.objective <= cold.objective + 1e-9
    np.testing.assert_array_equal(warm.proba, cold.proba)


def test_features_in_another_order_and_rows_turned_round_cost_the_same():
    """The discrete cost knows no direction of time, no order of features and no origin."""
    X = jump_world(300, 2, 4, 6)[1]
    starts = starts_of(X)
    whole = fit_jump(X, PLAIN, starts).objective
    shuffled = [2, 0, 3, 1]
    assert fit_jump(X[:, shuffled], PLAIN, [s[:, shuffled] for s in starts]).objective == pytest.approx(whole, rel=1e-12)
    assert fit_jump(X[::-1].copy(), PLAIN, starts).objective == pytest.approx(whole, rel=1e-12)
    assert fit_jump(X + 3.0, PLAIN, [s + 3.0 for s in starts]).objective == pytest.approx(whole, rel=1e-12)
    scaled = fit_jump(10.0 * X, replace(PLAIN, jump_penalty=2000.0), [10.0 * s for s in starts])
    assert scaled.objective == pytest.approx(100.0 * whole, rel=1e-12)  # the penalty is on the scale of the squared features


def test_a_weight_of_two_is_the_feature_twice():
    X = jump_world(300, 2, 3, 6)[1]
    starts = starts_of(X)
    weighted = fit_jump(X, PLAIN, starts, weights=np.array([1.0, 2.0, 1.0]))
    twice = fit_jump(X[:, [0, 1, 1, 2]], PLAIN, [s[:, [0, 1, 1, 2]] for s in starts])
    assert weighted.objective == pytest.approx(twice.objective, rel=1e-12)
    np.testing.assert_array_equal(weighted.proba, twice.proba)


def test_a_row_with_nothing_in_it_moves_no_center():
    X = jump_world(300, 2, 3, 6)[1]
    gap = np.insert(X, 150, np.nan, axis=0)
    starts = starts_of(X)
    np.testing.assert_allclose(fit_jump(gap, PLAIN, starts).params.centers, fit_jump(X, PLAIN, starts).params.centers, rtol=1e-12)


def test_sequences_are_fitted_together_without_a_jump_between_them():
    states, X = jump_world(400, 2, 3, 6, stay=0.95)
    cut = int(np.flatnonzero(np.diff(states))[0]) + 1
    starts = starts_of(X)
    apart, joined = fit_jump(X, PLAIN, starts, lengths=[cut, 400 - cut]), fit_jump(X, PLAIN, starts)
    np.testing.assert_array_equal(apart.proba, joined.proba)
    assert apart.objective == pytest.approx(joined.objective - PLAIN.jump_penalty, rel=1e-12)


def test_states_rise_in_the_first_feature_that_carries_weight():
    centers = np.array([[5.0, 1.0, 0.0], [1.0, 1.0, -1.0], [3.0, 0.0, 2.0]])
    assert list(state_order(JumpParams(centers, 1.0, np.ones(3)))) == [1, 2, 0]
    assert list(state_order(JumpParams(centers, 1.0, np.array([0.0, 1.0, 1.0])))) == [2, 1, 0]
    X = jump_world(300, 3, 2, 4)[1]
    fits = [fit_jump(X, JumpSettings(3, 5.0), [start[list(order)] for start in starts_of(X, 3)]) for order in ((0, 1, 2), (2, 0, 1))]
    np.testing.assert_allclose(fits[0].params.centers, fits[1].params.centers, rtol=1e-12)
    np.testing.assert_array_equal(fits[0].proba, fits[1].proba)
    assert (np.diff(fits[0].params.centers[:, 0]) > 0.0).all()


def test_starts_are_rows_and_the_same_seed_draws_the_same():
    X = with_gaps(jump_world(100, 2, 3, 4)[1], np.random.default_rng(1))
    filled = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    for start, again in zip(starts_of(X, 3, 4), starts_of(X, 3, 4), strict=True):
        np.testing.assert_array_equal(start, again)
        assert all((filled == center).all(axis=1).any() for center in start)


def test_a_state_without_a_row_is_warned_of_with_the_way_out():
    X = jump_world(300, 2, 2, 4)[1]
    fit = fit_jump(X, replace(PLAIN, jump_penalty=1e6), starts_of(X))
    with pytest.warns(DegenerateFitWarning, match=r"here: state \d holds 0.0% of the rows, under 1% \(use fewer states, or a lower jump"):
        (reason,) = warn_if_degenerate(fit, 0.01, "here")
    assert reason.startswith("state ")


def test_a_descent_cut_short_is_warned_of_and_a_good_fit_is_not():
    X = jump_world(300, 3, 2, 4, spread=0.5)[1]
    with pytest.warns(DegenerateFitWarning, match=r"not end in 1 rounds \(raise max_iter above that; regime\.n_iter in a train"):
        warn_if_degenerate(fit_jump(X, JumpSettings(3, 1.0, max_iter=1), starts_of(X, 3, 1)), 0.0, "here")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not warn_if_degenerate(fit_jump(X, JumpSettings(3, 1.0), starts_of(X, 3)), 0.01, "here")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X: X.__setitem__((3, 1), np.inf), "column 1 is inf in row 3; rule: finite"),
        (lambda X: X.__setitem__((slice(None), 2), 4.0), "column 2 is constant; rule: .* Leave it out"),
        (lambda X: X.__setitem__((slice(None), 0), np.nan), "column 0 is missing in every row; .* Leave it out"),
        (
            lambda X: X.__setitem__(slice(1, None), np.nan),
            "1 samples with a value for 2 states; rule: at least 2. Use more rows",
        ),
    ],
)
def test_rows_that_allow_no_fit_are_refused_by_name(spoil, message):
    X = jump_world(20, 2, 3, 4)[1]
    starts = starts_of(X)
    spoil(X)
    with pytest.raises(FitError, match=message):
        fit_jump(X, PLAIN, starts)


@pytest.mark.parametrize("lengths", [[10, 9], [20, 0], [25, -5], []])
def test_lengths_that_are_not_the_rows_are_refused(lengths):
    X = jump_world(20, 2, 3, 4)[1]
    with pytest.raises(FitError, match=r"lengths, the least -?\d+, add up to \d+ for 20 rows; rule: at least 1 each"):
        fit_jump(X, PLAIN, starts_of(X), lengths=lengths)
