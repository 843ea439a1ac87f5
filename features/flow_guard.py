"""The guard on fund flows, by episode and without seeing the future (METHODS 1.3).

A flow above 10% of assets in a day is an error of the share count as often as it is money. It is set aside when it arrives. If the shares
go back within 10 sessions, the whole episode stays out, on both sides; if they do not, the flow counts from the tenth session on, in every
window that still holds its day. What a row was made of is thus settled by what was known at the row.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.fund_prints import FundPrints

LIMIT = 0.10
"""Share of assets above which a day's flow is set aside."""

WAIT = 10
"""Sessions in which a reversal makes it an episode."""

REVERSED = 0.75
"""Share of the flow that must have gone back for it to count as reversed."""


@dataclass(frozen=True)
class Change:
    """From row `row` on the flow at `position` is worth `amount` USD more; `sign` says whether it came in (1) or left (-1)."""

    position: int
    row: int
    amount: float
    sign: int


@dataclass(frozen=True)
class Episode:
    """One flow above the guard: its position, that of the last flow of its reversal (None without), and the row that settled it."""

    position: int
    reversal: int | None
    settled: int | None


@dataclass(frozen=True)
class Guarded:
    """Flows of one fund as counted on arrival, and what became of those set aside.

    Attributes
    ----------
    base : Series on the sessions; NaN where nothing arrived and where the flow was set aside
    changes : what was let in or taken out later, in order of `row`
    episodes : every flow above the guard
    assets : assets of the fund in USD; while a flow waits, those before it, since the share count is in doubt
    """

    base: pd.Series
    assets: pd.Series
    changes: list[Change]
    episodes: list[Episode]


def guard(prints: FundPrints) -> Guarded:
    """Run the guard over the flows of one fund, in the order in which they became known."""
    flow, relative = prints.flow.to_numpy(), prints.relative.to_numpy()
    base = np.full(len(flow), np.nan)
    counted = np.zeros(len(flow), dtype=bool)
    in_doubt = np.zeros(len(flow), dtype=bool)
    waiting: list[int] = []
    changes: list[Change] = []
    episodes: list[Episode] = []
    for t in range(len(flow)):
        reversed_from = next((p for p in waiting if _went_back(flow[p : t + 1])), None)
        if reversed_from is not None:
            changes += [Change(p, t, -float(flow[p]), -1) for p in range(reversed_from, t) if counted[p]]
            counted[reversed_from : t + 1] = False
            episodes += [Episode(p, t, t) for p in waiting if p >= reversed_from]
            waiting = [p for p in waiting if p < reversed_from]
        for first in [p for p in waiting if t - p >= WAIT]:
            changes.append(Change(first, t, float(flow[first]), 1))
            counted[first] = True
            episodes.append(Episode(first, None, t))
            waiting.remove(first)
        if reversed_from is None and abs(relative[t]) > LIMIT:
            waiting.append(t)
        elif reversed_from is None and not np.isnan(flow[t]):
            base[t], counted[t] = flow[t], True
        in_doubt[t] = bool(waiting)
    episodes += [Episode(first, None, None) for first in waiting]
    trusted = prints.assets.where(~in_doubt)
    assets = trusted.ffill().where(in_doubt, trusted)
    return Guarded(pd.Series(base, index=prints.flow.index), assets, changes, sorted(episodes, key=lambda each: each.position))


def _went_back(flow: NDArray[np.float64]) -> bool:
    """Say whether later flows undid the first one."""
    return bool(np.nansum(flow[1:]) * np.sign(flow[0]) <= -REVERSED * abs(flow[0]))
