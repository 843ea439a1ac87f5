"""Trailing twelve months from whatever periods a company has filed (METHODS 1.4).

A filed period is an edge between two dates, its value the length of the edge; walked backwards it counts negative. The trailing year up
to date E is a walk to E from a date 350 to 380 days earlier. FY + year-to-date - year-to-date a year before, four quarters in a row, and
a fourth quarter taken as the year less nine months are all such walks, so one search knows them all.

`Ledger` follows one company, filing by filing; `features.year_spans` makes the same of all companies at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from features.walks import graph, walks_back

SAME_DATE = 10
"""Days within which two boundaries are one: 52- and 53-week calendars end a period on other days than the year before."""

TRIED_ENDS = 4
"""Newest period ends for which a trailing year is sought."""

KEEP_DAYS = 1200
"""Boundaries this far before the newest one are of no more use."""


@dataclass(frozen=True)
class TrailingYear:
    """Sums over the year to `end` (days from 1970-01-01); `annual` where a 10-K stated the period that ends there."""

    end: int
    annual: bool
    net_income: float
    revenue: float


@dataclass
class Ledger:
    """What one company has filed so far, newest vintage of each period. Days are counted from 1970-01-01.

    Attributes
    ----------
    edges : for each boundary, the boundaries a period reaches from it, with net income and revenue
    ends : for each boundary at which a period ends, whether a 10-K stated one of them
    """

    edges: dict[int, dict[int, tuple[float, float]]] = field(default_factory=dict)
    ends: dict[int, bool] = field(default_factory=dict)

    def add(self, start: int, end: int, values: tuple[float, float], annual: bool) -> None:
        """Take one filed period; a later vintage of the same period replaces the earlier.

        Parameters
        ----------
        start, end : first and last day of the period
        values : net income and revenue, NaN where not stated
        annual : whether the form is a 10-K
        """
        left, right = self._boundary(start - 1), self._boundary(end)
        if left != right:
            self.edges[left][right] = values
            self.ends[right] = annual or self.ends.get(right, False)

    def trailing_years(self) -> Iterator[TrailingYear]:
        """Add up the years that can be added up, newest end first: those whose net income is known.

        Only the newest few ends are tried: older ones are stale wherever it matters. Lazy, for the newest mostly suffices.
        """
        for end in sorted(self.ends, reverse=True)[:TRIED_ENDS]:
            total = self._year_to(end, 0)
            if not np.isnan(total):
                yield TrailingYear(end, self.ends[end], total, self._year_to(end, 1))

    def _boundary(self, day: int) -> int:
        boundary = nearest_boundary(self.edges, day)
        self.edges.setdefault(boundary, {})
        return boundary

    def _year_to(self, end: int, which: int) -> float:
        """Add up the year to a date; of walks equally short the least sum, NaN where there is none."""
        oldest = max(self.ends, default=0) - KEEP_DAYS
        periods = [(left, right, values[which]) for left, reached in self.edges.items() for right, values in reached.items()]
        usable = [period for period in periods if period[0] >= oldest and not np.isnan(period[2])]
        edges = graph((left, right, number) for number, (left, right, _) in enumerate(usable, 1))
        totals = []
        for walk in walks_back(edges, end):
            total = 0.0
            for number in walk:
                value = usable[abs(number) - 1][2]
                total += value if number > 0 else -value
            totals.append(total)
        return min(totals, default=np.nan)


def nearest_boundary(known: Iterable[int], day: int) -> int:
    """Give the known boundary that a day is one with, else the day itself."""
    near = [each for each in known if abs(each - day) <= SAME_DATE]
    return min(near, key=lambda each: (abs(each - day), each)) if near else day
