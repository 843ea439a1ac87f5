"""The book of one asset and horizon: what each rung said out of sample, and what it cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.conformal import LEVELS, bounds, delayed_aci
from models.distribution import NormalMixture, end_to_end
from models.forecast import BASELINES, RUNGS
from models.inference import Array
from models.scores import crps, log_score, pinball
from training.evaluation.overlap import mean_of

SERVED = "served"
"""The series of forecasts that the inner choice would have served; it is judged on the outer rows."""

PINBALL = {"pinball_05": 0.05, "pinball_25": 0.25, "pinball_50": 0.5, "pinball_75": 0.75, "pinball_95": 0.95}
INTERVALS = {"lo50": 0.25, "lo80": 0.1, "lo90": 0.05, "median": 0.5, "hi50": 0.75, "hi80": 0.9, "hi90": 0.95}
OUTCOMES = ("y", "y_delay1", "crps", "crps_baseline_shape", "pit", "log_score", *PINBALL)
"""Columns of the table that tell what became of a forecast; the others tell what was said."""

NEVER = -1
HOME = "M0"
"""The rung that is chosen until another is better by more than chance would make it look."""

MIN_KNOWN = 15
"""Non-overlapping rows before the inner walk may leave the expanding mean."""


@dataclass
class Book:
    """Out-of-sample forecasts of every rung, entered block by block as the walk goes on, and what they cost.

    Attributes
    ----------
    horizon : sessions
    y : (n_obs,) forward log return; NaN where it is not known yet
    y_delay1 : (n_obs,) the same, entered one session later
    crps : (n_rungs, n_obs) what choices rest on
    misses : (n_obs,) |outcome - mean| / sd of the served series
    chosen, refit, outer : (n_obs,) place of the served rung in `RUNGS` and number of the refit, or `NEVER`; whether the row is judged
    """

    horizon: int
    y: Array
    y_delay1: Array
    crps: Array = field(init=False)
    misses: Array = field(init=False)
    chosen: NDArray[np.int64] = field(init=False)
    refit: NDArray[np.int64] = field(init=False)
    outer: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.crps, self.misses = np.full((len(RUNGS), len(self.y)), np.nan), np.full(len(self.y), np.nan)
        self.refit, self.chosen = np.full(len(self.y), NEVER), np.full(len(self.y), NEVER)
        self.outer = np.zeros(len(self.y), dtype=np.bool_)
        self._blocks: list[NDArray[np.int64]] = []
        self._forecasts: list[Mapping[str, NormalMixture]] = []

    def write(
        self, block: NDArray[np.int64], forecasts: Mapping[str, NormalMixture], rung: str, refit: int, outer: bool | NDArray[np.bool_]
    ) -> None:
        """Enter the forecasts of one block of rows, in order of time.

        Parameters
        ----------
        block : positions
        forecasts : by rung
        rung : the one chosen to be served
        refit : number of the refit that made them
        outer : whether the rows are judged
        """
        self.crps[:, block] = _crps_of_all(self.y[block], [forecasts[name] for name in RUNGS])
        self.misses[block] = np.abs(self.y[block] - forecasts[rung].mean()) / forecasts[rung].sd()
        self.refit[block], self.chosen[block], self.outer[block] = refit, list(RUNGS).index(rung), outer
        self._blocks.append(block)
        self._forecasts.append(forecasts)

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
        known = self.crps[:, : max(newest + 1, 0)]
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
        at = np.concatenate(self._blocks) if self._blocks else np.array([], dtype=np.int64)
        shared = {"session": sessions[at], "asset": asset, "horizon": horizon, "y": self.y[at], "y_delay1": self.y_delay1[at]}
        walk = {"outer": self.outer[at], "refit": self.refit[at]}
        if not len(at):
            return pd.DataFrame(shared | {"rung": SERVED} | walk)
        forecasts = {name: end_to_end([each[name] for each in self._forecasts]) for name in RUNGS}
        home = forecasts[HOME].mean()
        scores = {name: _scores(self.y[at], forecast, home, self.crps[k, at]) for k, (name, forecast) in enumerate(forecasts.items())}
        tables = [pd.DataFrame(shared | {"rung": name} | columns | walk) for name, columns in scores.items()]
        chosen = np.array(list(RUNGS))[self.chosen[at]]
        served = _picked(chosen, scores) | _picked(chosen, {name: _quantiles(each, chosen == name) for name, each in forecasts.items()})
        served |= bounds(served["mean"], served["sd"], {name: width[at] for name, width in self.half_widths().items()})
        return pd.concat([*tables, pd.DataFrame(shared | {"rung": SERVED} | served | {"chosen": chosen} | walk)], ignore_index=True)

    def half_widths(self) -> dict[str, Array]:
        """Half-widths of the served series' calibrated intervals on each row, in sd, from the outcomes known on its day."""
        return {name: delayed_aci(self.misses, self.horizon, level).half_width for name, level in LEVELS.items()}


def _crps_of_all(y: Array, forecasts: list[NormalMixture]) -> Array:
    """CRPS of several forecasts of the same rows, (n_forecasts, n_obs): one call for those of equally many parts."""
    out = np.empty((len(forecasts), len(y)))
    parts = np.array([each.weights.shape[1] for each in forecasts])
    for n in np.unique(parts):
        alike = np.flatnonzero(parts == n)
        stacked = (np.concatenate([getattr(forecasts[k], name) for k in alike]) for name in ("weights", "means", "sds"))
        out[alike] = crps(np.tile(y, len(alike)), NormalMixture(*stacked)).reshape(len(alike), -1)
    return out


def _scores(y: Array, forecast: NormalMixture, home: Array, own_crps: Array) -> dict[str, Array]:
    """Columns of one rung: what it said and what that cost; `crps_baseline_shape` is the CRPS of its shape about the expanding mean."""
    out = {"mean": forecast.mean(), "sd": forecast.sd(), "crps": own_crps, "crps_baseline_shape": crps(y, forecast.recentred(home))}
    out |= {"pit": forecast.cdf(y), "p_up": 1.0 - forecast.cdf(np.zeros(len(y))), "log_score": log_score(y, forecast)}
    return out | {name: pinball(y, forecast.quantile(level), level) for name, level in PINBALL.items()}


def _quantiles(forecast: NormalMixture, rows: NDArray[np.bool_]) -> dict[str, Array]:
    """Quantiles of `INTERVALS` on some of the rows, NaN on the others."""
    out = {name: np.full(len(rows), np.nan) for name in INTERVALS}
    if rows.any():
        for name, level in INTERVALS.items():
            out[name][rows] = forecast[rows].quantile(level)
    return out


def _picked(chosen: NDArray[np.str_], columns: Mapping[str, Mapping[str, Array]]) -> dict[str, Array]:
    """Of each row the column of the rung that was chosen on it."""
    names = next(iter(columns.values()))
    return {each: np.select([chosen == rung for rung in columns], [own[each] for own in columns.values()], np.nan) for each in names}


def lock_away(losses: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part what may be seen from the lock-box.

    Returns
    -------
    seen : all rows, without the outcomes (`OUTCOMES`) of those in the lock-box
    locked : the rows of the lock-box with all they hold
    """
    inside = losses["lockbox"].to_numpy(dtype=np.bool_)
    return losses.assign(**{name: losses[name].mask(inside) for name in OUTCOMES}), losses[inside].reset_index(drop=True)
