"""Families that overlap: on the same kind of market, with an asset and sessions in common; nothing tried on one is new to the other."""

from collections.abc import Mapping

import pandas as pd

from serving.words import plural
from training.errors import LedgerError
from training.ledger.register import Entry, Register, Unsealing
from training.ledger.trial import Trial

Span = tuple[str, str]
"""First and last session, YYYY-MM-DD."""


def overlapping(register: Register, family_id: str) -> dict[str, list[Entry]]:
    """Find the trials of other families that share the kind of market (simulated or real), an asset and sessions out of sample.

    Parameters
    ----------
    family_id : of a family in the register

    Returns
    -------
    dict of trials by family, the one that was tried last at the end
    """
    families = register.families()
    own = families[family_id][-1].trial
    return {
        name: entries
        for name, entries in families.items()
        if name != family_id and _alike(own, entries[-1].trial) and _meet(_window(own), _window(entries[-1].trial))
    }


def overlapping_words(trials: Mapping[str, int]) -> str:
    """Say how many trials there were on overlapping rows.

    Parameters
    ----------
    trials : of each family, by its id
    """
    families = "1 other family" if len(trials) == 1 else f"{len(trials)} other families"
    return f"also tried on overlapping rows: {plural(sum(trials.values()), 'trial')} in {families} ({', '.join(trials)})"


def opened_before(register: Register, entry: Entry) -> Unsealing | None:
    """Give the first opening of sealed sessions that a trial would open; None where none of them was.

    Parameters
    ----------
    entry : its family's lock-box counts as opened, and so does one on the same kind of market with an asset and sealed sessions in common
    """
    trials = {(each.run_id, each.family_id): each.trial for each in register.entries}
    return next((each for each in register.unsealings if _same_box(entry.trial, trials[each.run_id, each.family_id])), None)


def own_opening(register: Register, entry: Entry) -> Unsealing | None:
    """Give the opening of the lock-box of a trial by its own run; None where it is shut.

    Raises
    ------
    LedgerError
        Where another run has opened the family's, or that of a family with an asset and sealed sessions in common.
    """
    before = opened_before(register, entry)
    if before is not None and (before.run_id, before.family_id) != (entry.run_id, entry.family_id):
        shared = f" of family {before.family_id}, which shares an asset and sealed sessions"
        raise LedgerError(
            f"lock-box of family {entry.family_id}: it was opened on {before.at} with run {before.run_id}"
            f"{'' if before.family_id == entry.family_id else shared}; rule: sealed sessions of an asset are opened once, since what was "
            "chosen after a look is not tested by what was looked at. A later vintage of the data, whose lock-box begins after these "
            "sessions, is another one"
        )
    return before


def sealed_span(trial: Trial) -> Span | None:
    """First and last sealed session of a trial; None where it seals none.

    Of a line that does not tell the first, the share is taken of the days of the planned window.
    """
    if not trial.locked:
        return None
    first, last = map(pd.Timestamp, _window(trial))
    return trial.sealed_from or f"{last - trial.locked * (last - first):%Y-%m-%d}", trial.family.oos_end


def _same_box(one: Trial, other: Trial) -> bool:
    if one.family == other.family:
        return True
    spans = sealed_span(one), sealed_span(other)
    return _alike(one, other) and spans[0] is not None and spans[1] is not None and _meet(spans[0], spans[1])


def _alike(one: Trial, other: Trial) -> bool:
    return one.simulated == other.simulated and not set(one.family.assets).isdisjoint(other.family.assets)


def _window(trial: Trial) -> Span:
    return trial.family.oos_start, trial.family.oos_end


def _meet(one: Span, other: Span) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]
