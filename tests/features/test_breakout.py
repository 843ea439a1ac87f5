"""The automaton against paths written by hand and against a second, plain implementation."""

import numpy as np
import pandas as pd
import pytest

from features.breakout import STATES, BreakoutRule, breakout_path
from features.breakout_transitions import EVENTS, breakout_events, breakout_grid

# R = 100 after four sessions; band 90 .. 110, held above 120
RULE = BreakoutRule(base=3, confirm=2, tolerance=0.10, window=3)
BASE = [100.0, 95.0, 95.0]


def states(tail: list[float], rule: BreakoutRule = RULE) -> list[str]:
    path = breakout_path(np.array(BASE + tail), rule)
    return [STATES[s] for s in path.state[len(BASE) :]]


def days(n: int) -> pd.DatetimeIndex:
    return pd.bdate_range("2020-01-01", periods=n, unit="us")


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        # the break day is the first of the two closes
        ([101, 101], ["broken", "confirmed"]),
        # a close at R is not above it: the count starts again, the state stays
        ([101, 100, 101, 101], ["broken", "broken", "broken", "confirmed"]),
        # the band's lower edge itself does not fail it
        ([101, 90, 101, 101], ["broken", "broken", "broken", "confirmed"]),
        ([101, 89], ["broken", "failed"]),
        # touched at (1 + eps)R: a retest; its upper edge itself does not hold it; above, it does; then nothing
        ([115, 115, 110, 120, 121, 115], ["broken", "confirmed", "retest", "retest", "retest_held", "none"]),
        ([115, 115, 110, 89], ["broken", "confirmed", "retest", "failed"]),
        # a retest has no time limit
        ([115, 115, 110, *[100.0] * 8, 121], ["broken", "confirmed", *["retest"] * 9, "retest_held"]),
        # the window is the three sessions after the confirmation
        ([115, 115, 115, 115, 115], ["broken", "confirmed", "confirmed", "confirmed", "ran_away"]),
        # a touch on the last of them is a retest
        ([115, 115, 115, 115, 110], ["broken", "confirmed", "confirmed", "confirmed", "retest"]),
        ([115, 115, 80], ["broken", "confirmed", "failed"]),
        # one event at a time: a record high during it starts no other
        ([101, 101, 130, 131], ["broken", "confirmed", "confirmed", "confirmed"]),
    ],
)
def test_path_follows_the_rule(tail: list[float], expected: list[str]) -> None:
    assert states(tail) == expected


def test_a_young_high_breaks_nothing() -> None:
    # the high of the fourth session is one session old when it is passed
    assert states([101.0, 95.0, 102.0], BreakoutRule(base=4, confirm=2, tolerance=0.10, window=3)) == ["none"] * 3


def test_resistance_must_have_stood_for_exactly_the_base() -> None:
    close = np.array([100.0, 95, 95, 101])
    assert breakout_path(close, BreakoutRule(base=3)).state[-1] == STATES.index("broken")
    assert breakout_path(close, BreakoutRule(base=4)).state[-1] == STATES.index("none")


def test_one_close_to_confirm_confirms_on_the_break() -> None:
    assert states([101.0], BreakoutRule(base=3, confirm=1, tolerance=0.10, window=3)) == ["confirmed"]


def test_events_carry_margins_and_knife_edges() -> None:
    close = pd.Series([*BASE, 101.0, 100.1, 109.9, 121.0], index=days(7))
    events = breakout_events(close, RULE)
    assert events["event"].tolist() == ["broken", "breakout_confirmed", "retest", "retest_held"]
    assert events["resistance"].tolist() == [100.0] * 4
    # the confirmation is as narrow as the narrowest of its closes
    assert events["margin"].tolist() == pytest.approx([0.01, 0.001, 1 - 109.9 / 110, 121 / 120 - 1])
    assert events["knife_edge"].tolist() == [False, True, True, False]
    assert events["date"].tolist() == days(7)[3:].tolist()


def test_ran_away_has_the_margin_of_its_closest_session() -> None:
    close = pd.Series([*BASE, 115.0, 115.0, 111.0, 130.0, 130.0], index=days(8))
    last = breakout_events(close, RULE).iloc[-1]
    assert last["event"] == "ran_away"
    assert last["margin"] == pytest.approx(111 / 110 - 1)


def test_distance_is_from_the_resistance_that_would_be_broken() -> None:
    path = breakout_path(np.array([100.0, 95.0, 99.0, 101.0, 102.0]), RULE)
    assert path.distance.tolist() == pytest.approx(np.log([1, 0.95, 0.99, 1.01, 1.02]).tolist())
    assert path.sessions_in_state.tolist() == [0, 1, 2, 0, 0]


def test_sessions_without_a_close_keep_the_state_and_count() -> None:
    path = breakout_path(np.array([np.nan, *BASE, 115, 115, np.nan, np.nan, 115]), RULE)
    assert [STATES[s] if s >= 0 else "" for s in path.state] == ["", "none", "none", "none", "broken", *["confirmed"] * 3, "ran_away"]
    assert np.isnan(path.distance[[0, 6, 7]]).all()
    assert np.isnan(path.sessions_in_state[0])


def plain_loop(close: np.ndarray, rule: BreakoutRule) -> list[tuple[int, str]]:
    """Search for break, confirmation and end one after another, by index."""
    found: list[tuple[int, str]] = []
    highs = [i for i in range(len(close)) if i == 0 or close[i] > close[:i].max()]
    t = 1
    while t < len(close):
        past = close[:t]
        last_high = max(i for i in highs if i < t)
        resistance = past.max()
        if not (close[t] > resistance and t - last_high >= rule.base):
            t += 1
            continue
        low, touch, held = (1 - rule.tolerance) * resistance, (1 + rule.tolerance) * resistance, (1 + 2 * rule.tolerance) * resistance
        found.append((t, "broken"))
        confirmed = next(
            (i for i in range(t + rule.confirm - 1, len(close)) if (close[i - rule.confirm + 1 : i + 1] > resistance).all()), None
        )
        fell = next((i for i in range(t, len(close)) if close[i] < low), None)
        if confirmed is None or (fell is not None and fell < confirmed):
            if fell is None:
                return found
            found.append((fell, "failed"))
            t = fell + 1
            continue
        found.append((confirmed, "breakout_confirmed"))
        window = range(confirmed + 1, min(confirmed + rule.window, len(close) - 1) + 1)
        end = next((i for i in window if close[i] <= touch), None)
        if end is None:
            if confirmed + rule.window >= len(close):
                return found
            found.append((confirmed + rule.window, "ran_away"))
            t = confirmed + rule.window + 1
            continue
        if close[end] >= low:
            found.append((end, "retest"))
            end = next((i for i in range(end + 1, len(close)) if close[i] < low or close[i] > held), len(close))
            if end == len(close):
                return found
        found.append((end, "failed" if close[end] < low else "retest_held"))
        t = end + 1
    return found


@pytest.mark.parametrize("seed", range(40))
def test_automaton_agrees_with_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # a drift and a short base make many events
    close = 100 * np.exp(np.cumsum(0.002 + 0.012 * rng.standard_normal(1200)))
    rule = BreakoutRule(
        base=int(rng.integers(5, 40)), confirm=int(rng.integers(1, 5)), tolerance=float(rng.uniform(0.005, 0.03)), window=20
    )
    events = breakout_events(pd.Series(close, index=days(len(close))), rule)
    got = [(days(len(close)).get_loc(date), event) for date, event in zip(events["date"], events["event"], strict=True)]
    expected = plain_loop(close, rule)
    if rule.confirm == 1:  # break and confirmation are one day and one event
        expected = [each for each in expected if each[1] != "broken"]
    assert got == expected
    assert len(got) > 3


def test_grid_reports_every_cell_and_agrees_with_single_runs() -> None:
    close = pd.Series(100 * np.exp(np.cumsum(0.001 + 0.01 * np.random.default_rng(3).standard_normal(3000))), index=days(3000))
    grid = breakout_grid(close)
    cells = list(grid.groupby(["base", "tolerance"]))
    assert [key for key, _ in cells] == [(base, eps) for base in (126, 252, 504) for eps in (0.010, 0.015, 0.025)]
    assert set(grid["event"]) <= set(EVENTS)
    for (base, tolerance), cell in cells:
        alone = breakout_events(close, BreakoutRule(base=base, tolerance=tolerance))
        if alone.empty:
            assert cell["event"].tolist() == ["none"]
        else:
            pd.testing.assert_frame_equal(cell.drop(columns=["base", "tolerance"]).reset_index(drop=True), alone)
    assert {len(cell) > 1 for _, cell in cells} == {True, False}
