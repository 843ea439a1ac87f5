"""What people write into a ledger beside its trials, and how it is told: looks, sign-offs, announcements."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.ledger.seen import deleted_words
from training.ledger.trial import MANUAL


@dataclass(frozen=True)
class SignOff:
    """Who acknowledged that a trial is missing on one side, when and why; the trial still counts."""

    by: str
    reason: str
    at: str


@dataclass(frozen=True)
class Announcement:
    """What was said before a hypothesis was tried, or after.

    Attributes
    ----------
    hypothesis_id : that was announced
    at : when it was first, UTC
    note : what was said
    """

    hypothesis_id: str
    at: str
    note: str


def remark_words(family: Mapping[str, Any]) -> list[str]:
    """Say what people did to the trials of a family, and said of them.

    Parameters
    ----------
    family : of `training.ledger.words.gather_ledger`; nothing is said of one without its trials
    """
    trials = family.get("trials", [])
    gone = {each["run_id"]: each["name"] for each in trials if each["deleted"]}
    signed = {each["run_id"]: each["acknowledged"] for each in trials if each["acknowledged"]}
    return [
        *(f"'{name}' counts as before: {deleted_words(run_id)}" for run_id, name in gone.items()),
        *(f"{run_id} was signed off on {each['at'][:10]} by {each['by']}: {each['reason']}" for run_id, each in signed.items()),
        *(f"{each['run_id']} is a look of {each['at'][:10]}: {each['note']}" for each in trials if each["kind"] == MANUAL),
        *map(_announced, family.get("announcements", [])),
    ]


def _announced(each: Mapping[str, Any]) -> str:
    when = "no trial of it yet" if not each["trials"] else "before any trial of it" if each["prereg"] else "after a trial of it was opened"
    return f"hypothesis {each['hypothesis_id']} was announced on {each['at'][:10]}, {when}: {each['note']}"
