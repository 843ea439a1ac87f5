"""The ladder of forecasts of a forward return, each a distribution on the same volatility (METHODS 3.1)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.boosted import Boosted
from models.distribution import NormalMixture, heavy_tailed, mix
from models.inference import Array
from models.volatility import TAIL_WEIGHT, HorizonScale

BASELINES = ("B0", "B1", "B2", "M0")
MIXTURE = "M6"
"""The rung that is no scale mixture about one mean."""

RUNGS: Mapping[str, str] = {
    "B0": "no drift",
    "B1": "half the expanding mean",
    "B2": "mean of the newest 1000 rows",
    "M0": "expanding mean",
    "M1": "its own momentum",
    "M3": "mean by regime",
    "M4": "ridge on pre-registered features",
    "M4+": "that ridge, never below zero",
    "M5": "boosted trees",
    "M6": "mixture of regimes",
    "M7": "mean of forecasts from one column each",
}
"""The ladder: what each rung knows. A win counts against the best of `BASELINES`."""


@dataclass(frozen=True)
class Inputs:
    """What the rungs read of each row.

    Attributes
    ----------
    vol : (n_obs,) volatility of one session today
    momentum : (n_obs, n_momentum) of the asset itself
    regime : (n_obs, n_states) average probabilities over the horizon
    features : (n_obs, n_features) pre-registered features
    """

    vol: Array
    momentum: Array
    regime: Array
    features: Array

    def __getitem__(self, rows: Any) -> "Inputs":
        """Pick some of the rows."""
        return Inputs(self.vol[rows], self.momentum[rows], self.regime[rows], self.features[rows])

    def complete(self) -> Array:
        """Rows on which every rung can speak, as booleans."""
        whole = ~np.isnan(self.vol)
        for block in (self.momentum, self.regime, self.features):
            whole &= ~np.isnan(block).any(axis=1)
        return whole


def single_columns(inputs: Inputs) -> Array:
    """Columns that M7 forecasts from one at a time, (n_obs, n_columns): momentum and features."""
    return np.column_stack([inputs.momentum, inputs.features])


@dataclass(frozen=True)
class Linear:
    """A linear mean: intercept + (x - center) / scale @ coef; NaN where an input is."""

    intercept: float
    center: tuple[float, ...]
    scale: tuple[float, ...]
    coef: tuple[float, ...]

    def __call__(self, X: Array) -> Array:
        """Mean of each row, (n_obs,)."""
        out = np.full(len(X), self.intercept)
        for x, center, scale, coef in zip(X.T, self.center, self.scale, self.coef, strict=True):
            out += (x - center) / scale * coef  # a matrix product would round one row otherwise than many
        return out


def _filled(X: Array, line: Linear) -> Array:
    """Put a missing value at its training mean, where it says nothing."""
    return np.where(np.isnan(X), np.array(line.center), X)


@dataclass(frozen=True)
class Ladder:
    """All rungs fitted for one asset and horizon.

    Attributes
    ----------
    horizon : sessions
    n_rows : training rows (overlapping)
    mean, recent_mean : mean of the forward return over all rows, over the newest ones
    scale : volatility under every rung
    lines : the linear means of M1, M3, M4 and M7
    trees : what M5 adds to the mean
    regime_means, regime_ratios : (n_states,) mean, and spread relative to `scale`, in each regime, for M6
    """

    horizon: int
    n_rows: int
    mean: float
    recent_mean: float
    scale: HorizonScale
    lines: Mapping[str, Linear]
    trees: Boosted
    regime_means: tuple[float, ...]
    regime_ratios: tuple[float, ...]

    def predict(self, rung: str, inputs: Inputs) -> NormalMixture:
        """Distribution of the forward return of each row.

        Parameters
        ----------
        rung : one of `RUNGS`
        inputs : rows to forecast
        """
        if rung not in RUNGS:
            raise ValueError(f"forecast: rung '{rung}' is unknown; rule: one of {', '.join(RUNGS)}")
        sd = self.scale.sd(inputs.vol, self.horizon)
        if rung == MIXTURE:
            parts = [self._around(np.full(len(sd), m), sd * r) for m, r in zip(self.regime_means, self.regime_ratios, strict=True)]
            return mix(parts, inputs.regime)
        return self._around(self._mean(rung, inputs), sd)

    def constant(self, rung: str) -> float:
        """Mean of a baseline, the same on every row."""
        return {"B0": 0.0, "B1": 0.5 * self.mean, "B2": self.recent_mean, "M0": self.mean}[rung]

    def _mean(self, rung: str, inputs: Inputs) -> Array:
        if rung in BASELINES:
            return np.full(len(inputs.vol), self.constant(rung))
        if rung == "M5":
            return self.mean + self.trees(_filled(inputs.features, self.lines["M4"]))
        if rung == "M4+":
            return np.maximum(self._mean("M4", inputs), 0.0)
        line = self.lines[rung]
        if rung in ("M4", "M7"):
            return line(_filled(inputs.features if rung == "M4" else single_columns(inputs), line))
        return line(inputs.momentum if rung == "M1" else inputs.regime[:, :-1])

    def _around(self, mean: Array, sd: Array) -> NormalMixture:
        return heavy_tailed(mean, sd, TAIL_WEIGHT, self.scale.tail_ratio)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON (a float survives the round trip to the last bit)."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Ladder":
        """Inverse of `to_dict`."""
        lines = {
            rung: Linear(line["intercept"], *(tuple(line[k]) for k in ("center", "scale", "coef")))
            for rung, line in values["lines"].items()
        }
        return cls(
            values["horizon"],
            values["n_rows"],
            values["mean"],
            values["recent_mean"],
            HorizonScale(**values["scale"]),
            lines,
            Boosted.from_dict(values["trees"]),
            tuple(values["regime_means"]),
            tuple(values["regime_ratios"]),
        )
