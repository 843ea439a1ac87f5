"""Whether a ledger is as it was written: every line, every file of numbers, and no trial that MLflow has and it lacks."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.words import plural
from training.errors import LedgerError
from training.ledger.agreement import Missing, unknown_trials
from training.ledger.ledger import Ledger
from training.ledger.place import ROOT_VARIABLE
from training.ledger.seen import Seen
from training.ledger.words import SHORT_ID, render_verified

MOST_TOLD = 5
"""Trials that are named."""


@dataclass(frozen=True)
class Verified:
    """What a look at every line of a ledger found.

    Attributes
    ----------
    ledger : that was looked at
    fault : the first line or file of numbers that is not as it was written, in words; empty where none is
    unknown : runs that say they are trials, and that the ledger lacks
    trials : that it has; 0 where it cannot be read
    """

    ledger: Ledger
    fault: str
    unknown: tuple[Missing, ...]
    trials: int

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return not (self.fault or self.unknown)

    def words(self) -> str:
        """Say what was found, or that all is as it was written."""
        if self.fault:
            return self.fault
        if not self.unknown:
            return render_verified(self.ledger, None, None)
        named = ", ".join(f"'{each.name}' ({each.run_id[:SHORT_ID]})" for each in self.unknown[:MOST_TOLD])
        more = f" and {len(self.unknown) - MOST_TOLD} more" if len(self.unknown) > MOST_TOLD else ""
        return (
            f"ledger '{self.ledger.root.absolute()}': it has {plural(self.trials, 'trial')} and lacks {plural(len(self.unknown), 'run')} "
            f"that MLflow has as trials: {named}{more}; rule: it is only added to. Restore its folder from a copy, name its place in "
            f"{ROOT_VARIABLE}, or sign each off: `appetite ledger ack RUN --by NAME --reason TEXT`"
        )

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            "ledger": str(Path(self.ledger.root).absolute()),
            "whole": self.whole,
            "trials": self.trials,
            "fault": self.fault or None,
            "unknown": [{"run_id": each.run_id, "name": each.name} for each in self.unknown],
        }


def verify_ledger(ledger: Ledger, seen: Iterable[Seen]) -> Verified:
    """Look at every line and every file of numbers of a ledger, and for runs that it lacks.

    Parameters
    ----------
    seen : runs of MLflow that say they are trials
    """
    try:
        broken = ledger.verify()
        if broken is not None:
            return Verified(ledger, render_verified(ledger, broken, None), (), 0)
        entries = ledger.read().entries
        return Verified(ledger, ledger.first_lost() or "", tuple(unknown_trials(entries, seen)), len(entries))
    except LedgerError as error:  # its head is damaged, or it cannot be read at all
        return Verified(ledger, str(error), (), 0)
