"""Writing the ledger: one line a trial when it opens and one when it ends, and what people add to it."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.chain import Broken
from serving.journal import Journal
from training.errors import LedgerError
from training.ledger.mirror import Kept, Mirror
from training.ledger.overlap import own_opening
from training.ledger.place import LEDGER, TRIALS
from training.ledger.register import (
    ACKNOWLEDGED,
    ANNOUNCED,
    ANSWERED,
    ENDED,
    ENDS,
    OPEN,
    OPENED,
    UNSEALED,
    Entry,
    Register,
    Unsealing,
    read_register,
)
from training.ledger.trial import MANUAL, Trial

OF = {"register": "trials"}
"""What the journal of a ledger is of."""


@dataclass(frozen=True)
class Ledger:
    """The register of trials of one tracking store.

    What a method writes is on the disk when it returns; where it dies, all of it is or nothing.

    Attributes
    ----------
    root : its folder (`training.ledger.place.ledger_root`)
    """

    root: Path

    def read(self) -> Register:
        """Read all lines, each of which is checked.

        Raises
        ------
        LedgerError
            Where a line is not as it was written.
        """
        return read_register(self._journal.read()[TRIALS])

    def verify(self) -> Broken | None:
        """Name the first line that is not as it was written; None where all are."""
        return self._journal.first_broken()

    def first_lost(self) -> str | None:
        """Say which file of numbers is missing or altered, the first one; None where none is."""
        files = dict.fromkeys(sha for each in self.read().entries for sha in (each.losses, each.baselines) if sha)
        for sha256 in files:
            try:
                self.mirror.bytes_of(sha256)
            except LedgerError as error:
                return str(error)
        return None

    @property
    def mirror(self) -> Mirror:
        """Numbers of finished trials."""
        return Mirror(self.root)

    def open(self, run_id: str, name: str, experiment: str, trial: Trial) -> Entry:
        """Write that a trial begins.

        Parameters
        ----------
        run_id, name, experiment : as in MLflow

        Raises
        ------
        JobError
            Where it locks another share away than its family (`Register.refuse_other_share`).
        """
        with self._journal.writing():
            register = self.read()
            register.refuse_other_share(trial)
            return self._open(register, run_id, name, experiment, trial)

    def end(self, run_id: str, status: str, kept: Kept | None = None, sealed: str = "") -> None:
        """Write how the newest trial of a run ended; nothing where it has ended already, or is none.

        Parameters
        ----------
        status : MLflow's word: FINISHED, FAILED or KILLED
        kept : hashes of its numbers
        sealed : hash of its lock-box
        """
        with self._journal.writing():
            entry = self.read().find(run_id)
            if entry is not None and entry.state == OPEN:
                numbers = {"losses": kept.losses if kept else "", "baselines": kept.baselines if kept else "", "sealed": sealed}
                self._write(ENDED, run_id=run_id, state=ENDS[status], **numbers)

    def add_manual(self, trial: Trial) -> Entry:
        """Write a look of a person that shaped a choice; it counts as a trial of its family, and must say what it was."""
        if not trial.note.strip():
            raise LedgerError("ledger: a look needs words; rule: it counts as a trial for good. Say with --note what was looked at")
        with self._journal.writing():
            register = self.read()
            number = sum(each.trial.kind == MANUAL for each in register.entries) + 1
            return self._open(register, f"manual-{number}", trial.note, "", trial)

    def announce(self, hypothesis_id: str, note: str) -> str:
        """Write what will be tried before it is; gives when it was first announced."""
        with self._journal.writing():
            known = self.read().announced.get(hypothesis_id)
            return known.at if known else self._write(ANNOUNCED, hypothesis_id=hypothesis_id, note=note)

    def acknowledge(self, run_id: str, by: str, reason: str, late: tuple[str, str, Trial] | None = None) -> Entry:
        """Sign off that a run is missing in MLflow or in the ledger; it counts as before.

        Parameters
        ----------
        by, reason : who, and why
        late : name, experiment and trial of the run as MLflow has it, entered now where the ledger lacks it; None where MLflow lacks it

        Raises
        ------
        LedgerError
            Where neither knows the run, both do, it is signed off already, or nobody signs or says why.
        """
        if not (by.strip() and reason.strip()):
            raise LedgerError("ledger: a sign-off needs a signer and a reason; say them with --by and --reason")
        with self._journal.writing():
            register = self.read()
            entry = register.find(run_id)
            if entry is None and late is not None:
                entry = self._open(register, run_id, *late, late=True)
            elif entry is not None and (late is not None or entry.trial.kind == MANUAL):
                where = "the ledger, which is its only place," if entry.trial.kind == MANUAL else "both the ledger and MLflow"
                raise LedgerError(f"ledger: '{run_id}' is in {where} and nothing is missing; rule: only what is missing is signed off")
            if entry is None:
                raise LedgerError(f"ledger: it has no trial '{run_id}'; rule: a whole id; `appetite ledger list` names them")
            if entry.sign_off is not None:
                raise LedgerError(f"ledger: '{run_id}' was acknowledged on {entry.sign_off.at} by {entry.sign_off.by}; once is enough")
            self._write(ACKNOWLEDGED, run_id=run_id, by=by, reason=reason)
            return entry

    def unseal(self, entry: Entry) -> Unsealing:
        """Write that the lock-box of a trial is opened, which its sessions are once; of the same run, the opening that was.

        Raises
        ------
        LedgerError
            Where another run has opened the family's, or that of a family with an asset and sealed sessions in common.
        """
        with self._journal.writing():
            before = own_opening(self.read(), entry)
            if before is not None:
                return before
            at = self._write(UNSEALED, run_id=entry.run_id, family_id=entry.family_id)
            return Unsealing(entry.run_id, entry.family_id, at)

    def answer(self, run_id: str, answer: Mapping[str, Any]) -> None:
        """Write what an opened lock-box said."""
        with self._journal.writing():
            self._write(ANSWERED, run_id=run_id, answer=dict(answer))

    def _open(self, register: Register, run_id: str, name: str, experiment: str, trial: Trial, *, late: bool = False) -> Entry:
        prereg = trial.hypothesis_id in register.preregistered and not late
        at = self._write(OPENED, run_id=run_id, name=name, experiment=experiment, prereg=prereg, trial=trial.to_dict())
        return Entry(run_id, name, experiment, at, trial, prereg, chosen_by_search=register.chosen_by_search(trial))

    def _write(self, entry: str, **told: Any) -> str:
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._journal.append({TRIALS: [{"entry": entry, "at": at, **told}]})
        return at

    @property
    def _journal(self) -> Journal:
        return Journal(self.root, OF, LEDGER)
