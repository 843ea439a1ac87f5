"""A yardstick for the number of states: one state that remembers the row before.

States say nothing of how a column moves within them. A column that is a moving average, or the logarithm of one, hardly moves from one row
to the next, and a hidden Markov model follows it by jumping between ever more states: its log score rises with their number although
nothing ever switches. An autoregression without any state shows when that is so.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.emissions import LOG_2PI
from models.params import Array
from models.selection_walk import WalkSettings, refit_rows

PERSISTENT = 0.7
"""A column is told of as persistent from this correlation with the row before."""


@dataclass(frozen=True)
class Memory:
    """Out-of-sample log scores of a Gaussian first-order autoregression in each column.

    Attributes
    ----------
    log_next : (n_out,) one-step log scores of the rows that candidates are scored on
    correlations : by name of column, correlation with the row before
    """

    log_next: Array
    correlations: dict[str, float]

    def told(self) -> str:
        """Name the persistent columns with their correlations; all of them where none is."""
        high = {name: value for name, value in self.correlations.items() if value >= PERSISTENT} or self.correlations
        return ", ".join(f"{name} {value:.2f}" for name, value in high.items())


def remember(X: Array, names: list[str], settings: WalkSettings) -> Memory:
    """Score the autoregression on the walk of the candidates, refitted on the same rows.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing; after a missing value the long-run law is taken
    """
    scores = [_block(X, int(seen), int(end)) for seen, end in pairwise(refit_rows(len(X), settings))]
    correlations = {name: _slope(column)[2] for name, column in zip(names, X.T, strict=True)}
    return Memory(np.concatenate(scores), correlations)


def _block(X: Array, seen: int, end: int) -> Array:
    total = np.zeros(end - seen)
    for column in X[:end].T:
        past = column[:seen]
        center, slope, correlation = _slope(past)
        variance = float(np.nanvar(past))
        before, now = column[seen - 1 : end - 1], column[seen:end]
        known = ~np.isnan(before)
        mean = center + np.where(known, slope * (np.where(known, before, center) - center), 0.0)
        spread = variance * np.where(known, 1.0 - correlation**2, 1.0)
        dens = -0.5 * (LOG_2PI + np.log(spread) + (now - mean) ** 2 / spread)
        total += np.where(np.isnan(now), 0.0, dens)
    return total


def _slope(column: Array) -> tuple[float, float, float]:
    """Mean of a column, its slope on the row before, and their correlation, from pairs that are both there."""
    pairs = np.column_stack([column[:-1], column[1:]])
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    center = float(np.nanmean(column))
    if len(pairs) < 3 or not (np.ptp(pairs, axis=0) > 0.0).all():
        return center, 0.0, 0.0
    z = (pairs - pairs.mean(axis=0)) / pairs.std(axis=0)
    correlation = float(np.mean(z[:, 0] * z[:, 1]))
    # a column may be one value nearly always: some spread has to be left
    bounded = float(np.clip(correlation, -0.9999, 0.9999))
    return center, bounded * float(np.std(pairs[:, 1]) / np.std(pairs[:, 0])), bounded
