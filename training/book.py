"""The book of one asset and horizon: what each rung said out of sample, and what it cost."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.answers import QUANTILES
from models.distribution import NormalMixture
from models.forecast import BASELINES, RUNGS
from models.inference import Array
from models.scores import crps
from training.evaluation.overlap import mean_of

SERVED = "served"
"""The series of forecasts that the inner choice would have served; it is judged on the outer rows."""

SCORES = ("mean", "sd", "crps", "pit", "p_up")
NEVER = -1
HOME = "M0"
"""The rung that is chosen until another is better by more than chance would make it look."""

MIN_KNOWN = 15
"""Non-overlapping rows before the inner walk may leave the expanding mean."""


class Book:
    """Out-of-sample forecasts and losses of every rung, filled in block by block as the walk goes on.

    Parameters
    ----------
    horizon : sessions
    y : (n_obs,) forward log return; NaN where it is not known yet
    y_delay1 : (n_obs,) the same, entered one session later
    """

    def __init__(self, horizon: int, y: Array, y_delay1: Array) -> None:
        self.horizon = horizon
        self.y = y
        self.y_delay1 = y_delay1
        self.scores = {name: np.full((len(RUNGS), len(y)), np.nan) for name in SCORES}
        self.quantiles = {name: np.full(len(y), np.nan) for name in QUANTILES}
        self.refit = np.full(len(y), NEVER)
        self.chosen = np.full(len(y), NEVER)
        self.outer = np.zeros(len(y), dtype=np.bool_)

    def write(self, block: NDArray[np.int64], forecasts: Mapping[str, NormalMixture], rung: str, refit: int, outer: bool) -> None:
        """Enter the forecasts of one block of rows.

        Parameters
        ----------
        block : positions
        forecasts : by rung
        rung : the one chosen to be served
        refit : number of the refit that made them
        outer : whether the rows are judged
        """
        y = self.y[block]
        for k, name in enumerate(RUNGS):
            forecast = forecasts[name]
            row = (k, block)
            self.scores["mean"][row], self.scores["sd"][row] = forecast.mean(), forecast.sd()
            self.scores["p_up"][row] = 1.0 - forecast.cdf(np.zeros(len(block)))
            self.scores["crps"][row], self.scores["pit"][row] = crps(y, forecast), forecast.cdf(y)
        for name, level in QUANTILES.items():
            self.quantiles[name][block] = forecasts[rung].quantile(level)
        self.refit[block], self.chosen[block], self.outer[block] = refit, list(RUNGS).index(rung), outer

    def choose(self, newest: int) -> tuple[str, str]:
        """Choose by mean CRPS among forecasts that were made out of sample and whose outcome is known.

        The expanding mean is left only for what saved more than one standard error against it, and not before `MIN_KNOWN`
        rows that do not overlap are known: the least of several noisy means is mostly the luckiest.

        Parameters
        ----------
        newest : position of the last row whose outcome is known on the day of the choice

        Returns
        -------
        rung : of all rungs
        baseline : of the baselines
        """
        known = self.scores["crps"][:, : max(newest + 1, 0)]
        known = known[:, ~np.isnan(known).any(axis=0)]
        if known.shape[1] < MIN_KNOWN * self.horizon:
            return HOME, HOME
        losses = dict(zip(RUNGS, known, strict=True))
        return self._surest(losses, tuple(RUNGS)), self._surest(losses, BASELINES)

    def _surest(self, losses: Mapping[str, Array], candidates: tuple[str, ...]) -> str:
        best = min(candidates, key=lambda name: float(losses[name].mean()))
        saved = mean_of(losses[HOME] - losses[best], self.horizon)
        return best if saved.mean > saved.error else HOME

    def table(self, sessions: pd.Index, asset: str, horizon: int) -> pd.DataFrame:
        """Lay the book out: a row per session that was forecast and rung, the served series last."""
        at = np.flatnonzero(self.refit != NEVER)
        shared = {"session": sessions[at], "asset": asset, "horizon": horizon, "y": self.y[at], "y_delay1": self.y_delay1[at]}
        walk = {"outer": self.outer[at], "refit": self.refit[at]}
        rungs = [
            pd.DataFrame(shared | {"rung": name} | {score: values[k, at] for score, values in self.scores.items()} | walk)
            for k, name in enumerate(RUNGS)
        ]
        served = pd.DataFrame(
            shared
            | {"rung": SERVED}
            | {score: values[self.chosen[at], at] for score, values in self.scores.items()}
            | {name: values[at] for name, values in self.quantiles.items()}
            | {"chosen": np.array(list(RUNGS))[self.chosen[at]]}
            | walk
        )
        return pd.concat([*rungs, served], ignore_index=True)
