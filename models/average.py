"""Several regime models read as one: the average of their probabilities, and how far they are apart."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from models.identity import Identity
from models.inference import average_move, predict_moved
from models.params import PARAMS, Array, HMMParams
from models.regime import RegimeHMM
from models.rows import Rows, take
from models.stacked import StackedFilter, stack

RANGE = (0.1, 0.9)
"""Quantiles over refits that are shown as the range of a probability."""

EVEN = 0.5
"""Members on both sides of this do not agree on the first state."""


@dataclass(frozen=True)
class RegimeAverage:
    """Regime models of the same columns and states, each weighing the same.

    Attributes
    ----------
    names : of the members, for tables
    members : fitted models
    """

    names: tuple[str, ...]
    members: tuple[RegimeHMM, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Features that they read."""
        return self.members[0].columns

    @property
    def n_states(self) -> int:
        """Number of states."""
        return self.members[0].n_states

    @property
    def identified(self) -> bool:
        """Whether the states may carry their names: as the first member says."""
        return self.members[0].identified

    @cached_property
    def stacked(self) -> StackedFilter:
        """The members' filters side by side."""
        members = self.members
        return stack([m.center for m in members], [m.scale for m in members], [m.clip for m in members], [m.params for m in members])

    def filter_states(self, frame: pd.DataFrame | Rows, last: Array | None = None) -> Array:
        """Filtered probabilities of every member, (n_obs, n_members, n_states).

        Parameters
        ----------
        frame : contiguous rows
        last : (n_members, n_states) at the row before the first; None at the beginning of history
        """
        return self.stacked.filter_states(take(frame, self.columns), last)

    def proba(self, states: Array) -> Array:
        """Average over the members, (n_obs, n_states)."""
        return np.asarray(states.mean(axis=1))

    def filter_proba(self, frame: pd.DataFrame | Rows, last: Array | None = None) -> Array:
        """Average filtered probabilities of each row, (n_obs, n_states); arguments as of `filter_states`."""
        return self.proba(self.filter_states(frame, last))

    def predict_proba_ahead(self, probs: Array, steps: int, frame: pd.DataFrame | Rows | None = None) -> Array:
        """Average regime probabilities over the next `steps` sessions, (n_obs, n_states), averaged over the members' transitions."""
        if steps not in self._moves:
            self._moves[steps] = np.mean([average_move(each.params.trans, steps) for each in self.members], axis=0)
        return predict_moved(probs, self._moves[steps])

    @cached_property
    def _moves(self) -> dict[int, Array]:
        return {}

    def arrays(self) -> dict[str, Array]:
        """Give its numbers by name, members along the first axis."""
        out = {name: np.stack([getattr(each, name) for each in self.members]) for name in ("center", "scale", "clip")}
        return out | {name: np.stack([getattr(each.params, name) for each in self.members]) for name in PARAMS}


def make_average(
    columns: tuple[str, ...], names: tuple[str, ...], identities: tuple[Identity, ...], arrays: dict[str, Array]
) -> RegimeAverage:
    """Inverse of `RegimeAverage.arrays`; `identities` of each member."""
    members = [
        RegimeHMM(columns, center, scale, HMMParams(*params), identity, clip=float(clip))
        for center, scale, clip, identity, *params in zip(
            arrays["center"], arrays["scale"], arrays["clip"], identities, *(arrays[name] for name in PARAMS), strict=True
        )
    ]
    return RegimeAverage(names, tuple(members))


def quantile_range(states: Array) -> tuple[Array, Array]:
    """Low and high end (`RANGE`) of the first state's probability over the members, (n_obs,) each.

    Parameters
    ----------
    states : (n_obs, n_members, n_states)
    """
    low, high = np.quantile(states[:, :, 0], RANGE, axis=1)
    return np.asarray(low), np.asarray(high)


def whole_range(states: Array) -> tuple[Array, Array]:
    """Lowest and highest probability of the first state among the members, (n_obs,) each."""
    return states[:, :, 0].min(axis=1), states[:, :, 0].max(axis=1)


def spread_parts(states: Array, group: Array) -> tuple[Array, Array]:
    """Part the variance of the first state's probability over refits: between the groups' means, and within groups.

    Parameters
    ----------
    states : (n_obs, n_refits, n_states)
    group : (n_refits,) the specification that each refit belongs to

    Returns
    -------
    between, within : (n_obs,), weighted by the sizes of the groups: they add up to the variance over all refits
    """
    first, kinds = states[:, :, 0], np.unique(group)
    share = np.array([(group == kind).mean() for kind in kinds])
    means = np.stack([first[:, group == kind].mean(axis=1) for kind in kinds], axis=1)
    within = np.stack([first[:, group == kind].var(axis=1) for kind in kinds], axis=1) @ share
    return np.asarray(((means - first.mean(axis=1)[:, None]) ** 2) @ share), np.asarray(within)
