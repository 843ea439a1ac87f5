"""Comparing runs: only on the same dates and the same outcomes, baselines always in the table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.forecast import BASELINES
from models.inference import Array
from training.book import SERVED
from training.errors import JobError

KEY = ["asset", "horizon", "session"]
SAME_OUTCOME = 1e-9
SHORT_ID = 8
"""Characters of a run's id that are shown, and taken."""


@dataclass(frozen=True)
class Scored:
    """A finished run and its out-of-sample losses.

    Attributes
    ----------
    run_id, name : as in MLflow
    fingerprint : hash of its data
    losses : as logged
    market, simulated : name of its market, and whether that is no real one
    """

    run_id: str
    name: str
    fingerprint: str
    losses: pd.DataFrame
    market: str = "unknown"
    simulated: bool = False

    def __str__(self) -> str:
        """Name, short id and market."""
        return f"'{self.name}' ({self.run_id[:SHORT_ID]}, market '{self.market}')"

    def judged(self, rung: str) -> pd.DataFrame:
        """Outcome and CRPS of one rung on the outer rows, by asset, horizon and session."""
        rows = self.losses[(self.losses["rung"] == rung) & self.losses["outer"].astype(bool) & self.losses["crps"].notna()]
        return rows.set_index(KEY)[["y", "crps", "pit"]].sort_index()


def find_runs(experiment: str) -> list[Scored]:
    """Finished runs of an experiment that logged out-of-sample losses, oldest first."""
    import mlflow

    found = mlflow.get_experiment_by_name(experiment)
    if found is None:
        names = ", ".join(sorted(each.name for each in mlflow.search_experiments()))
        raise JobError(f"compare: there is no experiment '{experiment}' in {mlflow.get_tracking_uri()}; there are {names}")
    runs = mlflow.search_runs(
        [found.experiment_id],
        "attributes.status = 'FINISHED' and tags.`data.fingerprint` != ''",
        order_by=["start_time"],
        output_format="list",
    )
    out = []
    for run in runs:
        try:
            path = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="evaluation/oos_losses.parquet"))
        except (mlflow.MlflowException, OSError) as error:
            raise JobError(
                f"compare: the losses of '{run.info.run_name}' ({run.info.run_id}) cannot be read: "
                f"{' '.join(str(error).split())}; delete that run from the experiment"
            ) from None
        tags = run.data.tags
        told = tags["data.fingerprint"], pd.read_parquet(path), tags.get("market", "unknown"), tags.get("simulated") == "true"
        out.append(Scored(run.info.run_id, str(run.info.run_name), *told))
    if not out:
        raise JobError(f"compare: experiment '{experiment}' has no finished run with out-of-sample losses; run `appetite train` first")
    return out


def refuse_unlike(runs: list[Scored]) -> None:
    """Refuse runs that were scored on other data, dates, assets or horizons than the newest, naming them.

    Raises
    ------
    JobError
    """
    newest = runs[-1]
    keys = newest.judged(SERVED).index
    for run in runs[:-1]:
        if run.fingerprint != newest.fingerprint:
            raise JobError(
                f"compare: {run} was scored on other data (fingerprint {run.fingerprint[:12]}) than {newest} "
                f"({newest.fingerprint[:12]}); rule: only runs on the same data are ranked together. "
                f"Choose by --market{_choice(runs)}, or name runs with --runs"
            )
        other = run.judged(SERVED).index
        if not other.equals(keys):
            only = keys.symmetric_difference(other)
            asset, horizon, session = only[0]
            raise JobError(
                f"compare: {run} and {newest} were scored on different dates: {len(only)} rows are in one only, "
                f"the first {asset}, {horizon} sessions, {session:%Y-%m-%d}. Name runs with --runs, or add --common to "
                "rank on the dates all share"
            )


def _choice(runs: list[Scored]) -> str:
    markets = list(dict.fromkeys(run.market for run in runs))
    return f" ({' or '.join(markets)})" if len(markets) > 1 else ""


def comparison(runs: list[Scored]) -> pd.DataFrame:
    """Table of runs and baselines on their common rows, best by CRPS first.

    CRPS is averaged within an asset and horizon and then relative to the expanding mean's, so that no cell outweighs another.

    Returns
    -------
    DataFrame with name, run_id, crps_ratio (1 is the expanding mean), coverage_80, rows, first and last session, market, simulated
    """
    common = _common_rows(runs)
    newest = runs[-1]
    _same_outcomes(runs, common)
    reference = _cell_means(newest.judged("M0").loc[common])
    rows = [_row(run.name, run.run_id, run.judged(SERVED).loc[common], reference) for run in runs]
    rows += [_row(f"baseline {rung}", "", newest.judged(rung).loc[common], reference) for rung in _baselines(runs)]
    table = pd.DataFrame(rows).sort_values("crps_ratio", kind="stable", ignore_index=True)
    return table.assign(market=newest.market, simulated=newest.simulated)


def _baselines(runs: list[Scored]) -> list[str]:
    """Baselines that every run has: older ones have fewer."""
    return [rung for rung in BASELINES if all((run.losses["rung"] == rung).any() for run in runs)]


def _common_rows(runs: list[Scored]) -> pd.MultiIndex:
    common = runs[0].judged(SERVED).index
    for run in runs:
        for rung in (SERVED, *_baselines(runs)):
            common = common.intersection(run.judged(rung).index)
    if not len(common):
        raise JobError("compare: the runs have no out-of-sample row in common; nothing can be ranked")
    return pd.MultiIndex.from_tuples(sorted(common), names=KEY)


def _same_outcomes(runs: list[Scored], common: pd.MultiIndex) -> None:
    truth = runs[-1].judged(SERVED).loc[common, "y"]
    for run in runs[:-1]:
        gap = (run.judged(SERVED).loc[common, "y"] - truth).abs()
        if gap.max() > SAME_OUTCOME:
            asset, horizon, session = common[int(gap.to_numpy().argmax())]
            raise JobError(
                f"compare: the outcome of {asset}, {horizon} sessions, {session:%Y-%m-%d} differs between '{run.name}' "
                f"and '{runs[-1].name}'; "
                "rule: runs on other vintages are not ranked together"
            )


def _cell_means(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby(level=["asset", "horizon"])["crps"].mean()


def _row(name: str, run_id: str, rows: pd.DataFrame, reference: pd.Series) -> dict[str, object]:
    pit: Array = rows["pit"].to_numpy(dtype=np.float64)
    return {
        "name": name,
        "run_id": run_id,
        "crps_ratio": float((_cell_means(rows) / reference).mean()),
        "coverage_80": float(((pit >= 0.1) & (pit <= 0.9)).mean()),
        "rows": len(rows),
        "first": f"{rows.index.get_level_values('session').min():%Y-%m-%d}",
        "last": f"{rows.index.get_level_values('session').max():%Y-%m-%d}",
    }
