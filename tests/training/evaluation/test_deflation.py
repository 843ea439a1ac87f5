"""Deflation: the published example, plain loops, and what noise and a planted winner give."""

import math
from itertools import combinations
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from training.evaluation.deflation import (
    MIN_TRIALS,
    deflated_sharpe,
    effective_trials,
    expected_best_sharpe,
    pbo,
    probabilistic_sharpe,
    sharpe,
    sharpe_probability,
)

NORMAL = NormalDist()


def test_published_example_of_the_deflated_sharpe_ratio():
    """Bailey and López de Prado (2014, 'A numerical example'): 100 trials, variance 1/2 a year, 5 years of 250 days, Sharpe 2.5 a year,
    skewness -3, kurtosis 10: benchmark .1132 a day, probability .9004, as printed."""
    best = expected_best_sharpe(math.sqrt(0.5 / 250), 100)
    assert best == pytest.approx(0.1132, abs=5e-5)
    assert sharpe_probability(2.5 / math.sqrt(250), best, 1250, -3.0, 10.0) == pytest.approx(0.9004, abs=5e-5)


@pytest.mark.parametrize("seed", range(3))
def test_probabilities_equal_a_plain_computation(seed):
    returns = np.random.default_rng(seed).gamma(2.0, 0.01, 300) - 0.019
    n, m = len(returns), sum(returns) / len(returns)
    second, third, fourth = (sum((r - m) ** k for r in returns) / n for k in (2, 3, 4))
    ratio = m / math.sqrt(second * n / (n - 1))
    skewness, kurt = third / second**1.5, fourth / second**2

    def probability(benchmark: float) -> float:
        spread = math.sqrt(1 - skewness * ratio + (kurt - 1) / 4 * ratio**2)
        return NORMAL.cdf((ratio - benchmark) * math.sqrt(n - 1) / spread)

    assert sharpe(returns) == pytest.approx(ratio, rel=1e-8)
    assert probabilistic_sharpe(returns, 0.02) == pytest.approx(probability(0.02), rel=1e-8)
    trials = np.array([0.01, 0.05, -0.02, 0.03])
    share, spread = 0.5772156649015329, math.sqrt(sum((t - trials.mean()) ** 2 for t in trials) / 3)
    best = spread * ((1 - share) * NORMAL.inv_cdf(1 - 1 / 4) + share * NORMAL.inv_cdf(1 - 1 / (4 * math.e)))
    assert deflated_sharpe(returns, trials, 4) == pytest.approx(probability(best), rel=1e-8)


def test_expected_best_is_about_the_mean_of_maxima():
    """An approximation from extreme values: within 3% for 10 to 200 normal trials (20,000 samples)."""
    rng = np.random.default_rng(0)
    for n in (10, 50, 200):
        assert expected_best_sharpe(2.0, n) == pytest.approx(2.0 * rng.standard_normal((20_000, n)).max(axis=1).mean(), rel=0.03)


def test_a_lone_trial_is_not_deflated_and_trials_are_counted_from_one():
    returns = np.random.default_rng(0).normal(0.001, 0.01, 400)
    assert deflated_sharpe(returns, np.array([0.1]), 1) == probabilistic_sharpe(returns)
    assert deflated_sharpe(returns, np.array([0.1, -0.1, 0.3]), 1.01) <= probabilistic_sharpe(returns)
    with pytest.raises(ValueError, match="at least 1, the trial itself, got 0"):
        expected_best_sharpe(0.1, 0)
    assert math.isnan(probabilistic_sharpe(np.zeros(50)))


def test_spread_of_a_lone_ratio_among_several_trials_is_not_known():
    returns = np.random.default_rng(0).normal(0.001, 0.01, 400)
    for ratios in (np.array([0.1]), np.empty(0)):
        assert math.isnan(deflated_sharpe(returns, ratios, 50))
    assert deflated_sharpe(returns, np.empty(0), 1) == probabilistic_sharpe(returns)


@pytest.mark.parametrize("n", [0, 1])
def test_under_two_rows_there_is_no_ratio(n):
    returns = np.full(n, 0.01)
    assert math.isnan(sharpe(returns))
    assert math.isnan(probabilistic_sharpe(returns))
    assert math.isnan(deflated_sharpe(returns, np.array([0.1, 0.2]), 5))


def test_effective_trials_equal_the_eigenvalues_and_their_limits():
    rng = np.random.default_rng(0)
    returns = pd.DataFrame(rng.normal(size=(400, 6)) + 0.8 * rng.normal(size=(400, 1)))
    eigenvalues = np.linalg.eigvalsh(returns.corr().to_numpy())
    assert effective_trials(returns) == pytest.approx(eigenvalues.sum() ** 2 / (eigenvalues**2).sum(), rel=1e-8)
    one = returns[[0]]
    assert effective_trials(pd.concat([one, -2 * one, 3 * one + 1], axis=1)) == pytest.approx(1.0)
    assert effective_trials(pd.DataFrame(np.linalg.qr(rng.normal(size=(40, 5)) - 0.0)[0]).pipe(lambda q: q - q.mean())) > 4.5
    assert effective_trials(returns.assign(still=0.1)) > effective_trials(returns)
    assert effective_trials(returns.reindex(range(500))) == effective_trials(returns)


def brute_pbo(values: np.ndarray, blocks: int) -> tuple[float, list[float]]:
    """Every split, every Sharpe ratio, one by one."""
    parts, logits = np.array_split(values, blocks), []
    for half in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[k] for k in half])
        outside = np.concatenate([parts[k] for k in range(blocks) if k not in half])
        winner = max(range(values.shape[1]), key=lambda j: sharpe(inside[:, j]))
        ratios = [sharpe(outside[:, j]) for j in range(values.shape[1])]
        relative = sum(r <= ratios[winner] for r in ratios) / (values.shape[1] + 1)
        logits.append(math.log(relative / (1 - relative)))
    return sum(x <= 0 for x in logits) / len(logits), logits


@pytest.mark.parametrize("blocks", [2, 6])
def test_overfitting_equals_a_loop_over_splits(blocks):
    values = np.random.default_rng(blocks).normal(0.002, 0.01, (120, 12))
    share, logits = brute_pbo(values, blocks)
    got = pbo(pd.DataFrame(np.concatenate([np.full((1, 12), 9.0), values])), blocks)  # the oldest row does not divide
    assert got.pbo == share
    np.testing.assert_allclose(got.logits, logits, rtol=1e-8)
    assert (got.n_trials, got.n_rows) == (12, 120)


def test_overfitting_of_noise_is_a_coin_and_of_a_winner_nothing():
    """20 worlds of 30 trials without skill: .5 with a standard error of .04; one trial with a Sharpe ratio of .4 a session wins always."""
    rng = np.random.default_rng(0)
    noise = [rng.normal(size=(640, 30)) for _ in range(20)]
    assert np.mean([pbo(pd.DataFrame(each), 8).pbo for each in noise]) == pytest.approx(0.5, abs=0.12)
    assert all(pbo(pd.DataFrame(each + 0.4 * np.eye(30)[0]), 8).pbo < 0.05 for each in noise)


def test_overfitting_is_refused_where_it_means_nothing():
    assert math.isnan(pbo(pd.DataFrame(np.random.default_rng(0).normal(size=(200, MIN_TRIALS - 1)))).pbo)
    for blocks in (7, 0, 300):
        with pytest.raises(ValueError, match="must be even and leave 2 rows each"):
            pbo(pd.DataFrame(np.ones((200, 12))), blocks)
