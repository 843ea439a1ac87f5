"""Breakouts of a path drawn by hand, and what followed them."""

import numpy as np
import pandas as pd
import pytest

from features.breakout_list import COLUMNS, list_events
from features.errors import DataError
from features.market import Market
from sources.calendar import sessions as sessions_between
from sources.known import known_at
from training.claims.events import NO_PRICE, NOT_OVER, base_rates, event_study, what_followed

SESSIONS = sessions_between(pd.Timestamp("2018-01-02"), pd.Timestamp("2019-12-31"))
BREAK = 280
"""Position of the first close above the flat year's high."""


def drawn_path() -> np.ndarray:
    """A year at 100 after a first 105; then above it for three sessions, back to it, and up: broken, confirmed, touched, held."""
    path = np.full(len(SESSIONS), 100.0)
    path[0] = 105.0
    path[BREAK : BREAK + 3] = 106.0, 107.0, 108.0
    path[BREAK + 3] = 106.0  # within 1.5% of 105: the touch
    path[BREAK + 4] = 108.0  # not yet 3% above
    path[BREAK + 5 :] = 109.0
    return path


def market_of(path: np.ndarray, **others: np.ndarray) -> Market:
    known = known_at("session_close", SESSIONS)
    frames = [
        pd.DataFrame({"series": name, "date": SESSIONS, "close": close, "adj_close": np.nan, "known_at": known})
        for name, close in {"R2000": path, **others}.items()
    ]
    days = pd.date_range(SESSIONS[100], SESSIONS[-1], freq="D").as_unit("us")
    coins = pd.DataFrame({"asset": "BTC", "date": days, "close": 100.0 * 1.001 ** np.arange(len(days)), "market_cap": np.nan})
    coins["known_at"] = known_at("end_of_utc_day", days)
    return Market.from_frames(
        name="drawn",
        simulated=True,
        note="by hand",
        sessions=SESSIONS,
        frames={"prices": pd.concat(frames, ignore_index=True), "coins": coins},
    )


def test_drawn_breakout_is_dated_on_the_sessions_that_settled_it():
    events = list_events(market_of(drawn_path()))
    assert list(events.columns) == list(COLUMNS)
    expected = [("broken", BREAK), ("breakout_confirmed", BREAK + 2), ("retest", BREAK + 3), ("retest_held", BREAK + 5)]
    assert list(zip(events["event"], events["date"], strict=True)) == [(event, SESSIONS[at]) for event, at in expected]
    assert (events["resistance"] == 105.0).all()
    assert events["close"].tolist() == [106.0, 108.0, 106.0, 109.0]
    # margins: the break, the narrowest of the three closes, and the distances from the two bands, each a share of its line
    np.testing.assert_allclose(events["margin"], [106 / 105 - 1, 106 / 105 - 1, 1 - 106 / (1.015 * 105), 109 / (1.03 * 105) - 1])


def test_series_are_listed_side_by_side_in_order_of_date():
    both = list_events(market_of(drawn_path(), IWM=drawn_path()))
    assert both["series"].value_counts().to_dict() == {"R2000": 4, "IWM": 4}
    assert both["date"].is_monotonic_increasing
    assert list_events(market_of(drawn_path(), IWM=drawn_path()), ["IWM"])["series"].unique().tolist() == ["IWM"]


def test_flat_market_has_no_events():
    events = list_events(market_of(np.full(len(SESSIONS), 100.0)))
    assert events.empty
    assert list(events.columns) == list(COLUMNS)


def test_series_without_closes_is_refused_by_name():
    with pytest.raises(DataError, match=r"no price-return closes of 'IWN'; it has R2000"):
        list_events(market_of(drawn_path()), ["IWN"])


def test_what_followed_is_the_forward_return_from_the_events_session():
    market = market_of(drawn_path())
    table = event_study(market, ["BTC"], [5, 21, 252])
    assert len(table) == 4 * 3
    for _, row in table.iterrows():
        begin = SESSIONS.get_loc(row["date"])
        end = begin + row["horizon"]
        if end < len(SESSIONS):
            days = (SESSIONS[end] - SESSIONS[begin]).days  # this coin gains a tenth of a percent a calendar day
            assert row["log_return"] == pytest.approx(days * np.log(1.001), rel=1e-9)
            assert row["note"] == ""
        else:
            assert np.isnan(row["log_return"])
            assert row["note"] == NOT_OVER
    assert table["note"].eq(NOT_OVER).sum() == 4


def test_event_before_the_asset_had_a_price_says_so():
    prices = pd.DataFrame({"BTC": np.where(np.arange(len(SESSIONS)) < BREAK + 2, np.nan, 100.0)}, index=SESSIONS)
    table = what_followed(list_events(market_of(drawn_path())), prices, ["BTC"], [5])
    assert table["note"].tolist() == [NO_PRICE, "", "", ""]
    nothing = what_followed(list_events(market_of(drawn_path())), prices * np.nan, ["BTC"], [5])
    assert set(nothing["note"]) == {NO_PRICE}


def test_base_rates_equal_a_loop():
    rng = np.random.default_rng(0)
    price = pd.Series(100 * np.exp(np.cumsum(0.03 * rng.standard_normal(200))), index=SESSIONS[:200])
    price.iloc[:20] = np.nan
    got = base_rates(pd.DataFrame({"BTC": price}), ["BTC"], [5, 300]).set_index("horizon")
    moves = [np.log(price.iloc[t + 5] / price.iloc[t]) for t in range(20, 195)]
    assert got.loc[5, "n"] == len(moves) == 175
    assert got.loc[5, "n_independent"] == 35
    assert got.loc[5, "up"] == pytest.approx(np.mean([m > 0 for m in moves]))
    assert got.loc[5, "median"] == pytest.approx(np.median(moves))
    assert got.loc[300, "n"] == 0
    assert np.isnan(got.loc[300, "up"])
