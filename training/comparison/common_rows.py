"""On which rows a family is compared: those that its finished trials share, whichever of them are shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.util import hash_pandas_object

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
    """Rows, outcomes and baselines of trials by hash of the file, each read once; files on the same rows share their index."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._frames: dict[str, pd.DataFrame] = {}
        self._indexes: dict[bytes, pd.Index] = {}

    def of(self, sha256: str) -> pd.DataFrame:
        """Give a file by `KEY`."""
        if sha256 not in self._frames:
            frame = self._mirror.read(sha256)
            rows = hash_pandas_object(frame[KEY], index=False).to_numpy().tobytes()
            if rows not in self._indexes:
                self._indexes[rows] = pd.MultiIndex.from_frame(frame[KEY])
            self._frames[sha256] = frame.drop(columns=KEY).set_axis(self._indexes[rows])
        return self._frames[sha256]

    def places(self, found: CommonRows) -> dict[str, NDArray[np.int64]]:
        """Give the positions of the common rows in each file of those that have them, by its hash, oldest first."""
        used = dict.fromkeys(each.baselines for each in found.entries)
        indexes: list[tuple[pd.Index, NDArray[np.int64]]] = []
        places = {}
        for sha256 in used:
            own = self.of(sha256).index
            at = next((at for index, at in indexes if index.is_(own)), None)
            if at is None:
                at = np.asarray(own.get_indexer(found.index))
                indexes.append((own, at))
            places[sha256] = at
        return places


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
        other = files.of(sha256).index
        if not words and not other.is_(rows.index):
            index = index.intersection(other, sort=False)
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
    shared, before = own["y"], longest["y"]
    if not own.index.is_(longest.index):
        shared, before = shared.align(before, join="inner")
    gap = (shared - before).abs()
    if len(gap) and gap.max() > SAME_OUTCOME:
        asset, horizon, session = gap.index[int(gap.argmax())]
        return f"other outcomes (most at {asset}, {horizon} sessions, {session:%Y-%m-%d})"
    if len(shared) < LEAST_COMMON * len(longest) and not common:
        return f"{len(shared)} of the {len(longest)} rows of the longest trial"
    return ""
