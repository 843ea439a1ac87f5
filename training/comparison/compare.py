"""Runs of one family side by side, with what many trials leave of their p-values, and whether there is a best at all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from serving.words import p_value, plural
from training.comparison.aligned import Aligned, align
from training.comparison.cells import cell_table
from training.comparison.choose import Choice
from training.comparison.composite import Composite, compose
from training.comparison.earned import Earned, earn
from training.comparison.multiple import Verdicts, judge_family
from training.comparison.regimes import regime_skill
from training.evaluation.skill import LEVEL
from training.ledger.agreement import Missing
from training.ledger.chosen import Chosen
from training.ledger.mirror import Mirror
from training.ledger.register import Entry

REFUSED = "no best is named: ledger and MLflow disagree"


@dataclass(frozen=True)
class Comparison:
    """Everything that is shown of a comparison.

    Attributes
    ----------
    choice : the family and its trials; shown are those with numbers
    aligned, composite : their numbers
    verdicts : tests of the family
    earned : strategies; None where too few periods are known
    runs : a row a trial shown and a row a baseline, least loss first: name, run_id (empty for a baseline), crps_ratio, coverage_80, p,
        p_adjusted, q, in_mcs, mcs_p, sharpe, deflated, prereg, skill_on, n_on, skill_off, n_off, trial (its number, -1 for a baseline)
    cells : `training.comparison.cells.cell_table` with the name of each run
    missing : trials that the ledger or MLflow lacks, unacknowledged
    deleted : trials of the family whose runs are marked deleted in MLflow, which count as before
    """

    choice: Choice
    aligned: Aligned
    composite: Composite
    verdicts: Verdicts
    earned: Earned | None
    runs: pd.DataFrame
    cells: pd.DataFrame
    missing: tuple[Missing, ...]
    deleted: tuple[Entry, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether the market is no real one."""
        return self.choice.shown[-1].trial.simulated

    @property
    def best(self) -> str:
        """Id of the run of least loss among those that beat every baseline; empty where none does, or none may be named."""
        if self.missing:
            return ""
        won = self.runs[(self.runs["trial"] >= 0) & (self.runs["p_adjusted"] <= LEVEL)]
        return str(won["run_id"].iloc[0]) if len(won) else ""

    def chosen(self) -> list[tuple[Entry, Chosen]]:
        """List the runs shown whose configuration a search had tried before."""
        return [(each, each.chosen_by_search) for each in self.choice.shown if each.chosen_by_search is not None]

    def verdict(self) -> str:
        """Say which run is best, that none is, or why none is named."""
        if self.missing:
            return f"{REFUSED} on {plural(len(self.missing), 'trial')}"
        if not self.composite.tested:
            return f"descriptive: {self.verdicts.refused}"
        if self.verdicts.refused:
            return f"no run is tested against the baselines: {self.verdicts.refused}"
        runs = self.runs[self.runs["trial"] >= 0]
        if not self.best:
            least = p_value(runs["p_adjusted"].min())
            base = self.composite.best_baseline
            return f"no run beats the best baseline ({base}): least adjusted p {least} over N = {plural(self.choice.n, 'trial')}"
        best = runs[runs["run_id"] == self.best].iloc[0]
        beside = int(runs["in_mcs"].sum()) - 1
        told = f"; not told apart from {plural(beside, 'other run')}" if best["in_mcs"] and beside else ""
        return (
            f"best: '{best['name']}' ({self.best[:8]}), consistent with a smaller loss than every baseline: adjusted p "
            f"{p_value(best['p_adjusted'])} over N = {plural(self.choice.n, 'trial')}{told}"
        )


def compare(choice: Choice, mirror: Mirror, missing: Sequence[Missing], *, common: bool, deleted: Collection[str] = ()) -> Comparison:
    """Compare the trials of a choice.

    Parameters
    ----------
    mirror : numbers of the ledger
    missing : trials that the ledger or MLflow lacks, unacknowledged
    common : rank on the rows that all share, those with few rows among them
    deleted : ids of runs that are marked deleted in MLflow

    Raises
    ------
    JobError, LedgerError
        As `training.comparison.aligned.align`.
    """
    aligned = align(choice, mirror, common=common)
    choice = replace(choice, shown=aligned.entries[: aligned.n_shown])
    composite = compose(aligned)
    verdicts = judge_family(composite, choice.n)
    earned = earn(aligned, choice.n)
    runs = _runs(aligned, composite, verdicts, earned)
    names = {number: entry.name for number, entry in enumerate(aligned.entries)}
    cells = cell_table(aligned)
    cells.insert(0, "name", cells["trial"].map(names))
    gone = tuple({each.run_id: each for each in choice.family if each.run_id in deleted}.values())
    return Comparison(choice, aligned, composite, verdicts, earned, runs, cells, tuple(missing), gone)


def _runs(aligned: Aligned, composite: Composite, verdicts: Verdicts, earned: Earned | None) -> pd.DataFrame:
    shown = range(aligned.n_shown)
    entries = aligned.entries[: aligned.n_shown]
    pit = aligned.own["pit"][:, : aligned.n_shown]
    table = pd.DataFrame(
        {
            "name": [each.name for each in entries],
            "run_id": [each.run_id for each in entries],
            "crps_ratio": composite.losses[[str(number) for number in shown]].mean().to_numpy(),
            "coverage_80": ((pit >= 0.1) & (pit <= 0.9)).mean(axis=0),
            **{column: verdicts.trials[column].to_numpy()[: aligned.n_shown] for column in ("p", "p_adjusted", "q", "in_mcs", "mcs_p")},
            "sharpe": np.nan if earned is None else earned.sharpe[: aligned.n_shown],
            "deflated": np.nan if earned is None else earned.deflated[: aligned.n_shown],
            "prereg": [each.prereg for each in entries],
            "trial": list(shown),
        }
    ).merge(regime_skill(composite, aligned.n_shown), on="trial")
    rungs = list(composite.baselines)
    baselines = pd.DataFrame(
        {
            "name": [f"baseline {rung}" for rung in rungs],
            "run_id": "",
            "crps_ratio": composite.losses[rungs].mean().to_numpy(),
            "in_mcs": verdicts.baselines["in_mcs"].to_numpy(),
            "mcs_p": verdicts.baselines["mcs_p"].to_numpy(),
            "prereg": False,
            "trial": -1,
        }
    )
    return pd.concat([table, baselines], ignore_index=True).sort_values("crps_ratio", kind="stable", ignore_index=True)
