"""The numbers of trials on the rows they share, out of the ledger's mirror."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.inference import Array
from training.comparison.choose import Choice, said
from training.errors import JobError
from training.ledger.mirror import KEY, OWN, Mirror
from training.ledger.register import Entry

SAME_OUTCOME = 1e-9
LEAST_COMMON = 0.9
"""Share of a trial's rows that all must share, unless common dates are asked for: refits on other dates begin a little earlier or later."""

BASELINE = "crps_"
"""How columns of the baselines begin."""


@dataclass(frozen=True)
class Aligned:
    """Trials on common rows.

    Attributes
    ----------
    rows : asset, horizon, session, y and the baselines' columns of the newest trial shown, by `KEY`
    entries : trials that have numbers on all of these rows; those that are shown first
    own : of each column of `training.ledger.mirror.OWN`, (n_rows, n_trials)
    n_shown : trials that are shown
    left_out : rows of the longest of them that not all of them have
    without : trials of the family that count and have no numbers on these rows
    """

    rows: pd.DataFrame
    entries: tuple[Entry, ...]
    own: Mapping[str, Array]
    n_shown: int
    left_out: int
    without: int

    @property
    def baselines(self) -> tuple[str, ...]:
        """Names of the baselines."""
        return tuple(column.removeprefix(BASELINE) for column in map(str, self.rows) if column.startswith(BASELINE))

    def cells(self) -> list[tuple[str, int, NDArray[np.int64]]]:
        """Asset, horizon and rows of each cell."""
        keys = self.rows[["asset", "horizon"]]
        found = []
        for asset, horizon in keys.drop_duplicates().sort_values(["asset", "horizon"]).itertuples(index=False):
            found.append((asset, horizon, np.flatnonzero((keys["asset"] == asset) & (keys["horizon"] == horizon))))
        return found


class _Rows:
    """Keys and baselines of trials, each file read once."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._frames: dict[str, pd.DataFrame] = {}

    def of(self, entry: Entry) -> pd.DataFrame:
        if entry.baselines not in self._frames:
            self._frames[entry.baselines] = self._mirror.read(entry.baselines).set_index(KEY)
        return self._frames[entry.baselines]


def align(choice: Choice, mirror: Mirror, *, common: bool) -> Aligned:
    """Put trials on common rows: those of the shown ones; others of the family join where they have numbers on all of them.

    Parameters
    ----------
    common : take the rows that all shown trials share even where they are fewer than `LEAST_COMMON` of a trial's

    Raises
    ------
    JobError
        Where shown trials differ in too many rows or in outcomes, or share no row.
    LedgerError
        Where numbers are missing or altered.
    """
    rows = _Rows(mirror)
    newest = choice.shown[-1]
    index = rows.of(newest).index
    for entry in choice.shown:
        index = index.intersection(rows.of(entry).index, sort=False)
    if not len(index):
        raise JobError("compare: the runs have no out-of-sample row in common; nothing can be ranked")
    longest = max(choice.shown, key=lambda each: len(rows.of(each)))
    if len(index) < LEAST_COMMON * len(rows.of(longest)) and not common:
        _refuse_other_rows(choice.shown, rows)
    index = index.sort_values()
    truth = rows.of(newest).loc[index]
    for entry in choice.shown:
        _refuse_other_outcomes(entry, rows.of(entry).loc[index, "y"].to_numpy(), newest, truth)
    shown = {id(each) for each in choice.shown}
    rest = [each for each in choice.family if id(each) not in shown and each.losses]
    entries = (*choice.shown, *(each for each in rest if _is_like(rows.of(each), truth)))
    own = {column: np.empty((len(index), len(entries)), order="F") for column in OWN}  # filled column by column
    places: dict[str, NDArray[np.int64]] = {}
    for number, entry in enumerate(entries):
        if entry.baselines not in places:
            places[entry.baselines] = np.asarray(rows.of(entry).index.get_indexer(index))
        frame = mirror.read(entry.losses)
        for column in OWN:
            own[column][:, number] = frame[column].to_numpy()[places[entry.baselines]]
    left_out = len(rows.of(longest)) - len(index)
    return Aligned(truth.reset_index(), entries, own, len(choice.shown), left_out, choice.n - len(entries))


def _is_like(rows: pd.DataFrame, truth: pd.DataFrame) -> bool:
    """Whether a trial has all of the rows, with the same outcomes."""
    y = rows["y"].reindex(truth.index).to_numpy()
    return bool((np.abs(y - truth["y"].to_numpy()) <= SAME_OUTCOME).all())


def _refuse_other_rows(shown: Sequence[Entry], rows: _Rows) -> None:
    one, other = min(shown, key=lambda each: len(rows.of(each))), max(shown, key=lambda each: len(rows.of(each)))
    if len(rows.of(one)) == len(rows.of(other)):  # as long, on other dates
        one, other = next(each for each in shown if not rows.of(each).index.equals(rows.of(shown[-1]).index)), shown[-1]
    only = rows.of(one).index.symmetric_difference(rows.of(other).index)
    asset, horizon, session = only[0]
    raise JobError(
        f"compare: {said(one)} and {said(other)} were scored on different dates: {len(only)} rows are in one only, the first {asset}, "
        f"{horizon} sessions, {session:%Y-%m-%d}; rule: the runs share {LEAST_COMMON:.0%} of their rows. Name runs with --runs, or add "
        "--common to rank on the dates all share"
    )


def _refuse_other_outcomes(entry: Entry, y: Array, newest: Entry, truth: pd.DataFrame) -> None:
    gap = np.abs(y - truth["y"].to_numpy())
    if gap.max() > SAME_OUTCOME:
        asset, horizon, session = truth.index[int(gap.argmax())]
        raise JobError(
            f"compare: the outcome of {asset}, {horizon} sessions, {session:%Y-%m-%d} differs between {said(entry)} and {said(newest)}; "
            "rule: runs on other vintages are not ranked together"
        )
