"""Who is champion: sound by numbers, and better than the champion on the same dates."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serving.label_place import SeriesOf, labels_root
from training.book import SERVED
from training.config import explain, read_yaml, told
from training.errors import JobError
from training.labels import LabelNote, publish_walk
from training.overlap import mean_of
from training.skill import LONGEST_TESTED
from training.tracking import CHAMPION, REGISTERED, tracking_uri

KEY = ["asset", "horizon", "session"]
SHORT = 21
SAME_OUTCOME = 1e-9
"""Largest difference of log returns, and relative one of losses, that still counts as the same."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sound(_Frozen):
    """Thresholds that every champion meets."""

    min_outer_rows: Annotated[int, Field(ge=1)]
    coverage_80: tuple[float, float]
    min_crps_skill: float
    max_degenerate_share: Annotated[float, Field(ge=0, le=1)]
    max_churn: Annotated[float, Field(ge=0, le=1)]
    min_label_gain: float


class Better(_Frozen):
    """Thresholds against the champion."""

    min_common_rows: Annotated[int, Field(ge=1)]
    min_gain: float
    min_gain_errors: Annotated[float, Field(ge=0)]


class PromoteConfig(_Frozen):
    """Rules of promotion."""

    sound: Sound
    better: Better


@dataclass(frozen=True)
class Candidate:
    """What a promotion is decided on.

    Attributes
    ----------
    losses, skill : of the walk-forward
    simulated : whether its market is simulated
    market : name of its market
    degenerate_share, churn : of its regime refits
    label_gain : of a classifier: share of the base rate's Brier score it saves out of sample; NaN if unknown; None for an HMM
    """

    losses: pd.DataFrame
    skill: pd.DataFrame
    simulated: bool
    market: str
    degenerate_share: float
    churn: float
    label_gain: float | None = None


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


def load_promote_config(path: str | Path) -> PromoteConfig:
    """Read the rules; a fault is a `JobError` that names file, key, rule and value."""
    try:
        return PromoteConfig.model_validate(read_yaml(path))
    except ValidationError as error:
        raise JobError(told(explain(path, error))) from None


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
    given_up = _cells(old) - _cells(new)
    if given_up:
        asset, horizon = min(given_up)
        return Decision(False, f"it has no judged forecast of {asset} over {horizon} sessions, which the champion has")
    counts = both.groupby(level=["asset", "horizon"]).size()
    if not len(counts) or counts.min() < rules.min_common_rows:
        least = int(counts.min()) if len(counts) else 0
        return Decision(False, f"only {least} rows in common with the champion, the rule is at least {rules.min_common_rows}")
    apart = (both["y_new"] - both["y_old"]).abs() > SAME_OUTCOME
    if apart.any():
        asset, horizon, session = both.index[int(apart.to_numpy().argmax())]
        return Decision(
            False,
            f"outcomes differ from the champion's ({asset}, {horizon} sessions, {session:%Y-%m-%d}): another market or "
            "vintage, not comparable",
        )
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


def champion_version() -> str | None:
    """Version that carries the alias; None where there is none."""
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        return str(mlflow.MlflowClient().get_model_version_by_alias(REGISTERED, CHAMPION).version)
    except MlflowException:
        return None


def champion_behind(model: str) -> str | None:
    """Version of the champion where a model URI names it, by alias or number; None for every other model."""
    holder = champion_version()
    named = model in (f"models:/{REGISTERED}@{CHAMPION}", f"models:/{REGISTERED}/{holder}")
    return holder if named else None


def latest_version() -> str:
    """Newest registered version.

    Raises
    ------
    JobError
        If there is none.
    """
    import mlflow

    versions = [int(each.version) for each in mlflow.MlflowClient().search_model_versions(f"name='{REGISTERED}'")]
    if not versions:
        raise JobError(f"promote: the registry has no version of '{REGISTERED}'; run `appetite train` first")
    return str(max(versions))


def load_candidate(run_id: str) -> Candidate:
    """Read back what a run was judged on.

    Raises
    ------
    JobError
        If the run is not there, or logged none.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        run = mlflow.get_run(run_id)
        folder = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="evaluation"))
        losses, skill = pd.read_parquet(folder / "oos_losses.parquet"), _read_skill(folder / "skill.csv")
    except (MlflowException, OSError) as error:
        raise JobError(f"run '{run_id}' has no evaluation to judge by: {' '.join(str(error).split())}") from None
    tags, metrics = run.data.tags, run.data.metrics
    return Candidate(
        losses,
        skill,
        tags.get("simulated") == "true",
        tags.get("market", "unknown"),
        metrics.get("degenerate_share", 0.0),
        metrics.get("churn_median", 0.0),
        metrics.get("label_brier_gain", float("nan")) if tags.get("regime.kind") == "classifier" else None,
    )


def _read_skill(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:  # no out-of-sample row, so no column either
        return pd.DataFrame()


def _decide_against(holder: str | None, candidate: Candidate, rules: PromoteConfig) -> Decision:
    import mlflow

    if holder is None:
        return decide(candidate, None, rules)
    run_id = str(mlflow.MlflowClient().get_model_version(REGISTERED, holder).run_id)
    try:
        champion = load_candidate(run_id)
    except JobError as error:
        return Decision(
            False, f"the champion, version {holder}, cannot be compared with ({error}); take the alias '{CHAMPION}' away from it first"
        )
    return decide(candidate, champion, rules)


def promote_version(version: str, rules: PromoteConfig, *, dry_run: bool = False) -> Decision:
    """Decide on a registered version and, unless told otherwise, move the alias, write the reason on the version, and publish its labels.

    Labels that cannot be published are told in the decision and take nothing back; asked again for the champion, they are tried again.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    client = mlflow.MlflowClient()
    try:
        run_id = client.get_model_version(REGISTERED, version).run_id
    except MlflowException:
        raise JobError(
            f"promote: the registry has no version '{version}' of '{REGISTERED}'; rule: a version that a training run registered"
        ) from None
    holder = champion_version()
    if holder == version:
        decision = Decision(False, f"version {version} is the champion already")
        return decision if dry_run else replace(decision, labels=_publish_labels(version, str(run_id)))
    decision = _decide_against(holder, load_candidate(str(run_id)), rules)
    if dry_run:
        return decision
    client.set_model_version_tag(REGISTERED, version, "promotion", decision.reason)
    if not decision.promoted:
        return decision
    client.set_registered_model_alias(REGISTERED, CHAMPION, version)
    return replace(decision, labels=_publish_labels(version, str(run_id)))


def _publish_labels(version: str, run_id: str) -> LabelNote:
    import mlflow
    from mlflow.exceptions import MlflowException

    def fetch() -> pd.DataFrame:
        try:
            return pd.read_parquet(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="evaluation/published.parquet"))
        except MlflowException as error:
            raise OSError(f"run '{run_id}' has no published walk: {' '.join(str(error).split())}") from None

    tags = mlflow.get_run(run_id).data.tags
    of = SeriesOf.known(REGISTERED, tags.get("market", "unknown"), tags.get("simulated") == "true", tags.get("market.note", ""))
    return publish_walk(labels_root(tracking_uri()), of, version, fetch)
