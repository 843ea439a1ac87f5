"""What becomes of an answer: published, a revision of what was published, or neither. Pure; where it is kept is another's affair.

A session is published once, by the first version that says something of it, and that never changes. A later version goes on after the last
session that was published before it: what it says of earlier ones is compared, in the series of revisions. A session that was left out
while later ones were published belongs to the version that published the next one, which passed over it, and to no other: a newer
version filling it would be hindsight.
"""

import bisect
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from serving.errors import LabelError

WALK, SERVING = "walk", "serving"
"""Who said it: the walk-forward of training, out of sample, or the served model."""

SAME = 1e-9
"""Largest difference of probabilities that still counts as the same: a refiltered row differs by rounding, by machine and threads."""


@dataclass(frozen=True)
class Said:
    """What was said of one session.

    Attributes
    ----------
    session : YYYY-MM-DD
    regime : its name
    probabilities : by name of the state
    low, high : range of the first state's probability; None where there is none
    by : `WALK` or `SERVING`
    """

    session: str
    regime: str
    probabilities: Mapping[str, float]
    low: float | None
    high: float | None
    by: str


def label_columns(names: Iterable[Any]) -> list[str]:
    """Columns of the scoring function's answer that make a label: those of forecasts have an asset's name before them.

    What single specifications say is no label: it was never called.
    """
    return [name for name in names if name in ("session", "status", "regime") or (name.startswith("p_") and "_spec_" not in name)]


Owned = tuple[str, Said]
"""Version, and what it said."""


@dataclass(frozen=True)
class Book:
    """What is on record.

    Attributes
    ----------
    published : by session
    revised : by session and version, what that version has said besides, in the order in which it did
    """

    published: Mapping[str, Owned]
    revised: Mapping[tuple[str, str], Sequence[Said]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sorted:
    """What is to be added to the book.

    Attributes
    ----------
    published : of sessions that had nothing published, ascending
    compared : of sessions that had, from another version or other than published; ascending
    left_out : neither: nothing is published of these sessions, and they are not this version's to fill
    """

    published: tuple[Said, ...]
    compared: tuple[Said, ...]
    left_out: tuple[Said, ...]


def is_same(one: Said, other: Said) -> bool:
    """Whether two answers say the same, rounding aside."""
    return (
        one.regime == other.regime
        and one.probabilities.keys() == other.probabilities.keys()
        and all(_close(value, other.probabilities[name]) for name, value in one.probabilities.items())
        and _close(one.low, other.low)
        and _close(one.high, other.high)
    )


def sort_out(book: Book, version: str, answers: Iterable[Said]) -> Sorted:
    """Decide on every answer of a version.

    Parameters
    ----------
    answers : one a session, in any order

    Raises
    ------
    LabelError
        Where a session is there twice.
    """
    sessions = sorted(book.published)
    published: list[Said] = []
    compared: list[Said] = []
    left_out: list[Said] = []
    for said in _in_order(answers):
        if said.session in book.published:
            if _is_news(book, version, said):
                compared.append(said)
        elif _may_publish(book, sessions, version, said.session):
            published.append(said)
        else:
            left_out.append(said)
    return Sorted(tuple(published), tuple(compared), tuple(left_out))


def _in_order(answers: Iterable[Said]) -> list[Said]:
    ordered = sorted(answers, key=lambda said: said.session)
    for one, other in itertools.pairwise(ordered):
        if one.session == other.session:
            raise LabelError(f"labels: session {one.session} is there twice; rule: one answer a session")
    return ordered


def _is_news(book: Book, version: str, said: Said) -> bool:
    owner, first = book.published[said.session]
    if owner == version and is_same(first, said):
        return False
    return not any(is_same(before, said) for before in book.revised.get((said.session, version), ()))


def _may_publish(book: Book, sessions: Sequence[str], version: str, session: str) -> bool:
    after = bisect.bisect_right(sessions, session)
    return after == len(sessions) or book.published[sessions[after]][0] == version


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=0.0, abs_tol=SAME)
