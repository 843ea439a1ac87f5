"""Filters of many HMMs of the same columns and states at once, NumPy alone: what a hundred would say costs little more than one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.emissions import patterns, whitening
from models.params import PARAMS, Array, HMMParams


@dataclass(frozen=True)
class _Seen:
    """What densities of the same columns need.

    Attributes
    ----------
    means : (n_models, n_states, n_seen)
    whiten : (n_models, n_states, n_seen, n_seen) lower triangular
    constant : (n_models, n_states) log-density at the mean
    """

    means: Array
    whiten: Array
    constant: Array


@dataclass(frozen=True)
class StackedFilter:
    """Filters of several models, each on its own scale.

    Attributes
    ----------
    center, scale : (n_models, n_features)
    clip : (n_models,) standardised values beyond are read as this
    start : (n_models, n_states)
    trans : (n_models, n_states, n_states)
    means : (n_models, n_states, n_features)
    scales : (n_models, n_states, n_features, n_features)
    dof : (n_models, n_states)
    """

    center: Array
    scale: Array
    clip: Array
    start: Array
    trans: Array
    means: Array
    scales: Array
    dof: Array
    _ready: dict[bytes, _Seen] = field(default_factory=dict, repr=False, compare=False)

    def filter_states(self, X: Array, last: Array | None = None) -> Array:
        """Filtered probabilities of every model, (n_obs, ..., n_models, n_states).

        Parameters
        ----------
        X : (n_obs, ..., n_features) contiguous rows in the features' units, of one sequence or of several side by side; NaN where missing
        last : (..., n_models, n_states) at the row before the first; None at the beginning of history
        """
        dens = self.log_density(X)
        out = np.empty_like(dens)
        belief = self.start if last is None else self._moved(last)
        for t in range(len(dens)):
            out[t] = _updated(belief, dens[t])
            belief = self._moved(out[t])
        return out

    def log_density(self, X: Array) -> Array:
        """Log-density of each row under each state of each model, (n_obs, ..., n_models, n_states); what is missing is integrated out."""
        rows = X.reshape(-1, X.shape[-1])
        out = np.zeros((len(rows), *self.dof.shape))
        for seen, at in patterns(rows):
            if seen.any():
                out[at] = self._of_seen(rows[np.ix_(at, seen)], seen)
        return out.reshape(*X.shape[:-1], *self.dof.shape)

    def _of_seen(self, rows: Array, seen: NDArray[np.bool_]) -> Array:
        ready = self._prepared(seen)
        scaled = (rows[:, None] - self.center[:, seen]) / self.scale[:, seen]
        scaled = np.clip(scaled, -self.clip[:, None], self.clip[:, None])
        squared = np.zeros((len(rows), *self.dof.shape))
        gaps = [scaled[:, :, None, j] - ready.means[:, :, j] for j in range(scaled.shape[2])]
        for i in range(len(gaps)):
            z = ready.whiten[:, :, i, 0] * gaps[0]
            for j in range(1, i + 1):
                z += ready.whiten[:, :, i, j] * gaps[j]
            z *= z
            squared += z
        return ready.constant + self._kernel(squared, len(gaps))

    def _kernel(self, squared: Array, n_seen: int) -> Array:
        """Log-density relative to that at the mean, from squared distances, as `models.emissions.kernel`."""
        out = -0.5 * squared
        heavy = np.isfinite(self.dof)
        if heavy.any():
            dof = self.dof[heavy]
            out[:, heavy] = -0.5 * (dof + n_seen) * np.log1p(squared[:, heavy] / dof)
        return out

    def _prepared(self, seen: NDArray[np.bool_]) -> _Seen:
        key = seen.tobytes()
        if key not in self._ready:
            n_models, n_states, n_features = self.means.shape
            flat = HMMParams(
                np.zeros(n_models * n_states),
                np.zeros((0, 0)),
                self.means.reshape(-1, n_features),
                self.scales.reshape(-1, n_features, n_features),
                self.dof.ravel(),
            )
            whiten, constant = whitening(flat, seen)
            n_seen = int(seen.sum())
            self._ready[key] = _Seen(
                self.means[:, :, seen], whiten.reshape(n_models, n_states, n_seen, n_seen), constant.reshape(n_models, n_states)
            )
        return self._ready[key]

    def _moved(self, probs: Array) -> Array:
        out = probs[..., 0, None] * self.trans[:, 0]
        for k in range(1, self.trans.shape[1]):  # a matrix product would round one row otherwise than many
            out = out + probs[..., k, None] * self.trans[:, k]
        return out


def _updated(prior: Array, log_dens: Array) -> Array:
    """Update probabilities (..., n_states) with one observation, as `models.inference.filter_step`."""
    possible = np.where(prior > 0.0, log_dens, -np.inf)
    peak = possible.max(axis=-1, keepdims=True)
    stuck = peak == -np.inf  # every possible state calls the observation impossible: keep what was believed
    joint = prior * np.exp(possible - np.where(stuck, 0.0, peak))
    total = joint.sum(axis=-1, keepdims=True)
    return np.asarray(np.where(stuck, prior, joint / np.where(stuck, 1.0, total)))


def stack(centers: Sequence[Array], scales: Sequence[Array], clips: Sequence[float], params: Sequence[HMMParams]) -> StackedFilter:
    """Put models side by side: their standardisations, and their parameters on the standardised scale."""
    start, trans, means, spreads, dof = (np.stack([getattr(each, name) for each in params]) for name in PARAMS)
    return StackedFilter(np.stack(centers), np.stack(scales), np.array(clips, dtype=np.float64), start, trans, means, spreads, dof)
