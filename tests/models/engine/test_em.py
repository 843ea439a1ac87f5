"""EM: rises, equals EM written out in NumPy, ends at the top, and says where it cannot go on."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.special import digamma

from models.em import DOF_RATE, DOF_SHAPE, KINDS, Prior, climb, data_prior, of_type
from models.engine.filtering import filter_history
from models.engine.maximise import LEAST_DOF, MOST_DOF
from models.params import HMMParams
from models.starts import sticky_start
from tests.models.engine.worlds import drawn_params, plain_sums
from tests.models.worlds import with_gaps

TYPES = sorted(KINDS)


def world(seed: int, n_obs: int, n_states: int, n_features: int, heavy: bool, gaps: bool) -> np.ndarray:
    """Rows of a sticky chain on scales far apart, as daily columns are."""
    rng = np.random.default_rng(seed)
    states = (np.cumsum(rng.random(n_obs) < 0.05) + seed) % n_states
    noise = rng.standard_t(4, size=(n_obs, n_features)) if heavy else rng.normal(size=(n_obs, n_features))
    X = (noise * (1 + states[:, None]) + states[:, None]) * np.logspace(-2, 1, n_features) + 3.0
    return with_gaps(X, rng, 0.2) if gaps else X


def any_prior(X: np.ndarray, seed: int, n_states: int, covariance_type: str) -> Prior:
    rng, own = np.random.default_rng(seed), data_prior(X, n_states, kappa=20.0)
    start, mean = rng.uniform(1, 4, n_states), np.nanmean(X, axis=0) + np.nanstd(X, axis=0) * rng.normal(size=own.mean.shape)
    return replace(own, start=start, mean=mean, mean_rows=float(rng.uniform(0, 3)), rows=float(rng.uniform(3, 9)))


@settings(max_examples=60)
@given(
    st.integers(0, 1000),
    st.sampled_from(TYPES),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["stmcd", "mc", "td", "cd", "st"]),
)
def test_objective_never_falls(seed, covariance_type, n_states, heavy, gaps, split, shared, update):
    """Tolerance: rounding of sums over 160 rows; the objective is of the order of a thousand."""
    X = world(seed, 160, n_states, 3, heavy, gaps)
    prior = any_prior(X, seed, n_states, covariance_type)
    lengths = np.array([50, 1, 79, 30]) if split else None
    start = sticky_start(n_states, X, dof=8.0 if heavy else np.inf)
    options = {"covariance_type": covariance_type, "tol": -np.inf, "lengths": lengths, "update": update, "shared_dof": shared}
    reached = climb(X, start, prior, n_iter=25, **options)
    assert not reached.failed
    assert of_type(reached.params, covariance_type) or "c" not in update
    assert (np.diff(reached.objective) > -1e-9 * (1 + np.abs(reached.objective[1:]))).all()
    # the likelihood that is told is that of the parameters before each iteration
    before = climb(X, start, prior, n_iter=24, **options).params
    assert filter_history(X, before, lengths=lengths).log_lik == pytest.approx(reached.log_lik[-1], rel=1e-9, abs=1e-8)


def plain_em(X: np.ndarray, params: HMMParams, prior: Prior, covariance_type: str, lengths: list[int], n_iter: int):
    """EM as the papers have it, row by row: what the compiled one must equal."""
    history = []
    for _ in range(n_iter):
        sums = plain_sums(X, params, lengths)
        history.append(sums.log_lik)
        start, trans = prior.start - 1 + sums.began, prior.trans - 1 + sums.counts
        weight, first, second = sums.moments[:, 0, 0], sums.moments[:, 1:, 0], sums.moments[:, 1:, 1:]
        means = (prior.mean_rows * prior.mean + first) / (prior.mean_rows + weight)[:, None]
        scales = np.empty_like(params.scales)
        for k in range(params.n_states):
            cross = np.outer(first[k], means[k])
            gap = means[k] - prior.mean[k]
            scales[k] = second[k] - cross - cross.T + weight[k] * np.outer(means[k], means[k]) + prior.mean_rows * np.outer(gap, gap)
        if covariance_type == "tied":
            scales[:] = (scales.sum(axis=0) + prior.scatter[0]) / (sums.mass.sum() + prior.rows)
        else:
            scales = (scales + prior.scatter) / (sums.mass + prior.rows)[:, None, None]
        if covariance_type in ("diag", "spherical"):
            scales = scales * np.eye(X.shape[1])
        if covariance_type == "spherical":
            scales = np.array([np.trace(each) / X.shape[1] * np.eye(X.shape[1]) for each in scales])
        dof = np.array([plain_dof(*each) if np.isfinite(params.dof[0]) else np.inf for each in zip(sums.mass, sums.excess, strict=True)])
        params = HMMParams(start / start.sum(), trans / trans.sum(axis=1, keepdims=True), means, scales, dof)
    return params, np.array(history)


def plain_dof(mass: float, excess: float) -> float:
    def slope(dof):
        return 0.5 * (mass * (1 + np.log(dof / 2) - digamma(dof / 2)) + excess) + (DOF_SHAPE - 1) / dof - DOF_RATE

    if slope(LEAST_DOF) <= 0 or slope(MOST_DOF) >= 0:
        return LEAST_DOF if slope(LEAST_DOF) <= 0 else MOST_DOF
    return brentq(slope, LEAST_DOF, MOST_DOF, xtol=1e-13)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("gaps", [False, True])
def test_em_equals_plain_numpy_with_conditional_expectations(covariance_type, heavy, gaps):
    """Tolerance: the compiled one standardises, inverts by sweeping and sums in another order."""
    X, lengths = world(4, 60, 2, 3, heavy, gaps), [25, 1, 34]
    if gaps:
        X[7] = np.nan  # a day on which nothing was seen
    start = drawn_params(np.random.default_rng(0), 2, 3, covariance_type, heavy=heavy)
    center, spread = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
    if covariance_type == "spherical":
        spread = np.full(3, spread.mean())
    start, prior = start.rescaled(center, spread), any_prior(X, 1, 2, covariance_type)
    got = climb(X, start, prior, covariance_type=covariance_type, n_iter=4, tol=-np.inf, lengths=np.array(lengths))
    params, history = plain_em(X, start, prior, covariance_type, lengths, 4)
    np.testing.assert_allclose(got.log_lik, history, rtol=1e-10)
    size = np.sqrt(np.diagonal(params.scales, axis1=1, axis2=2))
    np.testing.assert_allclose(got.params.start, params.start, rtol=0, atol=1e-9)
    np.testing.assert_allclose(got.params.trans, params.trans, rtol=0, atol=1e-9)
    np.testing.assert_allclose((got.params.means - params.means) / size, 0.0, atol=1e-8)
    np.testing.assert_allclose((got.params.scales - params.scales) / (size[:, :, None] * size[:, None, :]), 0.0, atol=1e-8)
    np.testing.assert_allclose(got.params.dof, params.dof, rtol=1e-7)


def test_degrees_of_freedom_at_the_end_are_those_of_direct_maximisation():
    """All other parameters held: at the optimum of ECM the observed posterior is flat in the degrees of freedom too."""
    X = world(2, 1200, 2, 2, heavy=True, gaps=True)
    prior = data_prior(X, 2, kappa=20.0)
    reached = climb(X, sticky_start(2, X, dof=10.0), prior, covariance_type="full", n_iter=3000, tol=1e-10)
    assert reached.converged

    def loss(log_dof):
        dof = np.exp(log_dof)
        penalty = ((DOF_SHAPE - 1) * log_dof - DOF_RATE * dof).sum()
        return -(filter_history(X, replace(reached.params, dof=dof)).log_lik + penalty)

    best = minimize(loss, np.log([8.0, 8.0]), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10})
    np.testing.assert_allclose(reached.params.dof, np.exp(best.x), rtol=1e-3)  # how flat the top is at tol
    assert ((reached.params.dof > 3.0) & (reached.params.dof < 8.0)).all()  # 4 in truth


@pytest.mark.parametrize("heavy", [False, True])
def test_an_outlier_of_a_thousand_deviations_leaves_finite_numbers(heavy):
    X = world(0, 400, 2, 2, heavy, gaps=False)
    X[100, 1] = X[:, 1].mean() + 1e3 * X[:, 1].std()
    reached = climb(
        X, sticky_start(2, X, dof=8.0 if heavy else np.inf), data_prior(X, 2, 20.0), covariance_type="full", n_iter=200, tol=1e-6
    )
    assert not reached.failed
    assert np.isfinite(reached.params.scales).all()
    assert (np.diff(reached.objective) > -1e-9 * np.abs(reached.objective[1:])).all()
    probs = filter_history(X, reached.params).probs
    np.testing.assert_allclose(probs.sum(axis=1), 1.0, atol=1e-12)


def test_history_of_nothing_does_not_move_the_top():
    """Rows in which everything is missing slow EM down, and leave what it ends at where it was."""
    X = world(1, 150, 2, 2, heavy=False, gaps=False)
    start, prior = sticky_start(2, X), data_prior(X, 2)
    options = {"covariance_type": "full", "n_iter": 5000, "tol": 1e-11, "update": "mc"}
    one = climb(X, start, prior, **options)
    two = climb(np.vstack([X, np.full((20, 2), np.nan)]), start, prior, **options)
    assert one.converged
    assert two.converged
    assert two.objective[-1] == pytest.approx(one.objective[-1], rel=1e-9)
    np.testing.assert_allclose(two.params.means, one.params.means, rtol=1e-4)
    np.testing.assert_allclose(two.params.scales, one.params.scales, rtol=1e-3, atol=1e-8)


def test_a_collapsing_state_and_a_model_that_calls_rows_impossible_are_told():
    X = world(0, 100, 1, 2, heavy=False, gaps=False)
    flat = Prior(np.ones(2), np.ones((2, 2)), np.zeros((2, 2)), np.zeros((2, 2, 2)))
    start = sticky_start(2, X)
    one_day = replace(start, means=np.array([X[3], X.mean(axis=0)]), scales=start.scales * np.array([1e-9, 1.0])[:, None, None])
    assert "collapsed" in climb(X, one_day, flat, covariance_type="full", n_iter=50, tol=-np.inf).failed
    lost = replace(start, means=np.full((2, 2), np.nan))
    assert climb(X, lost, data_prior(X, 2), covariance_type="full", n_iter=5, tol=1e-3).failed
    nowhere = replace(start, start=np.zeros(2))
    assert "left their range" in climb(X, nowhere, data_prior(X, 2), n_iter=5, tol=1e-3).failed


def test_a_state_that_is_never_left_keeps_the_row_it_came_with():
    """In sequences of one row nothing is ever left; hmmlearn writes zeros there, and then refuses its own parameters."""
    X = world(0, 60, 2, 1, heavy=False, gaps=False)
    start, ones = sticky_start(2, X), np.ones(60, np.int64)
    kept = climb(X, start, data_prior(X, 2), n_iter=3, tol=1e-9, lengths=ones).params.trans
    np.testing.assert_array_equal(kept, start.trans)
    theirs = climb(X, start, data_prior(X, 2), n_iter=3, tol=1e-9, lengths=ones, maximum_posterior=False).params.trans
    np.testing.assert_array_equal(theirs, np.zeros((2, 2)))
