"""Fitting: EM climbs, finds what is there, and says where it should not be relied on."""

import warnings

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM

from models.degenerate import DegenerateFitWarning
from models.em import PRIOR_ROWS
from models.hmm import HMMFit, fit_hmm, warn_if_degenerate
from models.inference import HMMParams, forward_filter
from models.regime_fit import HMMSettings, complete_blocks, fit_regime_hmm
from models.starts import jittered, sticky_start
from tests.models.worlds import balanced_accuracy, frame_of, two_state_returns

SETTINGS = HMMSettings(n_components=2, kappa=100.0, n_init=1, n_iter=100, tol=1e-4, score_column="ret")


def standardised(n_obs: int = 1000, seed: int = 0, **law: object) -> np.ndarray:
    returns = two_state_returns(n_obs, seed, **law)[1]
    return (returns - returns.mean(axis=0)) / returns.std(axis=0)


def fitted(X: np.ndarray, kappa: float = 100.0, n_iter: int = 100, tol: float = 1e-4, n_components: int = 2) -> HMMFit:
    return fit_hmm(X, n_components, kappa=kappa, starts=[sticky_start(n_components, X)], n_iter=n_iter, tol=tol)


def log_posterior(X: np.ndarray, params: HMMParams, kappa: float) -> float:
    """The objective written out again: what EM is to climb."""
    out = forward_filter(X, params).log_lik
    for k in range(params.n_states):
        out += 0.99 * kappa * np.log(params.trans[k, k]) + 0.01 * kappa * np.log(params.trans[k, 1 - k])
        for j in range(X.shape[1]):  # one more row at the pooled variance adds the log-density of one such row
            out += -0.5 * PRIOR_ROWS * (np.log(params.variances[k, j]) + X[:, j].var() / params.variances[k, j])
    return out


@pytest.mark.parametrize("kappa", [0.0, 100.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_em_never_falls_and_ends_above_its_start(kappa, seed):
    X = standardised(seed=seed, sigmas=(0.011, 0.016))
    path = [log_posterior(X, sticky_start(2, X), kappa)]
    path += [log_posterior(X, fitted(X, kappa, n_iter, tol=1e-12).params, kappa) for n_iter in (1, 2, 3, 5, 9, 15, 25)]
    assert (np.diff(path) > -1e-7).all()  # rounding of sums over 1000 rows
    assert path[-1] > path[0] + 1.0


def test_em_stops_at_the_top_of_the_posterior_although_the_likelihood_falls_before():
    """Under a strong prior this world's likelihood falls from the first iteration: stopped by it, EM ends where it began."""
    X, kappa = standardised(2480, 1), 1000.0
    early, long = fitted(X, kappa, tol=1e-3), fitted(X, kappa, n_iter=1000, tol=1e-9)
    assert early.converged
    assert log_posterior(X, early.params, kappa) == pytest.approx(log_posterior(X, long.params, kappa), abs=0.05)
    assert np.abs(forward_filter(X, early.params).probs - forward_filter(X, long.params).probs).max() < 0.02
    assert forward_filter(X, early.params).log_lik < forward_filter(X, fitted(X, kappa, n_iter=1).params).log_lik


def test_log_posterior_of_a_fit_is_the_one_that_was_climbed():
    X = standardised()
    fit = fitted(X, tol=1e-9, n_iter=500)
    assert fit.log_posterior == pytest.approx(log_posterior(X, fit.params, 100.0), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_clear_regimes_are_found_as_well_as_by_the_true_parameters(seed):
    """METHODS A10: within .03 of the filter that knows the truth."""
    states, returns, truth = two_state_returns(2500, seed)
    model = fit_regime_hmm(frame_of(returns, ("ret",)), ("ret",), SETTINGS, np.random.default_rng(0))
    got = balanced_accuracy(states, model.filter_proba(frame_of(returns, ("ret",))))
    best = balanced_accuracy(states, forward_filter(returns, truth).probs)
    assert 0.82 < best < 0.95
    assert got >= best - 0.03
    natural = model.natural()
    np.testing.assert_allclose(np.sqrt(natural.variances[:, 0]), [0.009, 0.020], rtol=0.15)
    np.testing.assert_allclose(np.diag(natural.trans), [0.99, 0.97], atol=0.02)


@pytest.mark.slow
def test_sticky_start_beats_random_starts_in_the_mild_world():
    """METHODS 2.1: random starts sit in an i.i.d. mixture, where the label flips with every large return."""
    ours, theirs, truths = [], [], []
    for seed in range(8):
        states, returns, truth = two_state_returns(2500, seed, sigmas=(0.011, 0.016))
        model = fit_regime_hmm(frame_of(returns, ("ret",)), ("ret",), SETTINGS, np.random.default_rng(0))
        ours.append(balanced_accuracy(states, model.filter_proba(frame_of(returns, ("ret",)))))
        truths.append(balanced_accuracy(states, forward_filter(returns, truth).probs))
        X = (returns - returns.mean()) / returns.std()
        random = [GaussianHMM(2, covariance_type="diag", n_iter=100, tol=1e-3, random_state=s).fit(X) for s in range(3)]
        best = max(random, key=lambda each: each.score(X))
        order = np.argsort(best.covars_[:, 0, 0])
        plain = HMMParams(best.startprob_, best.transmat_, best.means_, np.array([np.diag(c) for c in best.covars_])).reordered(order)
        theirs.append(balanced_accuracy(states, forward_filter(X, plain).probs))
    found = {"true parameters": np.mean(truths), "sticky": np.mean(ours), "random starts": np.mean(theirs)}
    print(f"mild world, balanced accuracy: {found}")  # noqa: T201
    assert np.mean(truths) - np.mean(ours) <= 0.03
    assert np.mean(ours) > np.mean(theirs) + 0.02


def test_prior_keeps_a_state_from_collapsing_on_a_repeated_day():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 1))
    X[:40] = 0.3  # forty days alike: without a prior their variance goes to zero and the likelihood to infinity
    fit = fitted(X, n_iter=500)
    # 40 rows of no scatter and five at the pooled variance
    assert fit.params.variances.min() > 0.5 * PRIOR_ROWS * X.var() / (40 + PRIOR_ROWS)


def test_best_of_several_starts_is_kept_and_their_spread_told():
    X = standardised(sigmas=(0.011, 0.016))
    cold = sticky_start(2, X)
    starts = [cold, *(jittered(cold, np.random.default_rng(s)) for s in range(3))]
    alone = [fit_hmm(X, 2, kappa=100.0, starts=[s], n_iter=20, tol=1e-4).log_posterior for s in starts]
    fit = fit_hmm(X, 2, kappa=100.0, starts=starts, n_iter=20, tol=1e-4)
    assert fit.log_posterior == max(alone)
    assert fit.spread == max(alone) - min(alone)
    assert fit.spread > 0


def test_joins_of_sequences_are_not_taken_for_transitions():
    """Two states that never switch inside a sequence; read as one sequence, the joins would be switches."""
    rng = np.random.default_rng(1)
    X = np.concatenate([rng.normal(0, 1 + 2 * (i % 2), size=(25, 1)) for i in range(20)])
    lengths = np.full(20, 25)
    start = sticky_start(2, X)
    split = fit_hmm(X, 2, kappa=0.0, starts=[start], n_iter=50, tol=1e-6, lengths=lengths)
    joined = fit_hmm(X, 2, kappa=0.0, starts=[start], n_iter=50, tol=1e-6)
    assert np.diag(joined.params.trans).max() < 0.98  # a spell is 25 days long
    assert np.diag(split.params.trans).min() > 0.99


def test_far_outlier_falls_back_to_logarithms():
    X = standardised()
    X[500] = 60.0  # its density underflows in every state, where scaled recursions give up
    fit = fitted(X)
    assert np.isfinite(fit.log_posterior)
    assert np.isfinite(fit.params.variances).all()


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match=r"fit_hmm: 20 rows for 6 parameters; rule: at least 5 rows a parameter"):
        fitted(standardised(20))


def test_starts_that_cannot_be_fitted_are_refused():
    X = standardised()
    broken = HMMParams(np.array([0.5, 0.5]), np.eye(2), np.full((2, 1), np.nan), np.ones((2, 1)))
    with pytest.raises(ValueError, match=r"none of 1 starts gave finite parameters"):
        fit_hmm(X, 2, kappa=0.0, starts=[broken], n_iter=5, tol=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.1])  # the standard deviation of many 0.1 is 1e-17, not 0
def test_constant_column_is_refused_by_name(value):
    X = np.column_stack([standardised()[:, 0], np.full(1000, value)])
    with pytest.raises(ValueError, match=r"column 'flat' is constant over the training window"):
        fit_regime_hmm(frame_of(X, ("ret", "flat")), ("ret", "flat"), SETTINGS, np.random.default_rng(0))


def test_window_without_a_complete_row_is_refused():
    X = np.column_stack([standardised()[:, 0], np.full(1000, np.nan)])
    with pytest.raises(ValueError, match=r"none of 1000 training rows has all of ret, gone"):
        fit_regime_hmm(frame_of(X, ("ret", "gone")), ("ret", "gone"), SETTINGS, np.random.default_rng(0))


def test_degenerate_fits_are_warned_of_and_good_ones_are_not():
    X = standardised()
    with pytest.warns(
        DegenerateFitWarning, match=r"here: EM did not converge in 2 iterations .*; state 1 holds 2.0% of the days, under 5%"
    ):
        assert warn_if_degenerate(fitted(X, n_iter=2, tol=1e-9), np.array([0.98, 0.02]), 0.05, "here")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not warn_if_degenerate(fitted(X), np.array([0.7, 0.3]), 0.05, "here")


def test_same_seed_gives_the_same_fit_and_warm_start_reaches_the_same_top():
    frame = frame_of(standardised(sigmas=(0.011, 0.016)), ("ret",))
    settings = HMMSettings(2, 100.0, 4, 200, 1e-7, "ret")
    first, again = (fit_regime_hmm(frame, ("ret",), settings, np.random.default_rng(5)) for _ in range(2))
    for name in ("start", "trans", "means", "variances"):
        np.testing.assert_array_equal(getattr(first.params, name), getattr(again.params, name))
    warm = fit_regime_hmm(frame, ("ret",), settings, np.random.default_rng(5), warm=first)
    np.testing.assert_allclose(warm.filter_proba(frame), first.filter_proba(frame), atol=0.01)


def test_complete_blocks_split_at_gaps():
    X = np.array([[1.0], [2.0], [np.nan], [3.0], [np.nan], [np.nan], [4.0], [5.0]])
    rows, lengths = complete_blocks(X)
    np.testing.assert_array_equal(rows[:, 0], [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(lengths, [2, 1, 2])


def test_filter_of_a_model_goes_on_from_its_last_row():
    frame = frame_of(two_state_returns(600, 2)[1], ("ret",))
    model = fit_regime_hmm(frame.iloc[:400], ("ret",), SETTINGS, np.random.default_rng(0))
    whole = model.filter_proba(frame)
    np.testing.assert_array_equal(model.filter_proba(frame.iloc[450:], last=whole[449]), whole[450:])
    np.testing.assert_allclose(model.predict_proba_ahead(whole, 1), whole @ model.params.trans, rtol=0, atol=1e-15)
    # scores on the standardised scale differ from those in the column's own unit by the Jacobian
    natural = forward_filter(frame.to_numpy(), model.natural()).log_next
    np.testing.assert_allclose(model.log_next(frame) - np.log(model.scale[0]), natural, atol=1e-9)
