"""Where EM begins."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.em import Climb, climb, data_prior, sticky_prior
from models.engine.em import CONVERGED, RAN_OUT
from models.engine.filtering import filter_history
from models.hmm import WORTH_A_MOVE, choose, fit_hmm
from models.params import HMMParams
from models.starts import SOFTENING, cold_starts, softened, sticky_start


def blobs(n_obs: int = 900, seed: int = 0) -> np.ndarray:
    """Three clusters far apart, on scales of their own."""
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
    return (centres[rng.integers(3, size=n_obs)] + rng.normal(size=(n_obs, 2))) * [1e-2, 1e3]


@given(n_starts=st.integers(0, 5), n_components=st.integers(1, 4), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_cold_starts_are_as_many_as_asked_for_proper_and_the_same_for_a_seed(n_starts, n_components, seed):
    X = blobs(120, seed)
    starts, again = (cold_starts(n_starts, n_components, X, np.random.default_rng(seed), 10.0) for _ in range(2))
    assert len(starts) == (n_starts if n_components > 1 else min(n_starts, 1))
    for each, other in zip(starts, again, strict=True):
        np.testing.assert_allclose(each.trans.sum(axis=1), 1.0, rtol=1e-12)
        assert each.variances.min() > 0
        assert (each.dof == 10.0).all()
        np.testing.assert_array_equal(each.means, other.means)


def test_refit_leaves_a_zero_that_its_last_parameters_hold():
    """EM keeps a transition that is impossible so for good: rows in which a third state comes back show what softening is for."""
    rng = np.random.default_rng(2)
    states = np.repeat([0, 1, 0, 1, 2, 0, 2, 1], 150)
    X = np.array([-6.0, 0.0, 6.0])[states][:, None] + rng.normal(size=(1200, 1))
    stuck = HMMParams(
        np.array([1.0, 0, 0]), np.array([[0.9, 0.1, 0], [0.1, 0.9, 0], [0.5, 0, 0.5]]), np.array([[-6.0], [0], [6]]), np.ones((3, 1))
    )
    prior, limits = data_prior(X, 3), {"n_iter": 200, "tol": 1e-6}
    assert climb(X, stuck, prior, **limits).params.trans[:2, 2].tolist() == [0.0, 0.0]
    freed = climb(X, softened(stuck), prior, **limits)
    assert freed.params.trans[:2, 2].min() > 1e-3
    assert filter_history(X, freed.params).log_lik > filter_history(X, climb(X, stuck, prior, **limits).params).log_lik + 100.0


def test_softened_rows_are_a_mixture_with_the_flat_row():
    params = sticky_start(4, blobs())
    trans = softened(params).trans
    np.testing.assert_allclose(trans, (1 - SOFTENING) * params.trans + SOFTENING / 4, rtol=1e-15)
    np.testing.assert_allclose(trans.sum(axis=1), 1.0, rtol=1e-12)


@given(n_states=st.integers(1, 6), kappa=st.floats(0, 1e4))
def test_sticky_prior_is_worth_kappa_sessions_in_each_state(n_states, kappa):
    prior = sticky_prior(n_states, kappa)
    np.testing.assert_allclose(prior.sum(axis=1) - n_states, kappa, rtol=1e-9, atol=1e-9)
    assert prior.min() >= 1.0
    if n_states > 1 and kappa > 1:
        np.testing.assert_allclose((prior.diagonal() - 1.0) / kappa, 0.99, rtol=1e-9)


def test_sticky_prior_leaves_a_move_possible_that_was_never_seen():
    """Between two states of three nothing moves in these rows; one session in a hundred of the prior does."""
    rng = np.random.default_rng(3)
    states = np.tile(np.repeat([0, 1, 2, 1], 100), 3)
    X = np.array([-6.0, 0.0, 6.0])[states][:, None] + rng.normal(size=(1200, 1))
    start = softened(HMMParams(np.full(3, 1 / 3), np.full((3, 3), 1 / 3), np.array([[-6.0], [0], [6]]), np.ones((3, 1))))
    trans = climb(X, start, data_prior(X, 3, kappa=100.0), n_iter=300, tol=1e-9).params.trans
    counts = (
        np.histogram2d(states[:-1], states[1:], bins=3)[0] + sticky_prior(3, 100.0) - 1.0
    )  # states 6 deviations apart are as good as seen
    np.testing.assert_allclose(trans, counts / counts.sum(axis=1, keepdims=True), atol=1e-4)


def hills() -> tuple[np.ndarray, HMMParams, HMMParams]:
    """Rows whose first column has two states and whose second has two others, and the fits that tell either pair apart."""
    rng = np.random.default_rng(5)
    first, second = np.repeat([0, 1, 0, 1], 300), np.tile([0] * 40 + [1] * 40, 15)
    X = np.column_stack([3.0 * first, 2.5 * second]) + rng.normal(size=(1200, 2))
    starts = [
        HMMParams(np.array([0.5, 0.5]), np.array([[0.98, 0.02], [0.02, 0.98]]), means, np.ones((2, 2)))
        for means in (np.array([[0.0, 1.25], [3.0, 1.25]]), np.array([[1.5, 0.0], [1.5, 2.5]]))
    ]
    tops = [fit_hmm(X, 2, kappa=100.0, starts=[each], n_iter=300, tol=1e-6) for each in starts]
    assert tops[0].log_posterior > tops[1].log_posterior + WORTH_A_MOVE
    return X, tops[0].params, tops[1].params


def test_refit_moves_to_a_much_better_optimum_and_not_to_a_little_better_one(monkeypatch):
    X, better, worse = hills()
    limits = {"kappa": 100.0, "n_iter": 300, "tol": 1e-6}
    np.testing.assert_allclose(fit_hmm(X, 2, starts=[better], last=worse, **limits).params.means, better.means, atol=1e-3)
    np.testing.assert_allclose(fit_hmm(X, 2, starts=[worse], last=better, **limits).params.means, better.means, atol=1e-3)
    monkeypatch.setattr("models.hmm.WORTH_A_MOVE", 1e6)
    np.testing.assert_allclose(fit_hmm(X, 2, starts=[better], last=worse, **limits).params.means, worse.means, atol=1e-3)


def test_refit_whose_last_parameters_fail_goes_on_from_the_guards():
    X, better, worse = hills()
    lost = HMMParams(worse.start, worse.trans, np.full_like(worse.means, np.nan), worse.scales)
    fit = fit_hmm(X, 2, starts=[better], last=lost, kappa=100.0, n_iter=300, tol=1e-6)
    np.testing.assert_allclose(fit.params.means, better.means, atol=1e-3)


def ended(top: float, status: int = CONVERGED) -> Climb:
    return Climb(sticky_start(2, blobs()), np.array([top]), np.array([top]), status)


def test_choice_holds_the_last_optimum_unless_much_is_gained_or_it_did_not_converge():
    held, little, much = ended(0.0), ended(WORTH_A_MOVE), ended(WORTH_A_MOVE + 0.1)
    assert choose([held, little], held=True) is held
    assert choose([held, little], held=False) is little
    assert choose([held, little, much], held=True) is much
    unfinished = ended(0.0, RAN_OUT)
    assert choose([unfinished, ended(0.5)], held=True) is not unfinished
    assert choose([unfinished, ended(-0.5)], held=True) is unfinished
    assert choose([ended(np.nan), ended(-0.5)], held=True).objective[0] == -0.5
