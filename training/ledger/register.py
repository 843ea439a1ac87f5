"""What the lines of a ledger say when they are read in order: trials and how each stands, announcements, openings of the lock-box."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from training.errors import JobError
from training.ledger.chosen import Chosen, Searches
from training.ledger.remarks import Announcement, SignOff
from training.ledger.trial import MANUAL, Trial

OPENED, ENDED, ACKNOWLEDGED, ANNOUNCED, UNSEALED, ANSWERED = "opened", "ended", "acknowledged", "announced", "unsealed", "answered"
"""Values of `entry`, the kinds of line."""

OPEN, FINISHED, FAILED, KILLED, NOTED = "open", "finished", "failed", "killed", "noted"
"""How a trial stands; `noted` is a manual one."""

ENDS = {"FINISHED": FINISHED, "FAILED": FAILED, "KILLED": KILLED}
"""MLflow's words for how a run ended."""


@dataclass(frozen=True)
class Entry:
    """A trial as it stands.

    Attributes
    ----------
    run_id, name, experiment : as in MLflow; a manual one has an id of the ledger's own
    at : when it was opened, UTC
    trial : what was known then
    prereg : whether its hypothesis had been announced before any trial of it was opened
    state : `OPEN`, `FINISHED`, `FAILED`, `KILLED` or `NOTED`
    losses, baselines : hashes of its numbers in the mirror; empty without any
    sealed : hash of its lock-box; empty without one
    sign_off : None where nobody acknowledged anything
    chosen_by_search : search that had a candidate of this hypothesis in the family, the one with the most candidates; None where none had
    """

    run_id: str
    name: str
    experiment: str
    at: str
    trial: Trial
    prereg: bool
    state: str = OPEN
    losses: str = ""
    baselines: str = ""
    sealed: str = ""
    sign_off: SignOff | None = None
    chosen_by_search: Chosen | None = None

    @property
    def family_id(self) -> str:
        """Of its trial."""
        return self.trial.family.id


@dataclass(frozen=True)
class Unsealing:
    """An opening of a lock-box, and what it said; `answer` is None where the process died before it could say it."""

    run_id: str
    family_id: str
    at: str
    answer: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Place:
    """Where a trial stands in its family.

    Attributes
    ----------
    family_id : of the family
    number : trials that it had when this one was opened, its own among them
    chosen : search that had tried its configuration; None where none had
    """

    family_id: str
    number: int
    chosen: Chosen | None = None


@dataclass(frozen=True)
class Register:
    """Everything a ledger says.

    Attributes
    ----------
    entries : trials in the order of their opening
    announced : first announcement of each hypothesis, by its id
    preregistered : hypotheses that were announced before any trial of them was opened
    unsealings : openings of lock-boxes, in order
    """

    entries: tuple[Entry, ...] = ()
    announced: Mapping[str, Announcement] = field(default_factory=dict)
    preregistered: frozenset[str] = frozenset()
    unsealings: tuple[Unsealing, ...] = ()

    def families(self) -> dict[str, list[Entry]]:
        """Group the trials by family, the family that was tried last at the end."""
        out: dict[str, list[Entry]] = {}
        for entry in self.entries:
            out[entry.family_id] = [*out.pop(entry.family_id, []), entry]
        return out

    def refuse_other_share(self, trial: Trial) -> None:
        """Refuse a trial that locks another share away than its family does: it would be judged on rows that others sealed.

        Raises
        ------
        JobError
            Where the first trial of the family locked another share away.
        """
        first = next((each.trial for each in self.entries if each.family_id == trial.family.id), trial)
        if first.locked != trial.locked:
            raise JobError(
                f"walk.lockbox {trial.locked:g}: the trials of family {trial.family.id} (these assets, horizons, data and window) lock "
                f"{first.locked:g} of the judged sessions away; rule: one share a family, so that no trial is judged on rows that others "
                f"sealed. Set walk.lockbox to {first.locked:g}"
            )

    def chosen_by_search(self, trial: Trial) -> Chosen | None:
        """Give the search with the most candidates among those that tried a trial's hypothesis in its family; None for a candidate."""
        return Searches(each.trial for each in self.entries).chosen(trial)

    def find(self, run_id: str) -> Entry | None:
        """Give the newest trial of a run."""
        return next((each for each in reversed(self.entries) if each.run_id == run_id), None)

    def place(self, run_id: str) -> Place | None:
        """Give where a run stands in its family; None for what is no trial."""
        own = self.find(run_id)
        if own is None:
            return None
        number = sum(each.family_id == own.family_id for each in self.entries[: self.entries.index(own) + 1])
        return Place(own.family_id, number, own.chosen_by_search)

    def unsealed(self, family_id: str) -> Unsealing | None:
        """Give the opening of a family's lock-box; None where it is sealed."""
        return next((each for each in self.unsealings if each.family_id == family_id), None)


def read_register(lines: Iterable[str]) -> Register:
    """Fold the lines of a ledger.

    Parameters
    ----------
    lines : JSON of each, in order
    """
    entries: list[Entry] = []
    newest: dict[str, int] = {}
    announced: dict[str, Announcement] = {}
    searches = Searches(())
    tried: set[str] = set()
    first: set[str] = set()
    unsealings: dict[str, Unsealing] = {}
    for told in _parsed(lines):
        kind, run_id = told["entry"], told.get("run_id", "")
        if kind == OPENED:
            newest[run_id] = len(entries)
            entry = _opened(told, first)
            entries.append(replace(entry, chosen_by_search=searches.chosen(entry.trial)))
            searches.add(entry.trial)
            tried.add(entries[-1].trial.hypothesis_id)
        elif kind == ENDED:
            numbers = {name: told[name] for name in ("state", "losses", "baselines", "sealed")}
            entries[newest[run_id]] = replace(entries[newest[run_id]], **numbers)
        elif kind == ACKNOWLEDGED:
            entries[newest[run_id]] = replace(entries[newest[run_id]], sign_off=SignOff(told["by"], told["reason"], told["at"]))
        elif kind == ANNOUNCED:
            announced.setdefault(told["hypothesis_id"], Announcement(told["hypothesis_id"], told["at"], told["note"]))
            first |= {told["hypothesis_id"]} - tried
        elif kind == UNSEALED:
            unsealings[run_id] = Unsealing(run_id, told["family_id"], told["at"])
        elif kind == ANSWERED:
            unsealings[run_id] = replace(unsealings[run_id], answer=told["answer"])
    return Register(tuple(entries), announced, frozenset(first), tuple(unsealings.values()))


def _opened(told: Mapping[str, Any], first: set[str]) -> Entry:
    trial = Trial.of(told["trial"])
    state = NOTED if trial.kind == MANUAL else OPEN
    return Entry(
        told["run_id"], told["name"], told["experiment"], told["at"], trial, told["prereg"] and trial.hypothesis_id in first, state
    )


def _parsed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    return map(json.loads, lines)
