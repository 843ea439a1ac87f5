"""On which rows a family is compared: those that its finished trials share, whichever of them are shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from training.comparison.choose import said
from training.errors import JobError
from training.ledger.mirror import KEY, Mirror
from training.ledger.register import FINISHED, Entry

SAME_OUTCOME = 1e-9
LEAST_COMMON = 0.9
"""Share of the longest trial's rows that a trial must have, unless common dates are asked for: refits on other dates begin later."""


@dataclass(frozen=True)
class Aside:
    """A finished trial that counts and has no numbers on the common rows, and why."""

    entry: Entry
    why: str

    def words(self) -> str:
        """Name the trial and say why."""
        return f"{said(self.entry)}: {self.why}"


@dataclass(frozen=True)
class CommonRows:
    """What a family is compared on.

    Attributes
    ----------
    index : asset, horizon and session, in this order
    entries : trials with numbers on all of these rows, oldest first
    aside : finished trials without
    left_out : rows of the longest trial that not all have
    """

    index: pd.Index
    entries: tuple[Entry, ...]
    aside: tuple[Aside, ...]
    left_out: int


class Baselines:
    """Rows, outcomes and baselines of trials by hash of the file, each read once."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._frames: dict[str, pd.DataFrame] = {}

    def of(self, sha256: str) -> pd.DataFrame:
        """Give a file by `KEY`."""
        if sha256 not in self._frames:
            self._frames[sha256] = self._mirror.read(sha256).set_index(KEY)
        return self._frames[sha256]


def common_rows(family: Sequence[Entry], files: Baselines, *, common: bool) -> CommonRows:
    """Take the rows that all finished trials share which have enough of the longest one's, and its outcomes.

    Parameters
    ----------
    family : every trial of it, oldest first
    common : take in trials with fewer than `LEAST_COMMON` of the rows as well

    Raises
    ------
    JobError
        Where no trial has a row, or they share none.
    LedgerError
        Where numbers are missing or altered.
    """
    finished = [each for each in family if each.state == FINISHED and each.losses]
    longest = max(finished, key=lambda each: len(files.of(each.baselines)))  # the oldest of them
    rows = files.of(longest.baselines)
    if not len(rows):
        raise JobError("compare: no finished trial of the family has a judged row; nothing can be ranked")
    why = {sha256: _why_not(files.of(sha256), rows, common=common) for sha256 in dict.fromkeys(each.baselines for each in finished)}
    index = rows.index
    for sha256, words in why.items():
        if not words and not files.of(sha256).index.equals(rows.index):
            index = index.intersection(files.of(sha256).index, sort=False)
    if not len(index):
        raise JobError("compare: the runs have no out-of-sample row in common; nothing can be ranked")
    return CommonRows(
        index.sort_values(),
        tuple(each for each in finished if not why[each.baselines]),
        tuple(Aside(each, why[each.baselines]) for each in finished if why[each.baselines]),
        len(rows) - len(index),
    )


def _why_not(own: pd.DataFrame, longest: pd.DataFrame, *, common: bool) -> str:
    """Say why a trial has no numbers on the common rows; empty where it has."""
    if not len(own):
        return "no judged row"
    shared = own.index if own.index.equals(longest.index) else own.index.intersection(longest.index)
    gap = (own.loc[shared, "y"] - longest.loc[shared, "y"]).abs()
    if len(gap) and gap.max() > SAME_OUTCOME:
        asset, horizon, session = gap.idxmax()
        return f"other outcomes (most at {asset}, {horizon} sessions, {session:%Y-%m-%d})"
    if len(shared) < LEAST_COMMON * len(longest) and not common:
        return f"{len(shared)} of the {len(longest)} rows of the longest trial"
    return ""
