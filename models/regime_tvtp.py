"""A regime model whose transitions are driven by columns known the day before, as it is used. NumPy alone, nothing is compiled."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.identity import Identity
from models.inference import Array, expected_dwell, predict_average, predict_moved
from models.regime import RegimeHMM
from models.rows import Rows, take
from models.tvtp import Moving, TVTPParams, filter_onward

DRIVER_LIMIT = 4.0
"""Standard deviations from its mean beyond which a driver is read as this far: a logit is not to be stretched where nothing was seen."""

MOVES = ("coefs", "driver_center", "driver_scale", "average", "persistence")


@dataclass(frozen=True)
class RegimeTVTP:
    """Fitted regime model with driven transitions; state 0 has the highest score (mean over standard deviation of the score column).

    The drivers of row t - 1 drive the move to row t. A driver that is missing counts as average, so that it moves nothing. A driver may be
    one of the observed columns too: row t - 1 has been seen before the move to t.

    Attributes
    ----------
    base : the regime model of the same states whose transitions stay where average drivers put them; columns that states emit, names, fit
    drivers : features that drive the transitions, in order
    coefs : (n_states, n_states, 1 + n_drivers) as of `models.tvtp.TVTPParams`
    driver_center, driver_scale : (n_drivers,) of the training window, frozen
    average : (n_states, n_states) mean of the training rows' transition matrices, which is not the matrix at average drivers
    persistence : (n_states,) in [0, 1), how much of a row's distance from that mean is left a session later
    """

    base: RegimeHMM
    drivers: tuple[str, ...]
    coefs: Array
    driver_center: Array
    driver_scale: Array
    average: Array
    persistence: Array

    @property
    def columns(self) -> tuple[str, ...]:
        """Features that it reads, each once."""
        return tuple(dict.fromkeys((*self.base.columns, *self.drivers)))

    @property
    def n_states(self) -> int:
        """Number of states."""
        return self.base.n_states

    @property
    def identity(self) -> Identity:
        """What the states' names rest on."""
        return self.base.identity

    @property
    def identified(self) -> bool:
        """Whether the states may carry their names."""
        return self.base.identified

    @property
    def dwell(self) -> Array:
        """Expected sessions in each state under the mean matrix."""
        return expected_dwell(self.average)

    @property
    def params(self) -> TVTPParams:
        """Emissions on the standardised scale and coefficients; drivers in their own units."""
        return TVTPParams(self.base.params, self.coefs, self.driver_center, self.driver_scale)

    def standardise(self, frame: pd.DataFrame | Rows) -> Array:
        """What the states emit on the training window's scale, (n_obs, n_features)."""
        return self.base.standardise(frame)

    def driven_by(self, frame: pd.DataFrame | Rows) -> Array:
        """Drivers in their own units, (n_obs, n_drivers), held within `DRIVER_LIMIT`; NaN where missing."""
        reach = DRIVER_LIMIT * self.driver_scale
        rows = take(frame, self.drivers)
        return np.asarray(np.clip(rows, self.driver_center - reach, self.driver_center + reach))

    def leading(self, frame: pd.DataFrame | Rows) -> Array:
        """p(state_{t+1} | state_t, drivers of t) of each row, (n_obs, n_states, n_states)."""
        return self.params.leading(self.driven_by(frame))

    def filter_states(self, frame: pd.DataFrame | Rows, last: Array | None = None) -> Array:
        """Carry on from row to row, (n_obs, 2, n_states): p(state_t | rows up to t) and p(state_{t+1} | rows up to t).

        Parameters
        ----------
        frame : contiguous rows
        last : (2, n_states) of the row before the first; None at the beginning of history
        """
        filtered = self._filter(frame, last)
        return np.stack([filtered.probs, filtered.next_probs], axis=1)

    def proba(self, states: Array) -> Array:
        """p(state_t | rows up to t), (n_obs, n_states), from what `filter_states` gave."""
        return states[:, 0]

    def filter_proba(self, frame: pd.DataFrame | Rows, last: Array | None = None) -> Array:
        """p(state_t | rows up to t) of each row, (n_obs, n_states); arguments as of `filter_states`."""
        return self._filter(frame, last).probs

    def log_next(self, frame: pd.DataFrame | Rows) -> Array:
        """One-step log scores of each row on the standardised scale, (n_obs,)."""
        return self._filter(frame, None).log_next

    def predict_proba_ahead(self, probs: Array, steps: int, frame: pd.DataFrame | Rows | None = None) -> Array:
        """Average regime probabilities over the next `steps` sessions, (n_obs, n_states).

        The first move is driven by the newest drivers. Later ones are not known: the expected matrix of the move after i more sessions is
        average + persistence**i (leading - average), as if each row of the matrix went back to its average like the probability of staying,
        at its autocorrelation: the best linear forecast of two states where that falls geometrically. Steps are
        taken with expected matrices, as if moves of different sessions were independent.

        Parameters
        ----------
        probs : (n_obs, n_states) filtered probabilities
        frame : rows that they belong to, for their drivers; without them the average matrix moves all sessions
        """
        if frame is None:
            return predict_average(probs, self.average, steps)
        apart, left = self.leading(frame) - self.average, np.ones(self.n_states)
        belief, total = probs, np.zeros_like(probs)
        for _ in range(steps):
            belief = predict_moved(belief, self.average + left[:, None] * apart)
            total = total + belief
            left = left * self.persistence
        return np.asarray(total / steps)

    def arrays(self) -> dict[str, Array]:
        """Give the numbers of its transitions by name; those of `base` are its own."""
        return {name: getattr(self, name) for name in MOVES}

    def _filter(self, frame: pd.DataFrame | Rows, last: Array | None) -> Moving:
        return filter_onward(self.standardise(frame), self.driven_by(frame), self.params, None if last is None else last[1])
