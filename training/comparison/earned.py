"""What each trial would have earned, and what is left of the best Sharpe ratio of so many."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.inference import Array
from training.comparison.aligned import Aligned
from training.evaluation.deflation import MIN_TRIALS, deflated_sharpe, effective_trials, pbo, sharpe
from training.evaluation.offsets import MIN_ROWS
from training.evaluation.strategy import COSTS_BP, RISK_AVERSION, SESSIONS_A_YEAR, strategy_returns

COST_BP = max(COSTS_BP)
"""Basis points of what is traded: a dear venue."""

BLOCKS = 16


@dataclass(frozen=True)
class Earned:
    """Strategies of the trials with numbers.

    Attributes
    ----------
    sharpe : (n_trials,) a year
    deflated : (n_trials,) probability that the true ratio exceeds that of the best of so many without skill
    periods, horizon : how many periods, of how many sessions
    n_effective : independent strategies that would be as varied
    overfit : probability that the best of one half is below the median in the other; NaN under ten trials
    """

    sharpe: Array
    deflated: Array
    periods: int
    horizon: int
    n_effective: float
    overfit: float


def earn(aligned: Aligned, n: int) -> Earned | None:
    """Trade the mean and variance of the shortest horizon, all assets alike, on rows that do not overlap; None under `MIN_ROWS` of them.

    Position clip(mean / (a variance), 0, 1), decided at a row and held to the next; simple returns after costs.

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
    net = np.mean([[_net(aligned, at, number) for number in range(len(aligned.entries))] for at in every], axis=0)
    table = pd.DataFrame(net.T)
    ratios = np.array([sharpe(column) for column in net])
    effective = effective_trials(table)
    counted = max(effective * n / len(net), 1.0)
    deflated = np.array([deflated_sharpe(column, ratios, counted) for column in net])
    overfit = pbo(table, BLOCKS).pbo if len(net) >= MIN_TRIALS and len(table) >= 2 * BLOCKS else float("nan")
    return Earned(ratios * np.sqrt(SESSIONS_A_YEAR / horizon), deflated, len(table), horizon, effective, overfit)


def _net(aligned: Aligned, at: NDArray[np.int64], number: int) -> Array:
    """Net simple return of each period; the forecast of a row is held over the period that begins there."""
    mean, sd = (np.append(aligned.own[column][at, number], 0.0) for column in ("mean", "sd"))
    returns = np.insert(aligned.rows["y"].to_numpy()[at], 0, 0.0)  # a period ends at the next row
    sd[-1] = 1.0
    return strategy_returns(mean, sd, returns, 1, 0, COST_BP, RISK_AVERSION)["net"].to_numpy()[1:]
