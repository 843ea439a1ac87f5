"""What a market holds: counted by hand on a small one, and by plain loops on the simulated one."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from features.market import Market
from features.panel.counts import FLAGS, Totals
from features.panel.recount import PanelBreadth, session_days
from sources.calendar import sessions as sessions_between
from sources.inventory import holes, inventory_table, take_inventory

SESSIONS = sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-07-31"))


def known(dates: pd.DatetimeIndex, hours: float) -> pd.Series:
    return pd.Series((dates + pd.Timedelta(hours=hours)).tz_localize("UTC"))


def small_market() -> Market:
    """Two series of prices, one with a hole; a coin that lacks a day; a monthly series; one record on no session."""
    whole, holed = SESSIONS, SESSIONS.delete([5, 6, 20])
    prices = pd.concat(
        [
            pd.DataFrame({"series": name, "date": dates, "close": 100.0, "adj_close": float("nan"), "known_at": known(dates, 21)})
            for name, dates in (("R2000", whole), ("IWM", holed))
        ],
        ignore_index=True,
    )
    stray = pd.DataFrame({"series": ["IWM"], "date": [pd.Timestamp("2024-01-06")], "close": [100.0], "adj_close": [float("nan")]}).assign(
        known_at=pd.Timestamp("2024-01-06 21:00", tz="UTC")
    )
    days = pd.date_range("2024-01-02", "2024-02-20").delete(3)
    coins = pd.DataFrame({"asset": "BTC", "date": days, "close": 40_000.0, "market_cap": float("nan"), "known_at": known(days, 24)})
    months = pd.DatetimeIndex(["2024-01-05", "2024-02-05"])
    macro = pd.DataFrame({"series": "M2", "date": months, "value": [1.0, 2.0], "known_at": known(months, 72)})
    return Market.from_frames(
        name="small",
        simulated=False,
        note="by hand",
        sessions=SESSIONS,
        frames={"prices": pd.concat([prices, stray], ignore_index=True), "coins": coins, "macro": macro},
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return inventory_table(take_inventory(small_market())).set_index(["frame", "series"])


def test_spans_and_counts_are_those_of_the_records(table):
    assert table.index.tolist() == [("prices", "IWM"), ("prices", "R2000"), ("coins", "BTC"), ("macro", "M2")]
    assert table["n"].tolist() == [len(SESSIONS) - 3, len(SESSIONS), 49, 2]
    assert table.loc[("prices", "R2000"), ["first", "last"]].tolist() == [SESSIONS[0], SESSIONS[-1]]


def test_delay_is_from_the_dates_midnight(table):
    assert table["delay_hours"].tolist() == [21.0, 21.0, 24.0, 72.0]
    assert table["shortest_delay_hours"].tolist() == [21.0, 21.0, 24.0, 72.0]
    assert table["longest_delay_hours"].tolist() == [21.0, 21.0, 24.0, 72.0]
    assert not table["delay_is_bound"].any()


def test_delay_is_the_median_between_the_least_and_the_largest():
    market = small_market()
    late = market.macro["known_at"] + pd.to_timedelta([0, 48], unit="h")
    (money,) = [
        each for each in take_inventory(dataclasses.replace(market, macro=market.macro.assign(known_at=late))) if each.frame == "macro"
    ]
    hours = [delay / pd.Timedelta(hours=1) for delay in (money.shortest_delay, money.delay, money.longest_delay)]
    assert hours == [72.0, 96.0, 120.0]


def counted_market() -> Market:
    """Nine sessions counted: nobody priced on the first, on the fourth, and on the last two."""
    market = dataclasses.replace(small_market(), sessions=SESSIONS[:9])
    priced = np.array([0, 5, 5, 0, 6, 6, 6, 0, 0])
    everyone = Totals.zeros(9)
    everyone.counts[FLAGS.index("priced")] = priced
    return market.with_counts(PanelBreadth(session_days(SESSIONS[:9]), everyone, Totals.zeros(9)))


def test_counted_panel_has_a_bound_in_the_place_of_a_delay():
    (panel,) = [each for each in take_inventory(counted_market()) if each.frame == "panel"]
    # whoever was counted was known when the row was made, 24 hours after 00:00 UTC of the session's date
    assert panel.bounded
    assert {panel.shortest_delay, panel.delay, panel.longest_delay} == {pd.Timedelta(hours=24)}
    assert (panel.first, panel.last, panel.n) == (SESSIONS[1], SESSIONS[6], 5)
    assert (panel.missing, panel.age) == (1, 2)
    assert panel.name == "counted, up to 6 securities at once"
    assert panel.course.tolist() == [5, 5, 6, 6, 6]
    (row,) = inventory_table([panel]).to_dict("records")
    assert row["delay_is_bound"]


def test_missing_counts_sessions_for_prices_and_days_for_coins(table):
    assert table["missing"].tolist()[:3] == [3, 0, 1]
    assert pd.isna(table["missing"].iloc[3])  # a monthly series has no daily rhythm to miss
    assert table.loc[("coins", "BTC"), "longest_gap_days"] == 2
    assert table.loc[("macro", "M2"), "longest_gap_days"] == 31


def test_age_counts_sessions_after_the_newest_usable_record(table):
    assert table.loc[("prices", "R2000"), "age_sessions"] == 0
    after = sum(session > pd.Timestamp("2024-02-20") for session in SESSIONS)
    assert table.loc[("coins", "BTC"), "age_sessions"] == after
    # known on 8 February 00:00 UTC: the row of the session before may use it
    assert table.loc[("macro", "M2"), "age_sessions"] == sum(session > pd.Timestamp("2024-02-07") for session in SESSIONS)


def test_record_that_was_set_aside_is_counted_where_it_belongs(table):
    assert table["quarantined"].tolist() == [1, 0, 0, 0]


def test_hole_is_a_step_of_many_usual_ones():
    (coin,) = [each for each in take_inventory(small_market()) if each.frame == "coins"]
    assert holes(coin.course) == []
    dates = pd.date_range("2024-01-02", periods=40).delete(slice(10, 22))
    (gap,) = holes(pd.Series(1.0, index=dates))
    assert gap == (pd.Timestamp("2024-01-11"), pd.Timestamp("2024-01-24"))


def test_simulated_market_is_described_whole(sample_market):
    table = inventory_table(take_inventory(sample_market))
    assert set(table["frame"]) == {"prices", "coins", "funds", "macro", "members", "filings", "panel"}
    assert table["quarantined"].sum() == len(sample_market.quarantine)
    for frame, key in (("prices", "series"), ("funds", "fund")):
        records = getattr(sample_market, frame)
        for row in table[table["frame"] == frame].to_dict("records"):
            own = records[records[key] == row["series"]]
            first, last = own["date"].min(), own["date"].max()
            between = [s for s in sample_market.sessions if first <= s <= last]
            assert row["missing"] == len(set(between) - set(own["date"]))
