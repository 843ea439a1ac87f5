"""A version becomes champion: decided on, its alias moved, its labels published."""

from dataclasses import replace

import pandas as pd

from serving.label_place import SeriesOf, labels_root
from training.errors import JobError
from training.labels import LabelNote, publish_walk
from training.promotion.candidate import Candidate, load_candidate
from training.promotion.decision import Decision, decide
from training.promotion.registry import champion_version
from training.promotion.reigns import ROLLED_BACK_TAG, now, succeed
from training.promotion.rules import PromoteConfig
from training.tracking import CHAMPION, LONGEST_TAG, REGISTERED, tracking_uri


def promote_version(version: str, rules: PromoteConfig, *, dry_run: bool = False) -> Decision:
    """Decide on a registered version and, unless told otherwise, move the alias, write the reason on the version, and publish its labels.

    Labels that cannot be published are told in the decision and take nothing back; asked again for the champion, they are tried again.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    client = mlflow.MlflowClient()
    try:
        asked = client.get_model_version(REGISTERED, version)
    except MlflowException:
        raise JobError(
            f"promote: the registry has no version '{version}' of '{REGISTERED}'; rule: a version that a training run registered"
        ) from None
    holder = champion_version()
    if holder == version:
        decision = Decision(False, f"version {version} is the champion already")
        return decision if dry_run else replace(decision, labels=publish_labels(version, str(asked.run_id)))
    candidate = replace(load_candidate(str(asked.run_id)), rolled_back=asked.tags.get(ROLLED_BACK_TAG))
    decision = _decide_against(holder, candidate, rules)
    if dry_run:
        return decision
    instant = now()
    for key, value in {**decision.tags(), "promotion.decided": instant, "promotion.champion": holder or "none"}.items():
        client.set_model_version_tag(REGISTERED, version, key, value[:LONGEST_TAG])
    if not decision.promoted:
        return decision
    client.set_registered_model_alias(REGISTERED, CHAMPION, version)
    succeed(client, holder, version, instant)
    return replace(decision, labels=publish_labels(version, str(asked.run_id)))


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


def publish_labels(version: str, run_id: str) -> LabelNote:
    """Publish what the training of a champion said of each session, as far as nothing was published before."""
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
