"""How many states: by out-of-sample log score, and by whether the states last, occur and stay the same (after Pohle et al. 2017)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.errors import FitError
from models.params import Array
from models.selection_memory import Memory, remember
from models.selection_rule import Limits, Verdict, decide, mean_and_error
from models.selection_walk import CANDIDATES, Candidate, Trial, WalkSettings, try_candidate

__all__ = ["CANDIDATES", "Candidate", "Limits", "Selection", "WalkSettings", "select_n_states"]

RULE = (
    "the smallest number of states whose out-of-sample log score is within one standard error of the best, no state rarer than "
    "{occupancy:.0%}, none shorter-lived than {dwell:g} rows, at most {churn:.0%} of labels changed at a refit"
)

CAUTION = (
    "one state that remembers the row before (an autoregression in each column) scores {ahead:.2f} a row above {best}, the best candidate; "
    "more states stand in for the memory of these columns ({columns}), and their number is no number of regimes. Choose it on columns "
    "without overlapping windows"
)

SETTINGS, LIMITS = WalkSettings(), Limits()
"""What is taken where nothing else is asked for."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Selection:
    """What was tried, what was chosen, and why nothing else was.

    Attributes
    ----------
    trials : of every candidate
    limits, settings : the rule's, and the walk's
    verdict : of the rule
    memory : one state that remembers, as a yardstick
    n_obs : rows in all
    """

    trials: tuple[Trial, ...]
    limits: Limits
    settings: WalkSettings
    verdict: Verdict
    memory: Memory
    n_obs: int

    @property
    def chosen(self) -> Candidate:
        """The candidate that the rule recommends; one state is 'no regimes'."""
        return self.verdict.chosen

    @property
    def reasons(self) -> dict[Candidate, str]:
        """By candidate, why it was chosen or refused."""
        return self.verdict.reasons

    def behind(self, candidate: Candidate) -> tuple[float, float]:
        """Mean log score of a candidate behind the best, and its standard error; NaN where it was not fitted."""
        return self.verdict.behind.get(candidate, (float("nan"), float("nan")))

    @property
    def caution(self) -> str:
        """Why the choice should not be read as a number of regimes; empty where nothing speaks against it."""
        best = max((trial for trial in self.trials if not trial.failure), key=lambda trial: float(trial.log_next.mean()))
        ahead, error = mean_and_error(self.memory.log_next - best.log_next, self.limits.block)
        return CAUTION.format(ahead=ahead, best=best.candidate, columns=self.memory.told()) if ahead > error else ""

    @property
    def rule(self) -> str:
        """The rule in one sentence."""
        return RULE.format(occupancy=self.limits.occupancy, dwell=self.limits.dwell, churn=self.limits.churn)

    @property
    def table(self) -> pd.DataFrame:
        """One row a candidate.

        Returns
        -------
        DataFrame with n_states, emission, log_score (mean one-step, nats a row, out of sample), behind and behind_se (to the best), bic,
        icl, occupancy (rarest state), dwell (shortest-lived state, rows), churn, converged, sound (keeps the limits), chosen, reason
        """
        rows = []
        for trial in self.trials:
            behind, error = self.behind(trial.candidate)
            rows.append(
                {
                    "n_states": trial.candidate.n_states,
                    "emission": trial.candidate.emission,
                    "log_score": float(trial.log_next.mean()),
                    "behind": behind,
                    "behind_se": error,
                    **{name: getattr(trial, name) for name in ("bic", "icl", "occupancy", "dwell", "churn", "converged")},
                    "sound": trial.candidate in self.verdict.sound,
                    "chosen": trial.candidate == self.chosen,
                    "reason": self.reasons[trial.candidate],
                }
            )
        return pd.DataFrame(rows)

    def text(self) -> str:
        """Lay it out for a terminal: the recommendation, the table, and the reason against each."""
        named = f"no regimes: one state ({self.chosen})" if self.chosen.n_states == 1 else str(self.chosen)
        out = self.n_obs - self.settings.min_history
        lines = [
            f"{named} is recommended",
            f"rule: {self.rule}",
            *([f"caution: {self.caution}"] if self.caution else []),
            f"{self.n_obs} rows, the last {out} scored by {self.settings.n_blocks} refits; errors from blocks of {self.limits.block} rows",
            "",
            f"  {'':<14}{'score':>9}{'behind':>10}{'+-':>8}{'BIC':>10}{'ICL':>10}{'rarest':>8}{'dwell':>9}{'churn':>7}",
        ]
        lines += [self._line(trial) for trial in self.trials]
        return "\n".join([*lines, "", *(f"{candidate!s:<14}  {reason}" for candidate, reason in self.reasons.items())])

    def _line(self, trial: Trial) -> str:
        begin = f"{'>' if trial.candidate == self.chosen else ' '} {trial.candidate!s:<14}"
        if trial.failure:
            return begin + "  not fitted"
        behind, error = self.behind(trial.candidate)
        dwell = "no end" if trial.dwell > self.n_obs else f"{trial.dwell:.1f}"
        return (
            f"{begin}{trial.log_next.mean():>9.4f}{behind:>10.4f}{error:>8.4f}{trial.bic:>10.0f}{trial.icl:>10.0f}{trial.occupancy:>8.1%}"
            f"{dwell:>9}{trial.churn:>7.1%}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: what is not a finite number is None."""
        rows = [{key: _plain(value) for key, value in row.items()} for row in self.table.to_dict("records")]
        chosen = {"n_states": self.chosen.n_states, "emission": self.chosen.emission}
        return {
            "chosen": chosen,
            "rule": self.rule,
            "caution": self.caution,
            "memory_log_score": float(self.memory.log_next.mean()),
            "rows": self.n_obs,
            "first_scored": self.settings.min_history,
            "candidates": rows,
        }


def select_n_states(
    X: pd.DataFrame | Array,
    candidates: Sequence[Candidate] = CANDIDATES,
    *,
    settings: WalkSettings = SETTINGS,
    limits: Limits = LIMITS,
    progress: Progress = lambda done, total: None,
) -> Selection:
    """Try each candidate on one expanding walk and choose by the rule.

    BIC alone finds two Gaussian states in i.i.d. heavy tails (Pohle et al. 2017); it is in the table and not in the rule. One state with
    Student-t tails is the null that regimes have to beat. Volatility that changes smoothly (GARCH) passes for two states here: whether they
    may be called more than calm and turbulent is for `models.identity` to say.

    Parameters
    ----------
    X : (n_obs, n_features) contiguous rows, NaN where missing
    candidates : what is tried; one state should be among them
    settings, limits : of the walk and of the rule
    progress : called with the candidates done and their number

    Raises
    ------
    FitError
        If rows, columns or settings allow no walk, or no candidate could be fitted.
    """
    rows, names = _checked(X, candidates, settings, limits)
    trials = []
    for done, candidate in enumerate(candidates, start=1):
        trials.append(try_candidate(rows, candidate, settings))
        progress(done, len(candidates))
    if all(trial.failure for trial in trials):
        raise FitError(f"number of states: no candidate could be fitted; the first: {trials[0].failure}")
    return Selection(tuple(trials), limits, settings, decide(trials, limits), remember(rows, names, settings), len(rows))


def _checked(X: pd.DataFrame | Array, candidates: Sequence[Candidate], settings: WalkSettings, limits: Limits) -> tuple[Array, list[str]]:
    names = [str(name) for name in X.columns] if isinstance(X, pd.DataFrame) else None
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim != 2 or not rows.size:
        raise FitError(f"number of states: rows of shape {rows.shape}; rule: (n_obs, n_features), at least one of each")
    names = names or [str(position) for position in range(rows.shape[1])]
    if np.isinf(rows).any():
        raise FitError(f"number of states: column '{names[int(np.isinf(rows).any(axis=0).argmax())]}' is infinite; rule: NaN where missing")
    if not candidates or len(set(candidates)) < len(candidates) or any(each.n_states < 1 for each in candidates):
        raise FitError(f"number of states: candidates {[str(c) for c in candidates]}; rule: at least one, none twice, one state or more")
    left = len(rows) - settings.min_history
    if settings.n_blocks < 1 or left < max(2 * limits.block, settings.n_blocks):
        raise FitError(
            f"number of states: {left} rows after min_history {settings.min_history}, n_blocks {settings.n_blocks}; rule: at least "
            f"{max(2 * limits.block, settings.n_blocks)} rows to score. Use more history or a smaller min_history"
        )
    first = rows[: settings.min_history]
    distinct = np.array([len(np.unique(column[~np.isnan(column)])) for column in first.T])
    if distinct.min() < 2:
        raise FitError(
            f"number of states: column '{names[int(distinct.argmin())]}' has {distinct.min()} distinct values in the first "
            f"{settings.min_history} rows; rule: it varies. Leave it out, or raise min_history"
        )
    return rows, names


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
