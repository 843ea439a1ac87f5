"""What every champion must meet, check by check: the value, the rule, and whether it is met."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from serving.words import plural
from training.book import SERVED
from training.evaluation.skill import LONGEST_TESTED
from training.promotion.candidate import Candidate
from training.promotion.rules import Sound

SHORT = 21
NO_ROWS, UNKNOWN = "no out-of-sample rows", "not known"


@dataclass(frozen=True)
class Check:
    """One threshold.

    Attributes
    ----------
    name : as in the rules
    value, rule : in words
    passed : whether the value meets the rule
    fault : what is wrong where it does not, in a clause
    """

    name: str
    value: str
    rule: str
    passed: bool
    fault: str = ""

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{'pass' if self.passed else 'FAIL'}: {self.value} (rule: {self.rule})"


def soundness(candidate: Candidate, rules: Sound) -> tuple[Check, ...]:
    """Check a candidate by itself, on its judged out-of-sample rows alone; what is not known meets no rule."""
    served = candidate.skill[candidate.skill["rung"] == SERVED] if len(candidate.skill) else candidate.skill
    tested = served[served["horizon"] <= LONGEST_TESTED] if len(served) else served
    if not len(tested):
        return (Check("min_outer_rows", "0", f"at least {rules.min_outer_rows}", False, NO_ROWS),)
    checks = [
        _rows(tested, candidate.cells, rules),
        _coverage(tested, rules),
        _skill(tested, rules),
        _at_most("max_degenerate_share", candidate.degenerate_share, rules.max_degenerate_share, "{value} of regime refits are degenerate"),
        _churn(candidate, rules),
    ]
    if candidate.label_gain is not None:
        checks.append(_label(candidate.label_gain, rules))
    if candidate.rolled_back is not None:
        checks.append(_not_rolled_back(candidate.rolled_back))
    return tuple(checks)


def unsound(candidate: Candidate, rules: Sound) -> list[str]:
    """Thresholds that are not met, each with its value."""
    return [each.fault for each in soundness(candidate, rules) if not each.passed]


def _rows(tested: pd.DataFrame, cells: tuple[tuple[str, int], ...], rules: Sound) -> Check:
    """Rows of each cell that the run was asked for; one that was not judged has none."""
    judged = {(str(row["asset"]), int(row["horizon"])): int(row["n"]) for row in tested.to_dict("records")}
    rows = judged | {cell: judged.get(cell, 0) for cell in cells if cell[1] <= LONGEST_TESTED}
    rule = f"at least {rules.min_outer_rows} of each asset and horizon"
    (asset, horizon), least = min(rows.items(), key=lambda each: each[1])
    value = f"{least} of {asset} over {horizon} sessions"
    return Check("min_outer_rows", value, rule, least >= rules.min_outer_rows, f"out-of-sample rows: {value}, the rule is {rule}")


def _coverage(tested: pd.DataFrame, rules: Sound) -> Check:
    low, high = rules.coverage_80
    short, rule = tested[tested["horizon"] <= SHORT], f"{low:.0%} to {high:.0%}"
    if not len(short):
        return Check("coverage_80", f"no horizon up to {SHORT}", rule, True)
    coverage = _mean(short["coverage_80"])
    said = f"{coverage:.1%}" if np.isfinite(coverage) else UNKNOWN
    fault = f"80% intervals held {said} of outcomes, the rule is {rule}" if said != UNKNOWN else f"coverage of 80% intervals is {UNKNOWN}"
    return Check("coverage_80", said, rule, bool(low <= coverage <= high), fault)


def _skill(tested: pd.DataFrame, rules: Sound) -> Check:
    skill, rule = _mean(tested["crps_skill"]), f"at least {rules.min_crps_skill:+.3f}"
    said = f"{skill:+.3f}" if np.isfinite(skill) else UNKNOWN
    fault = f"mean CRPS skill is {UNKNOWN}" if said == UNKNOWN else f"mean CRPS skill {said}, the rule is {rule}"
    over = f"mean over {plural(len(tested), 'cell')} up to {LONGEST_TESTED} sessions, each against its own best baseline"
    return Check("min_crps_skill", f"{said}, {over}", rule, skill >= rules.min_crps_skill and said != UNKNOWN, fault)


def _mean(values: pd.Series) -> float:
    """Mean over cells; NaN where any has none."""
    return float(values.mean(skipna=False))


def _churn(candidate: Candidate, rules: Sound) -> Check:
    """A single refit relabels nothing and passes, with these words: there is nothing that it could have been unsteady against."""
    if candidate.refits == 1 and np.isnan(candidate.churn):
        return Check("max_churn", "no churn: one refit", f"at most {rules.max_churn:.0%}", True)
    return _at_most("max_churn", candidate.churn, rules.max_churn, "a refit relabels {value} of days (median)", digits=1)


def _at_most(name: str, value: float, limit: float, words: str, digits: int = 0) -> Check:
    known, rule = bool(np.isfinite(value)), f"at most {limit:.0%}"
    said = f"{value:.{digits}%}" if known else UNKNOWN
    fault = f"{words.format(value=said)}, the rule is {rule}" if known else f"{name.removeprefix('max_').replace('_', ' ')} is {UNKNOWN}"
    return Check(name, said, rule, known and value <= limit, fault)


def _label(gain: float, rules: Sound) -> Check:
    known, rule = bool(np.isfinite(gain)), f"more than {rules.min_label_gain:+.1%}"
    words = f"saves {gain:+.1%} of the base rate's Brier score" if known else "is untested"
    fault = f"the classifier's label {words}, the rule is {rule}"
    return Check("min_label_gain", f"{gain:+.1%}" if known else "untested", rule, gain > rules.min_label_gain, fault)


def _not_rolled_back(words: str) -> Check:
    fault = f"it was rolled back ({words}); take the tag 'rolled_back' off the version to have it judged again"
    return Check("rolled_back", words, "never", False, fault)
