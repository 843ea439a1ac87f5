"""The numbers of trials on the rows they share, out of the ledger's mirror."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.forecast import BASELINES
from models.inference import Array
from training.comparison.choose import Choice
from training.comparison.common_rows import LEAST_COMMON, Aside, Baselines, common_rows
from training.comparison.strongest import strongest
from training.errors import JobError
from training.ledger.mirror import OWN, Mirror
from training.ledger.register import Entry

BASELINE = "crps_"
"""How columns of the baselines begin."""


@dataclass(frozen=True)
class Aligned:
    """Trials on common rows.

    Attributes
    ----------
    rows : asset, horizon, session, y and the baselines' columns, each baseline the strongest one of the family in its cell
    entries : trials that have numbers on all of these rows; those that are shown first
    own : of each column of `training.ledger.mirror.OWN`, (n_rows, n_trials)
    n_shown : trials that are shown
    left_out : rows of the longest trial that not all of them have
    aside : finished trials of the family that count and have no numbers on these rows
    versions : losses of each baseline as the trials had it, (n_rows, n_distinct)
    """

    rows: pd.DataFrame
    entries: tuple[Entry, ...]
    own: Mapping[str, Array]
    n_shown: int
    left_out: int
    aside: tuple[Aside, ...]
    versions: Mapping[str, Array]

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


def align(choice: Choice, mirror: Mirror, *, common: bool) -> Aligned:
    """Put the trials of a family on common rows, which do not depend on what is shown.

    Parameters
    ----------
    common : take in trials that have fewer than `LEAST_COMMON` of the longest one's rows

    Raises
    ------
    JobError
        Where a run that was asked for, or every one, has no numbers on the common rows.
    LedgerError
        Where numbers are missing or altered.
    """
    files = Baselines(mirror)
    found = common_rows(choice.family, files, common=common)
    _refuse_aside(choice, found.aside)
    asked = {id(each) for each in choice.shown}
    shown = [each for each in found.entries if id(each) in asked]
    entries = (*shown, *(each for each in found.entries if id(each) not in asked))
    own = {column: np.empty((len(found.index), len(entries)), order="F") for column in OWN}  # filled column by column
    places = files.places(found)
    for number, entry in enumerate(entries):
        frame = mirror.read(entry.losses)
        for column in OWN:
            own[column][:, number] = frame[column].to_numpy()[places[entry.baselines]]
    versions = [files.of(sha256).iloc[at] for sha256, at in places.items()]
    rows = strongest(versions).reset_index()
    losses = {rung: _distinct_columns(versions, BASELINE + rung) for rung in BASELINES}
    return Aligned(rows, entries, own, len(shown), found.left_out, found.aside, losses)


def _distinct_columns(versions: Sequence[pd.DataFrame], column: str) -> Array:
    values = [each[column].to_numpy(dtype=np.float64) for each in versions]
    return np.column_stack(list({each.tobytes(): each for each in values}.values()))


def _refuse_aside(choice: Choice, aside: tuple[Aside, ...]) -> None:
    """Refuse runs that were asked for by name and have no numbers, and a comparison in which none is left to show."""
    asked = {id(each) for each in choice.shown}
    without = [each for each in aside if id(each.entry) in asked]
    if without and (choice.named or len(without) == len(choice.shown)):
        raise JobError(
            f"compare: no numbers on the common rows has {without[0].words()}; rule: runs are ranked that have {LEAST_COMMON:.0%} of the "
            "rows of the longest trial of the family, and its outcomes. Leave it out of --runs, or, if its rows are too few, add --common "
            "to rank on the dates all share"
        )
