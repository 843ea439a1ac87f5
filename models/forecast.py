"""The ladder of forecasts of a forward return, each a distribution on the same volatility (METHODS 3.1)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.distribution import NormalMixture, heavy_tailed, mix
from models.inference import Array
from models.volatility import TAIL_WEIGHT, HorizonScale

BASELINES = ("B0", "M0")
RUNGS: Mapping[str, str] = {
    "B0": "no drift",
    "M0": "expanding mean",
    "M1": "its own momentum",
    "M3": "mean by regime",
    "M4": "ridge on pre-registered features",
    "M6": "mixture of regimes",
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


@dataclass(frozen=True)
class Ladder:
    """All rungs fitted for one asset and horizon.

    Attributes
    ----------
    horizon : sessions
    n_rows : training rows (overlapping)
    mean : expanding mean of the forward return
    scale : volatility under every rung
    lines : the linear means of M1, M3 and M4
    regime_means, regime_ratios : (n_states,) mean, and spread relative to `scale`, in each regime, for M6
    """

    horizon: int
    n_rows: int
    mean: float
    scale: HorizonScale
    lines: Mapping[str, Linear]
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
        if rung == "M6":
            parts = [self._around(np.full(len(sd), m), sd * r) for m, r in zip(self.regime_means, self.regime_ratios, strict=True)]
            return mix(parts, inputs.regime)
        return self._around(self._mean(rung, inputs), sd)

    def _mean(self, rung: str, inputs: Inputs) -> Array:
        if rung == "B0":
            return np.zeros(len(inputs.vol))
        if rung == "M0":
            return np.full(len(inputs.vol), self.mean)
        if rung == "M4":  # a missing feature is put at its training mean, where it says nothing
            known = ~np.isnan(inputs.features)
            return self.lines[rung](np.where(known, inputs.features, np.array(self.lines[rung].center)))
        return self.lines[rung]({"M1": inputs.momentum, "M3": inputs.regime[:, :-1]}[rung])

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
            HorizonScale(**values["scale"]),
            lines,
            tuple(values["regime_means"]),
            tuple(values["regime_ratios"]),
        )
