"""What is left of a p-value when every trial of the family is counted: step-down over those with numbers, a bound for the others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from models.inference import Array
from training.comparison.columns import p_of_columns
from training.comparison.composite import Composite
from training.evaluation.deflation import effective_trials
from training.evaluation.many import model_confidence_set, step_m

SEED = 0
"""Of the resamples: the same family gives the same p-values."""


@dataclass(frozen=True)
class Verdicts:
    """Each trial against the baselines, and all against each other.

    Attributes
    ----------
    trials : by number of the trial: p (raw), p_adjusted (family-wise), q (false discoveries), mcs_p and in_mcs
    baselines : by name: mcs_p and in_mcs
    n_effective : independent trials that would be as varied, of those with numbers
    refused : why there are no p-values; empty where there are
    """

    trials: pd.DataFrame
    baselines: pd.DataFrame
    n_effective: float
    refused: str


def judge_family(composite: Composite, n: int) -> Verdicts:
    """Test every trial with numbers.

    A win must be shown against every baseline: each p-value is the largest of those against each. Raw: Diebold-Mariano on rows that do
    not overlap. Adjusted: step-down of Romano and Wolf on such rows, never below the raw one, times n over the number of trials with
    numbers; of those without (failed, killed, looked at by a person) nobody knows the losses, and each gets as large a share of the
    level as one with.

    Parameters
    ----------
    n : trials of the family
    """
    names = [name for name in map(str, composite.losses) if name not in composite.baselines]
    share = n / len(names)
    losses = composite.losses[names].to_numpy()
    gains = [composite.losses[base].to_numpy()[:, None] - losses for base in composite.baselines]
    p = np.max([p_of_columns(each, composite.horizon) for each in gains], axis=0)
    adjusted, refused = np.zeros(len(names)), ""
    for base in composite.baselines:
        table = step_m(composite.losses[[*names, base]], base, composite.horizon, SEED)
        same = (table["same_as"] == base).to_numpy()
        adjusted = np.maximum(adjusted, np.where(same, 1.0, table["p_adjusted"]))
        refused = refused or next((words for words in table["refused"][~same] if words), "")
    sets = model_confidence_set(composite.losses, composite.horizon, SEED).rename(columns={"p": "mcs_p", "inside": "in_mcs"})
    sets = sets[["mcs_p", "in_mcs"]]
    trials = pd.DataFrame({"p": p, "p_adjusted": np.minimum(np.maximum(adjusted, p) * share, 1.0), "q": _q(p, n)}, index=names).join(sets)
    saved = composite.losses[names].rsub(composite.losses[composite.best_baseline], axis=0)
    return Verdicts(trials, sets.loc[list(composite.baselines)], effective_trials(saved), refused)


def _q(p: Array, n: int) -> Array:
    """Adjust for false discoveries (Benjamini and Hochberg 1995); a trial without numbers counts with p = 1."""
    if np.isnan(p).any():
        return np.full(len(p), np.nan)
    return np.asarray(false_discovery_control(np.concatenate([p, np.ones(n - len(p))])))[: len(p)]
