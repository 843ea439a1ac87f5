"""What every champion must meet, check by check: the value, the rule, and whether it is met."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.book import SERVED
from training.evaluation.skill import LONGEST_TESTED
from training.promotion.candidate import Candidate
from training.promotion.rules import Sound

SHORT = 21
NO_ROWS = "no out-of-sample rows"


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
    """Check a candidate by itself, on its judged out-of-sample rows alone."""
    served = candidate.skill[candidate.skill["rung"] == SERVED] if len(candidate.skill) else candidate.skill
    tested = served[served["horizon"] <= LONGEST_TESTED] if len(served) else served
    if not len(tested):
        return (Check("min_outer_rows", "0", f"at least {rules.min_outer_rows}", False, NO_ROWS),)
    checks = [
        _rows(tested, rules),
        _coverage(served, rules),
        _skill(tested, rules),
        _at_most("max_degenerate_share", candidate.degenerate_share, rules.max_degenerate_share, "{value} of regime refits are degenerate"),
        _at_most("max_churn", candidate.churn, rules.max_churn, "a refit relabels {value} of days (median)", digits=1),
    ]
    if candidate.label_gain is not None:
        checks.append(_label(candidate.label_gain, rules))
    if candidate.rolled_back is not None:
        checks.append(_not_rolled_back(candidate.rolled_back))
    return tuple(checks)


def unsound(candidate: Candidate, rules: Sound) -> list[str]:
    """Thresholds that are not met, each with its value."""
    return [each.fault for each in soundness(candidate, rules) if not each.passed]


def _rows(tested: pd.DataFrame, rules: Sound) -> Check:
    rows, rule = int(tested["n"].min()), f"at least {rules.min_outer_rows}"
    return Check("min_outer_rows", f"{rows}", rule, rows >= rules.min_outer_rows, f"{rows} out-of-sample rows, the rule is {rule}")


def _coverage(served: pd.DataFrame, rules: Sound) -> Check:
    low, high = rules.coverage_80
    coverage = float(served.loc[served["horizon"] <= SHORT, "coverage_80"].mean())
    known, rule = bool(np.isfinite(coverage)), f"{low:.0%} to {high:.0%}"
    words = f"80% intervals held {coverage:.1%} of outcomes, the rule is {rule}"
    return Check(
        "coverage_80", f"{coverage:.1%}" if known else f"no horizon up to {SHORT}", rule, not known or low <= coverage <= high, words
    )


def _skill(tested: pd.DataFrame, rules: Sound) -> Check:
    skill, rule = float(tested["crps_skill"].mean()), f"at least {rules.min_crps_skill:+.3f}"
    passed = not skill < rules.min_crps_skill
    return Check("min_crps_skill", f"{skill:+.3f}", rule, passed, f"mean CRPS skill {skill:+.3f}, the rule is {rule}")


def _at_most(name: str, value: float, limit: float, words: str, digits: int = 0) -> Check:
    said, rule = f"{value:.{digits}%}", f"at most {limit:.0%}"
    return Check(name, said, rule, not value > limit, f"{words.format(value=said)}, the rule is {rule}")


def _label(gain: float, rules: Sound) -> Check:
    known, rule = bool(np.isfinite(gain)), f"more than {rules.min_label_gain:+.1%}"
    words = f"saves {gain:+.1%} of the base rate's Brier score" if known else "is untested"
    fault = f"the classifier's label {words}, the rule is {rule}"
    return Check("min_label_gain", f"{gain:+.1%}" if known else "untested", rule, gain > rules.min_label_gain, fault)


def _not_rolled_back(words: str) -> Check:
    fault = f"it was rolled back ({words}); take the tag 'rolled_back' off the version to have it judged again"
    return Check("rolled_back", words, "never", False, fault)
