"""Who is champion: sound by numbers, and better than the champion on the same dates."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from training.book import SERVED
from training.evaluation.overlap import mean_of
from training.evaluation.skill import LONGEST_TESTED
from training.labels import LabelNote
from training.promotion.candidate import Candidate
from training.promotion.checks import Check, soundness
from training.promotion.rules import Better, PromoteConfig

KEY = ["asset", "horizon", "session"]
SAME_OUTCOME = 1e-9
"""Largest difference of log returns, and relative one of losses, that still counts as the same."""


@dataclass(frozen=True)
class Decision:
    """Whether the alias moves, and why.

    Attributes
    ----------
    promoted, reason : the decision
    checks : what it rests on, those that passed as well
    labels : what became of the champion's labels; None where the version is none, or nothing was to be moved
    """

    promoted: bool
    reason: str
    checks: tuple[Check, ...] = ()
    labels: LabelNote | None = None

    def tags(self) -> dict[str, str]:
        """Give the decision as it is written on the version: the reason, and every check by name."""
        return {"promotion": self.reason} | {f"promotion.{each.name}": str(each) for each in self.checks}


def decide(candidate: Candidate, champion: Candidate | None, rules: PromoteConfig) -> Decision:
    """Decide whether the candidate becomes champion.

    Parameters
    ----------
    champion : None where there is none yet
    """
    checks = soundness(candidate, rules.sound)
    faults = [each.fault for each in checks if not each.passed]
    if faults:
        return Decision(False, f"not sound: {'; '.join(faults)}", checks)
    if champion is None:
        return Decision(True, "the first sound model", checks)
    if champion.simulated and not candidate.simulated:
        return Decision(True, f"sound, on the market '{candidate.market}'; the champion knew only a simulated market", checks)
    if candidate.simulated and not champion.simulated:
        return Decision(False, f"trained on a simulated market; the champion knows the market '{champion.market}'", checks)
    better = _compare(candidate, champion, rules.better)
    return replace(better, checks=(*checks, *better.checks))


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
    if not np.isfinite([gain, error]).all():
        words = f"whether it is better than the champion is not known: {len(both)} common rows give no standard error"
        return Decision(False, words, (Check("min_gain", "not known", f"more than {rules.min_gain:+.2%}", False),))
    needed = max(rules.min_gain, rules.min_gain_errors * error)
    words = (
        f"mean CRPS {gain:+.2%} better than the champion's on {len(both)} common rows (standard error {error:.2%}), "
        f"the rule is more than {needed:+.2%}"
    )
    rule = f"more than {needed:+.2%}, on the same {len(both)} rows as the champion"
    return Decision(gain > needed, words, (Check("min_gain", f"{gain:+.2%}", rule, gain > needed),))


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
