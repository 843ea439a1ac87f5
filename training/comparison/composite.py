"""One series of losses a trial: CRPS relative to the expanding mean's, averaged over the cells that can be confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from models.inference import Array
from serving.card import LONGEST_CONFIRMED
from training.comparison.aligned import BASELINE, Aligned
from training.errors import JobError

REFERENCE = "M0"


@dataclass(frozen=True)
class Composite:
    """Losses by session.

    Attributes
    ----------
    losses : rows sessions, columns the numbers of the trials ('0', '1', ...) and the baselines; the mean of `REFERENCE` is 1
    cells : asset and horizon of those that were averaged
    horizon : longest of them: sessions over which neighbouring rows overlap
    baselines : columns that are no trial
    p_on : (n_sessions, n_trials) each trial's own probability of the first regime, NaN where it had none
    versions : of a baseline that not all trials had alike, (n_sessions, n_versions) losses of each; `losses` has the strongest of each cell
    """

    losses: pd.DataFrame
    cells: tuple[tuple[str, int], ...]
    horizon: int
    baselines: tuple[str, ...]
    p_on: Array
    versions: Mapping[str, Array] = field(default_factory=dict)

    @property
    def n_apart(self) -> int:
        """Rows that do not overlap."""
        return len(self.losses) // self.horizon

    @property
    def tested(self) -> bool:
        """Whether the horizons are among those that can be confirmed; losses over longer ones are described."""
        return self.horizon <= LONGEST_CONFIRMED

    @property
    def best_baseline(self) -> str:
        """Baseline of the least mean loss."""
        return str(self.losses[list(self.baselines)].mean().idxmin())


def compose(aligned: Aligned) -> Composite:
    """Average the cells up to `LONGEST_CONFIRMED` sessions, or those of the shortest horizon where none is so short.

    A loss is divided by the mean loss of `REFERENCE` in its cell, so that no cell outweighs another; a session counts where every cell
    has one.
    """
    every = aligned.cells()
    shortest = min(horizon for _, horizon, _ in every)
    cells = [each for each in every if each[1] <= max(LONGEST_CONFIRMED, shortest)]
    days = [pd.Index(aligned.rows["session"].to_numpy()[at]) for _, _, at in cells]
    common = days[0]
    for each in days[1:]:
        common = common.intersection(each)
    if not len(common):
        raise JobError("compare: the cells of the runs have no session in common; nothing can be ranked")
    common = common.sort_values()
    names = [BASELINE + rung for rung in aligned.baselines]
    fixed = aligned.rows[names].to_numpy(dtype=np.float64)
    several = {rung: each for rung, each in aligned.versions.items() if each.shape[1] > 1}
    columns = [*map(str, range(len(aligned.entries))), *aligned.baselines]
    total = np.zeros((len(common), len(columns) + sum(each.shape[1] for each in several.values())))
    for (_, _, at), day in zip(cells, days, strict=True):
        rows = at[day.get_indexer(common)]
        losses = np.column_stack([aligned.own["crps"][rows], fixed[rows], *(each[rows] for each in several.values())])
        total += losses / fixed[rows, aligned.baselines.index(REFERENCE)].mean()
    total /= len(cells)
    table = pd.DataFrame(total[:, : len(columns)], index=pd.DatetimeIndex(common, name="session"), columns=columns)
    parts = np.split(total[:, len(columns) :], np.cumsum([each.shape[1] for each in several.values()])[:-1], axis=1) if several else []
    p_on = aligned.own["p_on"][cells[0][2][days[0].get_indexer(common)]]
    named = tuple((asset, horizon) for asset, horizon, _ in cells)
    longest = max(horizon for _, horizon in named)
    return Composite(table, named, longest, aligned.baselines, p_on, dict(zip(several, parts, strict=True)))
