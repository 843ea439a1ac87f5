"""The shortest ways back over a year, from period to period: which periods they add and which they take off."""

from collections.abc import Iterable

YEAR = (350, 380)
"""Days of a full year, fiscal calendars of 52 and 53 weeks included."""

MAX_STEPS = 7
"""Periods a walk may use: a year, three quarters since, and the same three a year before."""

Walk = tuple[int, ...]
"""Periods in the order of the walk, numbered from 1: positive where the period is added, negative where it is taken off."""


def graph(periods: Iterable[tuple[int, int, int]]) -> dict[int, list[tuple[int, int]]]:
    """Make edges of periods.

    Parameters
    ----------
    periods : (left boundary, right boundary, number from 1), in the order in which ways of equal length are tried

    Returns
    -------
    for each boundary, where a period leads and its signed number on a walk back
    """
    edges: dict[int, list[tuple[int, int]]] = {}
    for left, right, number in periods:
        edges.setdefault(left, []).append((right, -number))
        edges.setdefault(right, []).append((left, number))
    return edges


def walks_back(edges: dict[int, list[tuple[int, int]]], end: int) -> list[Walk]:
    """Find the shortest walks from a boundary to one a year before: such that use a fiscal year if there are any.

    Parameters
    ----------
    edges : as `graph` gives them
    end : boundary

    Returns
    -------
    all that are equally short, none where nothing adds up; breadth first, one for each boundary a year before
    """
    start = (end, True)
    reached: dict[tuple[int, bool], Walk] = {start: ()}
    frontier = [start]
    for _ in range(MAX_STEPS):
        following = []
        for at, plain in frontier:
            walk = reached[at, plain]
            for to, number in edges.get(at, ()):
                key = (to, plain and not YEAR[0] <= abs(to - at) <= YEAR[1])
                if key not in reached:
                    reached[key] = (*walk, number)
                    following.append(key)
        frontier = following
    found = [(plain, len(walk), walk) for (at, plain), walk in reached.items() if YEAR[0] <= end - at <= YEAR[1]]
    best = min((each[:2] for each in found), default=None)
    return [walk for *length, walk in found if tuple(length) == best]
