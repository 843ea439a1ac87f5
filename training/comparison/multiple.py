"""What is left of a p-value when every trial of the family is counted: step-down over those with numbers, a bound for the others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from models.inference import Array
from serving.card import LONGEST_CONFIRMED
from training.comparison.columns import p_of_columns
from training.comparison.composite import Composite
from training.evaluation.deflation import effective_trials
from training.evaluation.many import model_confidence_set, step_m

SEED = 0
"""Of the resamples: the same family gives the same p-values."""


UNTESTED = f"horizons beyond {LONGEST_CONFIRMED} sessions are not tested"


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
    if not composite.tested:
        return _described(composite, names)
    against = [_against(composite, names, base) for base in composite.baselines]
    p, adjusted = (np.max([getattr(each, column) for each in against], axis=0) for column in ("p", "p_adjusted"))
    refused = next((each.refused for each in against if each.refused), "")
    sets = _sets(composite)
    trials = pd.DataFrame({"p": p, "p_adjusted": np.minimum(np.maximum(adjusted, p) * share, 1.0), "q": _q(p, n)}, index=names).join(sets)
    return Verdicts(trials, sets.loc[list(composite.baselines)], _effective(composite, names), refused)


def _described(composite: Composite, names: list[str]) -> Verdicts:
    """Leave the p-values out."""
    sets = _sets(composite)
    trials = pd.DataFrame(np.nan, index=names, columns=["p", "p_adjusted", "q"]).join(sets)
    return Verdicts(trials, sets.loc[list(composite.baselines)], _effective(composite, names), UNTESTED)


def _sets(composite: Composite) -> pd.DataFrame:
    table = model_confidence_set(composite.losses, composite.horizon, SEED)
    return table.rename(columns={"p": "mcs_p", "inside": "in_mcs"})[["mcs_p", "in_mcs"]]


def _effective(composite: Composite, names: list[str]) -> float:
    return effective_trials(composite.losses[names].rsub(composite.losses[composite.best_baseline], axis=0))


@dataclass(frozen=True)
class _Against:
    """Raw and step-down p-values of the trials against one baseline."""

    p: Array
    p_adjusted: Array
    refused: str


def _against(composite: Composite, names: list[str], base: str) -> _Against:
    """Test against the strongest version of a baseline and, where trials had several, against each of them.

    A version of less loss may be easier to beat by this test: one that errs as a trial does leaves no spread. So the raw p-value is the
    largest over all versions, and the step-down is made against the strongest and against the one that leaves the luckiest trial the
    largest raw p-value.
    """
    losses = composite.losses[names]
    versions = composite.versions.get(base, np.empty((len(losses), 0)))
    values = [composite.losses[base].to_numpy(), *versions.T]
    p = np.array([p_of_columns(each[:, None] - losses.to_numpy(), composite.horizon) for each in values])
    adjusted, refused = np.zeros(len(names)), ""
    for number in {0, int(p.min(axis=1).argmax())}:
        table = step_m(losses.assign(**{base: values[number]}), base, composite.horizon, SEED)
        same = (table["same_as"] == base).to_numpy()
        adjusted = np.maximum(adjusted, np.where(same, 1.0, table["p_adjusted"]))
        refused = refused or next((words for words in table["refused"][~same] if words), "")
    return _Against(p.max(axis=0), adjusted, refused)


def _q(p: Array, n: int) -> Array:
    """Adjust for false discoveries (Benjamini and Hochberg 1995); a trial without numbers counts with p = 1."""
    if np.isnan(p).any():
        return np.full(len(p), np.nan)
    return np.asarray(false_discovery_control(np.concatenate([p, np.ones(n - len(p))])))[: len(p)]
