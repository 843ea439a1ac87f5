"""What is left of the best of many: probabilistic and deflated Sharpe ratios, effective trials, probability of overfitting."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import kurtosis, norm, rankdata, skew

from models.inference import Array

MIN_TRIALS = 10
"""Trials below which the probability of overfitting is not estimated."""


def sharpe(returns: Array) -> float:
    """Mean over standard deviation (denominator n - 1) of one period's returns; 0 where nothing varies, NaN under 2 rows."""
    if len(returns) < 2:
        return float("nan")
    spread = float(np.std(returns, ddof=1))
    return float(np.mean(returns)) / spread if spread > 0 else 0.0


def sharpe_probability(observed: Array | float, benchmark: float, n: int, skewness: Array | float, kurt: Array | float) -> Array:
    """Probability that the true Sharpe ratio exceeds a benchmark (Bailey and López de Prado 2012, equation 11).

    Parameters
    ----------
    observed, benchmark : of one period; one or many observed
    n : periods
    skewness, kurt : of the returns; 0 and 3 for the normal
    """
    variance = 1.0 - skewness * observed + 0.25 * (kurt - 1.0) * observed**2
    return np.asarray(norm.cdf((observed - benchmark) * np.sqrt((n - 1) / variance)))


def probabilistic_sharpe(returns: Array, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio of these returns exceeds `benchmark`; both of one period.

    Returns
    -------
    Probability; NaN where nothing varies, and under 2 rows
    """
    return float(_probabilities(returns[None], benchmark)[0])


def expected_best_sharpe(sharpes_sd: float, n: float) -> float:
    """Sharpe ratio to expect of the best of n trials without skill (Bailey and López de Prado 2014, equation 1).

    sd [(1 - g) z(1 - 1/n) + g z(1 - 1/(n e))], g Euler's constant and z the normal quantile; 0 for a single trial.

    Parameters
    ----------
    sharpes_sd : standard deviation of the trials' Sharpe ratios
    n : trials, at least 1; an effective number need not be whole
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, the trial itself, got {n}; count every trial of the family")
    if n == 1:
        return 0.0
    share = np.euler_gamma
    return float(sharpes_sd * max((1.0 - share) * norm.ppf(1.0 - 1.0 / n) + share * norm.ppf(1.0 - 1.0 / (n * np.e)), 0.0))


def deflated_sharpe(returns: Array, trial_sharpes: Array, n_trials: float) -> float:
    """Probability that the true Sharpe ratio exceeds what the best of the trials would show without skill.

    Conservative, no test of level 5%: on pure noise it exceeds .95 in 0 to 5% of families.

    Parameters
    ----------
    returns : (n_obs,) of the trial chosen
    trial_sharpes : of all trials on the same dates, of one period as `returns`
    n_trials : how many they were, or their effective number (`effective_trials`)

    Returns
    -------
    Probability; NaN where several trials were made and fewer than two have a ratio: how far they spread is not known then
    """
    if n_trials > 1 and len(trial_sharpes) < 2:
        return float("nan")
    spread = float(np.std(trial_sharpes, ddof=1)) if len(trial_sharpes) > 1 else 0.0
    return probabilistic_sharpe(returns, expected_best_sharpe(spread, n_trials))


def deflated_sharpes(returns: Array, n_trials: float) -> Array:
    """`deflated_sharpe` of each of several trials among themselves.

    Parameters
    ----------
    returns : (n_trials_seen, n_obs)
    n_trials : as in `deflated_sharpe`

    Returns
    -------
    (n_trials_seen,)
    """
    if n_trials > 1 and len(returns) < 2:
        return np.full(len(returns), np.nan)
    spread = float(np.std([sharpe(each) for each in returns], ddof=1)) if len(returns) > 1 else 0.0
    return _probabilities(returns, expected_best_sharpe(spread, n_trials))


def _probabilities(returns: Array, benchmark: float) -> Array:
    """Probabilistic Sharpe ratio of each row."""
    out = np.full(len(returns), np.nan)
    if returns.shape[1] < 2:
        return out
    moves = np.ptp(returns, axis=1) > 0
    told = returns[moves]
    if len(told):
        ratios = np.array([sharpe(each) for each in told])
        shape = skew(told, axis=1), kurtosis(told, axis=1, fisher=False)
        out[moves] = sharpe_probability(ratios, benchmark, returns.shape[1], *shape)
    return out


def effective_trials(returns: pd.DataFrame) -> float:
    """Number of independent trials that would be as varied: participation ratio of the correlation's eigenvalues.

    (sum of eigenvalues)^2 / sum of their squares = k^2 / sum of squared correlations, between 1 and k. A column in which nothing
    varies is correlated with none.

    Parameters
    ----------
    returns : rows sessions, columns trials; rows on which any is missing are left out
    """
    values = returns.dropna().to_numpy(dtype=np.float64)
    centred = values - values.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    still = size <= 1e-14 * np.abs(values).sum(axis=0)
    units = np.where(still, 0.0, centred / np.where(still, 1.0, size))
    correlation = units.T @ units + np.diag(still.astype(np.float64))
    return float(values.shape[1] ** 2 / np.sum(correlation**2))


@dataclass(frozen=True)
class Overfitting:
    """Combinatorially symmetric cross-validation.

    Attributes
    ----------
    pbo : share of splits in which the winner of one half is at or below the median of the other; NaN under `MIN_TRIALS`
    logits : (n_splits,) ln(w / (1 - w)) of the relative rank w of that winner
    n_trials, n_rows : columns, and rows used
    """

    pbo: float
    logits: Array
    n_trials: int
    n_rows: int


def pbo(returns: pd.DataFrame, blocks: int = 16) -> Overfitting:
    """Probability of backtest overfitting by CSCV (Bailey, Borwein, López de Prado, Zhu 2017, section 3); by Sharpe ratio.

    Parameters
    ----------
    returns : rows sessions in order, columns trials; rows on which any is missing are left out, then the oldest, until the rest
        divides into blocks
    blocks : even number S of blocks; half of them choose, the other half judges, in all S! / (S/2)!^2 ways

    Raises
    ------
    ValueError
        If `blocks` is odd, below 2, or leaves fewer than 2 rows a block.
    """
    values = returns.dropna().to_numpy(dtype=np.float64)
    if blocks < 2 or blocks % 2 or len(values) < 2 * blocks:
        raise ValueError(f"blocks must be even and leave 2 rows each, got {blocks} for {len(values)} rows; use fewer blocks or more rows")
    n_trials, n_rows = values.shape[1], len(values) // blocks * blocks
    if n_trials < MIN_TRIALS:
        return Overfitting(float("nan"), np.empty(0), n_trials, n_rows)
    parts = (values[-n_rows:] - values.mean(axis=0)).reshape(blocks, -1, n_trials)  # centred: squares lose no digits
    sums, squares = parts.sum(axis=1), (parts**2).sum(axis=1)
    chosen = np.zeros((len(list(combinations(range(blocks), blocks // 2))), blocks))
    for row, half in enumerate(combinations(range(blocks), blocks // 2)):
        chosen[row, list(half)] = 1.0
    inside, outside = (_sharpes(half @ sums, half @ squares, n_rows // 2, values.mean(axis=0)) for half in (chosen, 1.0 - chosen))
    rank = rankdata(outside, axis=1)[np.arange(len(chosen)), inside.argmax(axis=1)]
    relative = rank / (n_trials + 1)
    logits = np.log(relative / (1.0 - relative))
    return Overfitting(float(np.mean(logits <= 0)), logits, n_trials, n_rows)


def _sharpes(sums: Array, squares: Array, n: int, centre: Array) -> Array:
    """Sharpe ratios from sums of centred returns and of their squares; 0 where nothing varies."""
    variance = np.maximum(squares - sums**2 / n, 0.0) / (n - 1)
    still = variance <= 1e-28
    return np.where(still, 0.0, (sums / n + centre) / np.sqrt(np.where(still, 1.0, variance)))
