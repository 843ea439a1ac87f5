"""Sessions added one by one against a recount of everything."""

import numpy as np
import pytest

from features.errors import DataError
from features.panel.recount import PanelBreadth, session_days
from features.panel.state import PanelState
from features.panel.update import PanelDay, update
from tests.features.handmade import sessions
from tests.features.panel.panels import counts

START, ADDED = 270, 310
DAYS = sessions(START + ADDED)
NUMBERS = session_days(DAYS)


def ragged(seed: int = 3, n_securities: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = len(DAYS)
    closes = 20 * np.exp(np.cumsum(0.02 * rng.standard_normal((n, n_securities)), axis=0))
    closes[:, 0] = 17.3  # ties
    for column in closes.T[1:]:
        first = rng.choice([0, 0, rng.integers(n)])
        column[:first] = np.nan
        if rng.random() < 0.5:
            column[rng.integers(first, n + 1) :] = np.nan
        for start in rng.integers(0, n, 4):
            column[start : start + rng.choice([1, 5, 6, 7, 20, 22])] = np.nan
        column[rng.integers(n)] *= 10
    closes[START - 100 : START + 200, 1] = np.nan  # leaves every window, and comes back
    return closes, rng.random(closes.shape) < 0.5


def day_of(closes: np.ndarray, members: np.ndarray, slot: int) -> PanelDay:
    there = np.random.default_rng(slot).permutation(np.flatnonzero(~np.isnan(closes[slot]) | members[slot]))
    return PanelDay(int(NUMBERS[slot]), int(NUMBERS[slot - 1]), there.astype(np.int32), closes[slot, there], members[slot, there])


def started(closes: np.ndarray, members: np.ndarray) -> tuple[PanelBreadth, PanelState]:
    return counts(closes[:START], members[:START], days=DAYS[:START])


def same(left: tuple[PanelBreadth, PanelState], right: tuple[PanelBreadth, PanelState]) -> None:
    np.testing.assert_array_equal(left[0].days, right[0].days)
    for universe in ("everyone", "members"):
        ours, theirs = (getattr(each[0], universe) for each in (left, right))
        np.testing.assert_array_equal(ours.counts, theirs.counts)
        np.testing.assert_array_equal(ours.expected, theirs.expected)
        np.testing.assert_allclose(ours.sums, theirs.sums, rtol=1e-12, atol=1e-12)
    for field in ("day", "ids", "closes", "age"):
        np.testing.assert_array_equal(getattr(left[1], field), getattr(right[1], field), err_msg=field)


def test_three_hundred_sessions_one_by_one_are_a_recount() -> None:
    closes, members = ragged()
    breadth, state = started(closes, members)
    for slot in range(START, START + ADDED):
        state, everyone, own = update(state, day_of(closes, members, slot))
        breadth = breadth.with_session(state.day, everyone, own)
    same((breadth, state), counts(closes, members, days=DAYS))
    assert breadth.universes()["panel"]["ties_50"][START:].min() >= 1


def test_a_split_rescales_what_came_before() -> None:
    closes, members = ragged()
    adjusted = closes.copy()
    adjusted[:START] *= 0.5  # the vendor's series after two-for-one splits of all
    state = started(closes, members)[1]
    day = day_of(closes, members, START)
    plain = PanelDay(day.day, day.previous, day.ids, day.close, day.member, np.full(len(day.ids), 0.5))
    got = update(state, plain)[1]
    expected = update(counts(adjusted[:START], members[:START], days=DAYS[:START])[1], day)[1]
    np.testing.assert_array_equal(got.counts, expected.counts)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"previous": int(NUMBERS[START - 2])}, "each session in turn"),
        ({"day": int(NUMBERS[START - 1])}, "each session in turn"),
        ({"ids": np.array([1, 1], np.int32)}, "security 1 is there 2 times"),
        ({"close": np.array([1.0, -2.0])}, "column 'close': -2.0"),
        ({"close": np.array([np.inf, 2.0])}, "column 'close': inf"),
        ({"close": np.array([1.0])}, "one row a security"),
        ({"factor": np.array([1.0, np.nan])}, "column 'factor': nan"),
    ],
)
def test_a_wrong_day_is_refused_in_words(change: dict, words: str) -> None:
    closes, members = ragged()
    state = started(closes, members)[1]
    good = {
        "day": int(NUMBERS[START]),
        "previous": int(NUMBERS[START - 1]),
        "ids": np.array([1, 2], np.int32),
        "close": np.array([1.0, 2.0]),
        "member": np.array([True, False]),
    }
    with pytest.raises(DataError, match=words):
        update(state, PanelDay(**(good | change)))


def test_a_session_without_rows_counts_nobody() -> None:
    closes, members = ragged()
    state = started(closes, members)[1]
    none = PanelDay(int(NUMBERS[START]), state.day, np.empty(0, np.int32), np.empty(0), np.empty(0, bool))
    after, everyone, own = update(state, none)
    assert not everyone.counts.any()
    assert everyone.expected > 0
    assert own.expected == 0
    assert len(after.ids) <= len(state.ids)
