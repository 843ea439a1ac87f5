"""Who is champion: sound by numbers, and better than the champion on the same dates."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.book import SERVED
from training.evaluation.overlap import mean_of
from training.evaluation.skill import LONGEST_TESTED
from training.labels import LabelNote
from training.promotion.candidate import Candidate
from training.promotion.rules import Better, PromoteConfig, Sound

KEY = ["asset", "horizon", "session"]
SHORT = 21
SAME_OUTCOME = 1e-9
"""Largest difference of log returns, and relative one of losses, that still counts as the same."""


@dataclass(frozen=True)
class Decision:
    """Whether the alias moves, and why.

    Attributes
    ----------
    promoted, reason : the decision
    labels : what became of the champion's labels; None where the version is none, or nothing was to be moved
    """

    promoted: bool
    reason: str
    labels: LabelNote | None = None


def decide(candidate: Candidate, champion: Candidate | None, rules: PromoteConfig) -> Decision:
    """Decide whether the candidate becomes champion.

    Parameters
    ----------
    champion : None where there is none yet
    """
    faults = unsound(candidate, rules.sound)
    if faults:
        return Decision(False, f"not sound: {'; '.join(faults)}")
    if champion is None:
        return Decision(True, "the first sound model")
    if champion.simulated and not candidate.simulated:
        return Decision(True, f"sound, on the market '{candidate.market}'; the champion knew only a simulated market")
    if candidate.simulated and not champion.simulated:
        return Decision(False, f"trained on a simulated market; the champion knows the market '{champion.market}'")
    return _compare(candidate, champion, rules.better)


def unsound(candidate: Candidate, rules: Sound) -> list[str]:
    """Thresholds that are not met, each with its value."""
    served = candidate.skill[candidate.skill["rung"] == SERVED] if len(candidate.skill) else candidate.skill
    tested = served[served["horizon"] <= LONGEST_TESTED] if len(served) else served
    if not len(tested):
        return ["no out-of-sample rows"]
    faults = []
    rows = int(tested["n"].min())
    if rows < rules.min_outer_rows:
        faults.append(f"{rows} out-of-sample rows, the rule is at least {rules.min_outer_rows}")
    low, high = rules.coverage_80
    coverage = float(served.loc[served["horizon"] <= SHORT, "coverage_80"].mean())
    if np.isfinite(coverage) and not low <= coverage <= high:
        faults.append(f"80% intervals held {coverage:.1%} of outcomes, the rule is {low:.0%} to {high:.0%}")
    skill = float(tested["crps_skill"].mean())
    if skill < rules.min_crps_skill:
        faults.append(f"mean CRPS skill {skill:+.3f}, the rule is at least {rules.min_crps_skill:+.3f}")
    if candidate.degenerate_share > rules.max_degenerate_share:
        faults.append(
            f"{candidate.degenerate_share:.0%} of regime refits are degenerate, the rule is at most {rules.max_degenerate_share:.0%}"
        )
    if candidate.churn > rules.max_churn:
        faults.append(f"a refit relabels {candidate.churn:.1%} of days (median), the rule is at most {rules.max_churn:.0%}")
    if candidate.label_gain is not None and not candidate.label_gain > rules.min_label_gain:
        known = f"saves {candidate.label_gain:+.1%} of the base rate's Brier score" if np.isfinite(candidate.label_gain) else "is untested"
        faults.append(f"the classifier's label {known}, the rule is more than {rules.min_label_gain:+.1%}")
    return faults


def _compare(candidate: Candidate, champion: Candidate, rules: Better) -> Decision:
    new, old = _judged(candidate.losses), _judged(champion.losses)
    both = new.add_suffix("_new").join(old.add_suffix("_old"), how="inner")
    fault = _incomparable(new, old, both, rules)
    if fault is not None:
        return Decision(False, fault)
    if np.allclose(both["crps_new"], both["crps_old"], rtol=SAME_OUTCOME, atol=0.0):
        return _newer(candidate, champion, len(both))
    saved = (both["crps_old"] - both["crps_new"]) / both["crps_old"].groupby(level=["asset", "horizon"]).transform("mean")
    gain = float(saved.groupby(level=["asset", "horizon"]).mean().mean())
    overlap = int(both.index.get_level_values("horizon").max())
    error = mean_of(saved.groupby(level="session").mean().sort_index().to_numpy(), overlap).error
    needed = max(rules.min_gain, rules.min_gain_errors * error)
    words = (
        f"mean CRPS {gain:+.2%} better than the champion's on {len(both)} common rows (standard error {error:.2%}), "
        f"the rule is more than {needed:+.2%}"
    )
    return Decision(gain > needed, words)


def _incomparable(new: pd.DataFrame, old: pd.DataFrame, both: pd.DataFrame, rules: Better) -> str | None:
    """Why the two cannot be compared; None where they can."""
    given_up = _cells(old) - _cells(new)
    if given_up:
        asset, horizon = min(given_up)
        return f"it has no judged forecast of {asset} over {horizon} sessions, which the champion has"
    counts = both.groupby(level=["asset", "horizon"]).size()
    if not len(counts) or counts.min() < rules.min_common_rows:
        least = int(counts.min()) if len(counts) else 0
        return f"only {least} rows in common with the champion, the rule is at least {rules.min_common_rows}"
    apart = (both["y_new"] - both["y_old"]).abs() > SAME_OUTCOME
    if apart.any():
        asset, horizon, session = both.index[int(apart.to_numpy().argmax())]
        return (
            f"outcomes differ from the champion's ({asset}, {horizon} sessions, {session:%Y-%m-%d}): another market or "
            "vintage, not comparable"
        )
    return None


def _newer(candidate: Candidate, champion: Candidate, rows: int) -> Decision:
    """Decide between two that forecast alike: the one that was trained on more recent data serves."""
    new, old = candidate.losses["session"].max(), champion.losses["session"].max()
    alike = f"forecasts like the champion's on all {rows} common rows"
    if new > old:
        return Decision(True, f"{alike}, and trained to {new:%Y-%m-%d} where the champion knows {old:%Y-%m-%d}")
    return Decision(False, f"{alike}, and no newer: it is trained to {new:%Y-%m-%d}, the champion to {old:%Y-%m-%d}")


def _judged(losses: pd.DataFrame) -> pd.DataFrame:
    rows = losses[
        (losses["rung"] == SERVED) & losses["outer"].astype(bool) & losses["crps"].notna() & (losses["horizon"] <= LONGEST_TESTED)
    ]
    return rows.set_index(KEY)[["y", "crps"]]


def _cells(judged: pd.DataFrame) -> set[tuple[str, int]]:
    cells = judged.reset_index()[["asset", "horizon"]].drop_duplicates()
    return {(str(asset), int(horizon)) for asset, horizon in cells.to_numpy()}
