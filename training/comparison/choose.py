"""Which trials are compared: those of one family, the newest of an experiment unless another is named."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.errors import JobError
from training.ledger.overlap import overlapping
from training.ledger.register import FINISHED, Entry, Register
from training.ledger.words import SHORT_ID, find_family


@dataclass(frozen=True)
class Choice:
    """The trials of a comparison.

    Attributes
    ----------
    family_id : of all of them
    shown : finished trials that are put side by side, oldest first
    named : whether they were asked for by name
    family : every trial of the family, whatever became of it and in whatever experiment; all of them count
    others : families of the same experiment that are not compared, in words
    overlapping : trials of each family, in whatever experiment, with an asset and sessions out of sample in common, by its id
    """

    family_id: str
    shown: tuple[Entry, ...]
    named: bool
    family: tuple[Entry, ...]
    others: tuple[str, ...]
    overlapping: Mapping[str, int]

    @property
    def n(self) -> int:
        """Trials of the family."""
        return len(self.family)


def said(entry: Entry) -> str:
    """Name a trial: name, short id and market."""
    return f"'{entry.name}' ({entry.run_id[:SHORT_ID]}, market '{entry.trial.market}')"


def choose(register: Register, experiment: str, *, names: Sequence[str] = (), market: str = "", family: str = "") -> Choice:
    """Choose what is compared.

    Parameters
    ----------
    experiment : trials are shown that ran in it
    names : names, ids or beginnings of ids of runs; all if empty
    market : only families on the market of this name; any if empty
    family : id of a family, or its beginning; the one that was tried last if empty

    Raises
    ------
    JobError
        Where nothing fits, or the runs named are of several families.
    """
    ready = [each for each in register.entries if each.experiment == experiment and each.state == FINISHED and each.losses]
    if not ready:
        raise JobError(
            f"compare: experiment '{experiment}' has no finished trial in the ledger; run `appetite train` first (runs that are older "
            "than the ledger are in no family)"
        )
    ready = _on_market(ready, market, experiment)
    named = _named(ready, names, experiment)
    ids = list(dict.fromkeys(each.family_id for each in reversed(named)))
    if family:
        ids = [find_family(register, family)]
        named = _of_family(named, names, ids[0])
    if names and len(ids) > 1:
        first, last = (next(each for each in named if each.family_id == of) for of in (ids[1], ids[0]))
        raise JobError(
            f"compare: {said(first)} is of family {ids[1]}, {said(last)} of {ids[0]}; rule: only runs of one family (assets, horizons, "
            "data, window out of sample) are ranked together. Choose one with --family, or name runs of one with --runs"
        )
    shown = tuple(each for each in named if ids and each.family_id == ids[0])
    if not shown:
        raise JobError(f"compare: family {family} has no finished trial in experiment '{experiment}'; `appetite ledger list` names them")
    families = register.families()
    present = list(dict.fromkeys(each.family_id for each in reversed(ready)))
    others = [_other(each, families[each]) for each in present if each != ids[0]]
    beside = {name: len(entries) for name, entries in overlapping(register, ids[0]).items()}
    return Choice(ids[0], shown, bool(names), tuple(families[ids[0]]), tuple(others), beside)


def _on_market(ready: list[Entry], market: str, experiment: str) -> list[Entry]:
    markets = sorted({each.trial.market for each in ready})
    if market and market not in markets:
        raise JobError(f"compare: no finished run of '{experiment}' is on a market '{market}'; there: {', '.join(markets)}")
    return [each for each in ready if not market or each.trial.market == market]


def _named(ready: list[Entry], names: Sequence[str], experiment: str) -> list[Entry]:
    unknown = [name for name in names if not any(_is(each, name) for each in ready)]
    if unknown:
        there = ", ".join(map(said, ready[-10:]))
        raise JobError(f"compare: '{unknown[0]}' is no finished run of '{experiment}'; the newest are {there}")
    return [each for each in ready if not names or any(_is(each, name) for name in names)]


def _of_family(named: list[Entry], names: Sequence[str], family_id: str) -> list[Entry]:
    own = [each for each in named if each.family_id == family_id]
    if names and not own:
        last = named[-1]
        runs = ",".join(each.run_id[:SHORT_ID] for each in named if each.family_id == last.family_id)
        typed = shlex.join(["--experiment", last.experiment, "--family", last.family_id, "--runs", runs])
        raise JobError(
            f"compare: {said(last)} is of family {last.family_id}, not of {family_id}; rule: --runs names runs of the family that is "
            f"compared. Leave --runs out, or type `appetite compare {typed}`"
        )
    return own


def _is(entry: Entry, name: str) -> bool:
    return name == entry.name or (len(name) >= SHORT_ID and entry.run_id.startswith(name))


def _other(family_id: str, entries: Sequence[Entry]) -> str:
    trial = entries[-1].trial
    return f"{family_id} (market '{trial.market}', {trial.family.oos_start} to {trial.family.oos_end}, N = {len(entries)})"
