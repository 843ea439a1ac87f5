"""Events of each rule, cool-down, and record highs in or out: against plain loops and dates anyone can check."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import index_closes
from features.breakout_transitions import breakout_events
from training.claims.highs import LULL, judge_highs
from training.claims.rules import (
    BASE,
    CONFIRMED,
    COOL_DOWN,
    HELD,
    RECORD,
    cooled,
    list_rule_events,
    record_ages,
    records_after,
    rule_events,
)

DAYS = pd.bdate_range("2000-01-03", periods=4000)


def walk(seed: int, n: int = 4000, gaps: bool = False) -> pd.Series:
    rng = np.random.default_rng(seed)
    price = pd.Series(100 * np.exp(np.cumsum(0.0002 + 0.012 * rng.standard_normal(n))), index=DAYS[:n])
    return price.mask(pd.Series(rng.random(n) < 0.02, index=price.index)) if gaps else price


@pytest.mark.parametrize("seed", range(4))
def test_record_ages_equal_a_loop(seed):
    close = walk(seed, gaps=True)
    best, since, want = -np.inf, None, []
    for t, price in enumerate(close):
        want.append(t - since if since is not None and price > best else np.nan)
        if price > best:
            best, since = price, t
    np.testing.assert_array_equal(record_ages(close), want)


@pytest.mark.parametrize("seed", range(4))
def test_record_events_equal_a_loop(seed):
    close = walk(seed)
    got = records_after(close)
    want = []
    for t in range(1, len(close)):
        before = close.to_numpy()[:t]
        if close.iloc[t] > before.max() and t - int(before.argmax()) >= BASE:
            want.append((close.index[t], before.max(), close.iloc[t] / before.max() - 1))
    assert len(want) > 0
    assert list(zip(got["date"], got["resistance"], got["margin"], strict=True)) == want
    assert (got["knife_edge"] == (got["margin"] < 0.002)).all()


@given(st.lists(st.integers(0, 3999), unique=True, max_size=40))
def test_cool_down_counts_the_first_and_none_nearer_than_a_year(positions):
    dates = DAYS[sorted(positions)]
    got = cooled(pd.DataFrame({"date": dates}), DAYS)
    last, want = -(10**6), []
    for at in sorted(positions):
        want.append(at - last >= COOL_DOWN)
        last = at if want[-1] else last
    assert got["counted"].tolist() == want
    assert (got["note"] != "").tolist() == [not each for each in want]


def test_events_are_those_of_the_automaton_and_the_records():
    close = walk(1)
    events, transitions = rule_events(close), breakout_events(close)
    for state in (CONFIRMED, HELD):
        assert events.loc[events["state"] == state, "date"].tolist() == transitions.loc[transitions["event"] == state, "date"].tolist()
    broken = transitions.loc[transitions["event"] == "broken", "date"]
    records = events.loc[events["state"] == RECORD, "date"]
    assert set(broken) <= set(records), "a break of the automaton is a record after a year, or it has another base"
    assert len(records) > 0


def test_every_high_is_in_or_out_with_its_reason():
    close = walk(2)
    table, events = judge_highs(close), rule_events(close)
    assert (table["stood"] >= LULL).all()
    counted = events[(events["state"] == RECORD) & events["counted"]]
    assert table.loc[table["counted"], "date"].tolist() == counted["date"].tolist()
    assert table["reason"].str.startswith("in:").equals(table["counted"])
    young = table[table["stood"] < BASE]
    assert young["reason"].str.contains("the rule asks for 252").all()


def test_highs_of_2014_2018_and_2021_are_out_by_rule(real_market):
    """Dates of record closes of the Russell 2000 that any chart shows."""
    table = judge_highs(index_closes(real_market, "R2000")).set_index("date")["counted"]
    said = {f"{date:%Y-%m-%d}": bool(counted) for date, counted in table["2013":].items()}
    assert said == {
        "2013-01-02": True,
        "2014-12-26": False,
        "2015-06-18": False,
        "2016-11-14": True,
        "2017-02-10": False,
        "2017-09-22": False,
        "2018-05-16": False,
        "2018-08-21": False,
        "2020-11-13": True,
        "2021-11-02": False,
    }


def test_real_events_have_the_dates_that_charts_have(real_market):
    events = list_rule_events(real_market)
    events = events[events["counted"] & (events["date"] >= "2013-04-29")]
    dates = {key: [f"{d:%Y-%m-%d}" for d in part["date"]] for key, part in events.groupby(["series", "state"])}
    assert dates == {
        ("IWM", CONFIRMED): ["2016-11-16", "2020-11-17"],
        ("IWM", HELD): ["2016-11-23"],
        ("IWM", RECORD): ["2016-11-14", "2020-11-13"],
        ("IWN", CONFIRMED): ["2013-05-09", "2021-01-08", "2024-11-12"],
        ("IWN", HELD): ["2013-05-20", "2021-02-01"],
        ("IWN", RECORD): ["2013-05-07", "2016-09-07", "2021-01-06", "2024-11-06"],
        ("R2000", CONFIRMED): ["2016-11-16", "2020-11-17"],
        ("R2000", HELD): ["2016-11-23"],
        ("R2000", RECORD): ["2016-11-14", "2020-11-13"],
    }
