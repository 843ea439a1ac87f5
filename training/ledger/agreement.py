"""Do the ledger and MLflow have the same trials? What one of them lacks is named, and how to sign it off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from training.ledger.register import Entry
from training.ledger.seen import Seen
from training.ledger.trial import MANUAL


@dataclass(frozen=True)
class Missing:
    """A trial that one side lacks and nobody has acknowledged.

    Attributes
    ----------
    run_id, name : of its run
    lacks : which side, 'MLflow' or 'the ledger'
    """

    run_id: str
    name: str
    lacks: str

    def words(self) -> str:
        """Say what is missing, and how it is signed off."""
        return (
            f"{self.lacks} lacks the run '{self.name}' ({self.run_id}); it counts as before once you say why: "
            f"`appetite ledger ack {self.run_id} --by NAME --reason TEXT`"
        )


def missing_trials(entries: Sequence[Entry], seen: Iterable[Seen]) -> list[Missing]:
    """Name the trials of a family that one side lacks; a run that is only marked deleted is there.

    Parameters
    ----------
    entries : of the family in the ledger
    seen : runs of the family in MLflow
    """
    there = {each.run_id: each for each in seen}
    lost = [
        Missing(each.run_id, each.name, "MLflow")
        for each in entries
        if each.trial.kind != MANUAL and each.run_id not in there and each.sign_off is None
    ]
    return lost + unknown_trials(entries, there.values())


def unknown_trials(entries: Sequence[Entry], seen: Iterable[Seen]) -> list[Missing]:
    """Name the runs that say they are trials and that the ledger lacks.

    Parameters
    ----------
    entries : of the ledger
    seen : such runs in MLflow
    """
    known = {each.run_id for each in entries}
    return [Missing(each.run_id, each.name, "the ledger") for each in seen if each.run_id not in known]
