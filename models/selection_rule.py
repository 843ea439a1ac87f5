"""The rule by which a number of states is chosen, and the reason against each other one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.params import Array
from models.selection_walk import Candidate, Trial


@dataclass(frozen=True)
class Limits:
    """What a candidate must keep, and how its score is compared.

    Attributes
    ----------
    occupancy : least share of rows of its rarest state
    dwell : least expected rows in its shortest-lived state
    churn : largest share of rows relabelled from one refit to the next, on average
    block : rows of the non-overlapping blocks that standard errors are made of
    """

    occupancy: float = 0.05
    dwell: float = 10.0
    churn: float = 0.10
    block: int = 63


@dataclass(frozen=True)
class Verdict:
    """What the rule says.

    Attributes
    ----------
    chosen : the candidate
    behind : by candidate, mean log score behind the best and its standard error
    sound : candidates that keep the limits
    reasons : by candidate, why it was chosen or refused
    """

    chosen: Candidate
    behind: dict[Candidate, tuple[float, float]]
    sound: frozenset[Candidate]
    reasons: dict[Candidate, str]


def mean_and_error(values: Array, block: int) -> tuple[float, float]:
    """Mean of a series and its standard error from means of non-overlapping blocks of `block` rows (at least two, alike to one row)."""
    parts = np.array([part.mean() for part in np.array_split(values, max(len(values) // block, 2))])
    return float(values.mean()), float(parts.std(ddof=1) / np.sqrt(len(parts)))


def decide(trials: Sequence[Trial], limits: Limits) -> Verdict:
    """Choose the smallest number of states that is sound and whose log score is within one standard error of the best.

    The best is the candidate of the highest mean score, sound or not; where none that is sound comes as near, the best of the sound ones
    stands in. Of two with the same number of states the one of the higher score is chosen.
    """
    fitted = [trial for trial in trials if not trial.failure]
    faults = {trial.candidate: faults_of(trial, limits) for trial in trials}
    sound = [trial for trial in fitted if not faults[trial.candidate]]
    best = max(fitted, key=_score)
    behind = {trial.candidate: mean_and_error(best.log_next - trial.log_next, limits.block) for trial in fitted}
    near = [trial for trial in sound if _near(behind[trial.candidate])]
    against = best
    if not near and sound:
        against = max(sound, key=_score)
        near = [trial for trial in sound if _near(mean_and_error(against.log_next - trial.log_next, limits.block))]
    chosen = min(near or fitted, key=lambda trial: (trial.candidate.n_states, -_score(trial))).candidate
    own_gap = {trial.candidate: mean_and_error(against.log_next - trial.log_next, limits.block) for trial in fitted}
    reasons = {trial.candidate: _reason(trial, chosen, against.candidate, best.candidate, own_gap, faults) for trial in trials}
    return Verdict(chosen, behind, frozenset(trial.candidate for trial in sound), reasons)


def faults_of(trial: Trial, limits: Limits) -> list[str]:
    """Say which limits a candidate breaks."""
    if trial.failure:
        return [f"not fitted: {trial.failure}"]
    out = []
    if trial.occupancy < limits.occupancy:
        out.append(f"a state holds {trial.occupancy:.2%} of the rows (at least {limits.occupancy:.0%})")
    if trial.dwell < limits.dwell:
        out.append(f"a state lasts {trial.dwell:.1f} rows (at least {limits.dwell:g})")
    if trial.churn > limits.churn:
        out.append(f"{trial.churn:.1%} of labels change at a refit (at most {limits.churn:.0%})")
    if not trial.converged:
        out.append("EM did not converge (raise n_iter)")
    return out


def _reason(
    trial: Trial,
    chosen: Candidate,
    against: Candidate,
    best: Candidate,
    gaps: dict[Candidate, tuple[float, float]],
    faults: dict[Candidate, list[str]],
) -> str:
    own = trial.candidate
    if own == chosen:
        named = "the best score" if against == best else "the best score of those that are sound"
        which = f"it has {named}" if own == against else f"within one standard error of {named} ({against})"
        return f"chosen: {which}" if not faults[own] else f"chosen though {'; '.join(faults[own])}: nothing is sound"
    words = list(faults[own])
    if not trial.failure and not _near(gaps[own]):
        gap, error = gaps[own]
        errors = f", {gap / error:.1f} standard errors" if error > 0.0 else ""
        words.append(f"{gap:.4f} a row behind {against}{errors}")
    if not words and own.n_states > chosen.n_states:
        words.append(f"not better than {chosen} by more than one standard error of the best, with more states")
    return "; ".join(words) or f"same number of states as {chosen}, lower score"


def _score(trial: Trial) -> float:
    return float(trial.log_next.mean())


def _near(gap: tuple[float, float]) -> bool:
    return gap[0] <= gap[1]
