"""Explicit durations by more states: a regime that lasts a sum of geometric times is a series of sub-states that look alike."""

import numpy as np
from numpy.typing import NDArray

from models.params import Array, HMMParams


def expand_durations(params: HMMParams, stages: NDArray[np.int64]) -> HMMParams:
    """Give each regime a negative-binomial dwell of unchanged mean (Rabiner 1989, section IV.D; Langrock and Zucchini 2011).

    Regime k becomes `stages[k]` sub-states in series, each left with the same probability and with the regime's emissions; the last leads
    to the first sub-state of another regime. A stage left with probability q makes a mean of stages / q, so q is stages (1 - a_kk), and
    the variance of the dwell falls as 1 / stages. The ordinary filter and smoother do the rest.

    Parameters
    ----------
    params : of the regimes; a_kk gives the mean dwell 1 / (1 - a_kk)
    stages : (n_states,) sub-states of each regime, at least 1 and at most its mean dwell

    Returns
    -------
    Model of sum(stages) states, regime after regime; its start is spread evenly over a regime's sub-states, as in the long run
    """
    leave = stages * (1.0 - np.diag(params.trans))
    if (stages < 1).any() or (leave > 1.0).any():
        raise ValueError(
            f"expand_durations: {stages.tolist()} stages for leaving probabilities {(leave / stages).tolist()}; rule: at least "
            "1 stage, and no more than the mean dwell"
        )
    regime = np.repeat(np.arange(params.n_states), stages)
    first = np.concatenate([[0], np.cumsum(stages)[:-1]])
    trans = np.zeros((len(regime), len(regime)))
    for s, k in enumerate(regime):
        trans[s, s] = 1.0 - leave[k]
        if s + 1 < first[k] + stages[k]:
            trans[s, s + 1] = leave[k]
        else:
            others = np.arange(params.n_states) != k
            away = params.trans[k, others]
            trans[s, first[others]] += leave[k] * away / away.sum()
    return HMMParams((params.start / stages)[regime], trans, params.means[regime], params.scales[regime], params.dof[regime])


def by_regime(probs: Array, stages: NDArray[np.int64]) -> Array:
    """Add up probabilities (n_obs, sum(stages)) of sub-states to those of regimes, (n_obs, n_states)."""
    first = np.concatenate([[0], np.cumsum(stages)[:-1]])
    return np.asarray(np.add.reduceat(probs, first, axis=1))
