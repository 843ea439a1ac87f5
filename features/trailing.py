"""Trailing twelve months from whatever periods a company has filed (METHODS 1.4).

A filed period is an edge between two dates, its value the length of the edge; walked backwards it counts negative. The trailing year up
to date E is a walk to E from a date 350 to 380 days earlier. FY + year-to-date - year-to-date a year before, four quarters in a row, and
a fourth quarter taken as the year less nine months are all such walks, so one search knows them all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

SAME_DATE = 10
"""Days within which two boundaries are one: 52- and 53-week calendars end a period on other days than the year before."""

YEAR = (350, 380)
"""Days of a full year, fiscal calendars of 52 and 53 weeks included."""

MAX_STEPS = 7
"""Periods a walk may use: a year, three quarters since, and the same three a year before."""

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
        income = self._usable(0)
        for end in sorted(self.ends, reverse=True)[:TRIED_ENDS]:
            total = _year_to(income, end)
            if not np.isnan(total):
                yield TrailingYear(end, self.ends[end], total, _year_to(self._usable(1), end))

    def _boundary(self, day: int) -> int:
        near = [each for each in self.edges if abs(each - day) <= SAME_DATE]
        if near:
            return min(near, key=lambda each: (abs(each - day), each))
        self.edges[day] = {}
        return day

    def _usable(self, which: int) -> dict[int, list[tuple[int, float]]]:
        """Edges both ways, with signs, near the newest end."""
        oldest = max(self.ends, default=0) - KEEP_DAYS
        out: dict[int, list[tuple[int, float]]] = {}
        for left, reached in self.edges.items():
            for right, values in reached.items():
                if left >= oldest and not np.isnan(values[which]):
                    out.setdefault(left, []).append((right, values[which]))
                    out.setdefault(right, []).append((left, -values[which]))
        return out


def _year_to(edges: dict[int, list[tuple[int, float]]], end: int) -> float:
    walks = _walks(edges, end)
    # a walk over a fiscal year comes first, then the fewest periods
    return min(walks)[2] if walks else np.nan


def _walks(edges: dict[int, list[tuple[int, float]]], end: int) -> list[tuple[bool, int, float]]:
    """Breadth-first from the end backwards: (no fiscal year on it, steps, sum) of the shortest walks to a date a year before."""
    reached = {(end, True): (0, 0.0)}
    frontier = [(end, True)]
    for step in range(1, MAX_STEPS + 1):
        following = []
        for at, plain in frontier:
            total = reached[at, plain][1]
            for to, value in edges.get(at, ()):
                key = (to, plain and not YEAR[0] <= abs(to - at) <= YEAR[1])
                if key not in reached:
                    # edges are stored with the sign of walking them forwards; this walk runs backwards
                    reached[key] = (step, total - value)
                    following.append(key)
        frontier = following
    return [(plain, steps, total) for (at, plain), (steps, total) in reached.items() if YEAR[0] <= end - at <= YEAR[1]]
