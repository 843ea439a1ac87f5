"""What each trial would have earned, and what is left of the best Sharpe ratio of so many."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.inference import Array
from training.comparison.aligned import Aligned
from training.evaluation.deflation import MIN_TRIALS, deflated_sharpes, effective_trials, pbo, sharpe
from training.evaluation.offsets import MIN_ROWS
from training.evaluation.strategy import COSTS_BP, RISK_AVERSION, SESSIONS_A_YEAR, positions, trading_costs

COST_BP = max(COSTS_BP)
"""Basis points of what is traded: a dear venue."""

BLOCKS = 16


@dataclass(frozen=True)
class Earned:
    """Strategies of the trials with numbers.

    Attributes
    ----------
    sharpe : (n_trials,) a year
    deflated : (n_trials,) probability that the true ratio of the gain over trading a baseline's mean exceeds that of the best of so many
        without skill; the least over the baselines, NaN where a trial traded as one of them
    periods, horizon : how many periods, of how many sessions
    overfit : probability that the best of one half is below the median in the other; NaN under ten trials
    """

    sharpe: Array
    deflated: Array
    periods: int
    horizon: int
    overfit: float


def earn(aligned: Aligned, n: int) -> Earned | None:
    """Trade the mean and variance of the shortest horizon, all assets alike, on rows that do not overlap; None under `MIN_ROWS` of them.

    Position clip(mean / (a variance), 0, 1), decided at a row and held to the next; simple returns after costs. Against earning nothing
    any holder of what rose has skill; so what is deflated is the gain over the mean of a baseline, traded at the trial's variance.

    Parameters
    ----------
    n : trials of the family; the effective number grows with those that have no numbers
    """
    horizon = min(each for _, each, _ in aligned.cells())
    cells = [at for _, each, at in aligned.cells() if each == horizon]
    rows = min(len(at) for at in cells)
    every = [at[len(at) - rows :][::horizon] for at in cells]
    if len(every[0]) < MIN_ROWS:
        return None
    net = np.mean([_net(aligned, at, aligned.own["mean"][at]) for at in every], axis=0)
    deflated = np.full(len(net), np.inf)
    for baseline in aligned.baselines:
        mean = aligned.rows[f"mean_{baseline}"].to_numpy()[:, None]
        held = np.mean([_net(aligned, at, mean[at]) for at in every], axis=0)
        deflated = np.minimum(deflated, _deflate(net - held, n))  # NaN stays
    table = pd.DataFrame(net.T)
    ratios = np.array([sharpe(column) for column in net])
    overfit = pbo(table, BLOCKS).pbo if len(net) >= MIN_TRIALS and len(table) >= 2 * BLOCKS else float("nan")
    return Earned(ratios * np.sqrt(SESSIONS_A_YEAR / horizon), deflated, len(table), horizon, overfit)


def _deflate(gains: Array, n: int) -> Array:
    """Deflated Sharpe ratio of each row of gains, for the effective number of trials that so varied gains and n stand for."""
    counted = max(effective_trials(pd.DataFrame(gains.T)) * n / len(gains), 1.0)
    return deflated_sharpes(gains, counted)


def _net(aligned: Aligned, at: NDArray[np.int64], mean: Array) -> Array:
    """Net simple returns, (n_trials, n_periods), under means (n_periods, n_trials or 1) and each trial's variance; held from row to row."""
    weight = positions(mean, aligned.own["sd"][at] ** 2, RISK_AVERSION)
    gross = weight * np.expm1(aligned.rows["y"].to_numpy()[at])[:, None]
    return np.asarray((gross - trading_costs(weight, COST_BP)).T)
