"""Back to an earlier champion: the alias moves, the reason stays on the version that was taken back."""

from dataclasses import dataclass

from training.errors import JobError
from training.labels import LabelNote
from training.promotion.promote import publish_labels
from training.promotion.registry import champion_version
from training.promotion.reigns import ROLLED_BACK_TAG, now, reigns, succeed
from training.tracking import CHAMPION, REGISTERED


@dataclass(frozen=True)
class Rollback:
    """What was taken back, and for what.

    Attributes
    ----------
    taken_back, champion : versions
    reigned : when the new champion last was one, in words
    labels : what became of its labels; None for a dry run
    """

    taken_back: str
    champion: str
    reigned: str
    labels: LabelNote | None = None


def versions_taken_back() -> dict[str, str]:
    """Say of each version that a rollback took back when that was, and why."""
    import mlflow

    versions = mlflow.MlflowClient().search_model_versions(f"name='{REGISTERED}'")
    return {str(each.version): str(each.tags[ROLLED_BACK_TAG]) for each in versions if ROLLED_BACK_TAG in each.tags}


def roll_back(reason: str, to: str | None = None, *, dry_run: bool = False) -> Rollback:
    """Make an earlier champion champion again.

    Parameters
    ----------
    reason : in a few words; it is written on the version that is taken back, which is then not promoted again
    to : version; the champion before this one if None

    Raises
    ------
    JobError
        If there is no champion, or none before it, or the named version never was one.
    """
    import mlflow

    if not reason.strip():
        raise JobError("promote: a rollback needs a reason; say it with --reason")
    client = mlflow.MlflowClient()
    holder = champion_version()
    if holder is None:
        raise JobError("promote: there is no champion to roll back from; `appetite promote` makes one")
    tags = {str(each.version): each.tags for each in client.search_model_versions(f"name='{REGISTERED}'")}
    before = [each for each in reigns(client) if each.version != holder and ROLLED_BACK_TAG not in tags[each.version]]
    chosen = [each for each in before if to in (None, each.version)]
    if not chosen:
        known = ", ".join(dict.fromkeys(each.version for each in before)) or "none"
        taken_back = to is not None and ROLLED_BACK_TAG in tags.get(to, {})
        fate = "is the champion already" if to == holder else "was taken back" if taken_back else "was never champion"
        what = f"version {to} {fate}" if to else f"no champion before version {holder} is left"
        raise JobError(f"promote: {what}; rule: a rollback goes to an earlier champion that was not itself taken back ({known})")
    reign = chosen[-1]
    reigned = f"champion from {reign.since or 'the beginning'} to {reign.until}"
    if dry_run:
        return Rollback(holder, reign.version, reigned)
    instant = now()
    client.set_model_version_tag(REGISTERED, holder, ROLLED_BACK_TAG, f"{instant}: {reason.strip()}")
    client.set_model_version_tag(REGISTERED, reign.version, "promotion", f"rolled back to, from version {holder}: {reason.strip()}")
    client.set_registered_model_alias(REGISTERED, CHAMPION, reign.version)
    succeed(client, holder, reign.version, instant)
    run_id = str(client.get_model_version(REGISTERED, reign.version).run_id)
    return Rollback(holder, reign.version, reigned, publish_labels(reign.version, run_id))
