"""Lags, holes, stopped series and records set aside, as the picture of the data words them."""

import dataclasses

import numpy as np
import pandas as pd

from features.market import Market
from sources.inventory import take_inventory
from tests.features.handmade import funds, market, sessions
from training.data.lags import aside_table, lag_table, lag_words, series_findings

DAYS = sessions(600)


def fund_market(*names: str) -> Market:
    return market(DAYS, funds=pd.concat([funds(DAYS, np.full(len(DAYS), 1e6), fund=name) for name in names], ignore_index=True))


def test_records_set_aside_are_listed_with_their_first_dates():
    aside = pd.DataFrame(
        {
            "frame": "funds",
            "series": ["A"] * 5 + ["B"],
            "date": pd.to_datetime(["2020-03-05", "2020-03-01", "2020-03-02", "2020-03-09", "2020-03-03", None]),
            "rule": "date is no session",
        }
    )
    rows = aside_table(dataclasses.replace(market(DAYS), quarantine=aside)).rows
    assert rows == [
        ["funds", "A", "date is no session", "5", "2020-03-01, 2020-03-02, 2020-03-03, …", "2020-03-09"],
        ["funds", "B", "date is no session", "1", "no date", "n/a"],
    ]


def test_lags_of_a_frame_span_its_series():
    source = fund_market("A", "B")
    inventory = [each for each in take_inventory(source) if each.frame == "funds"]
    # known at 14:00 UTC of the next business day: 38 hours, over a weekend 86
    assert lag_words(inventory) == ["funds known after 38 h (38 h to 4 d)"]
    assert lag_table("flows", inventory).rows[0][2:5] == ["38 h", "38 h", "4 d"]
    bound = [dataclasses.replace(each, bounded=True) for each in inventory]
    assert lag_words(bound) == ["funds known after at most 4 d"]
    assert lag_table("flows", bound).rows[0][2:5] == ["", "", "≤ 4 d"]


def test_series_that_stopped_and_records_known_too_early_are_named():
    inventory = take_inventory(fund_market("A", "B"))
    assert series_findings(inventory) == []
    stopped = [dataclasses.replace(each, age=22 + k) for k, each in enumerate(inventory)]
    (words,) = series_findings(stopped)
    n = len(inventory)
    assert words.startswith(
        f"{n} of {n} series have had nothing new for more than 21 sessions: {inventory[-1].frame} {inventory[-1].name} ("
    )
    (words,) = series_findings([dataclasses.replace(inventory[0], missing=22), dataclasses.replace(inventory[1], missing=21)])
    assert words.endswith(f"between first and last in 1 of 2 series: {inventory[0].frame} {inventory[0].name} (22).")
    early = [dataclasses.replace(inventory[0], shortest_delay=pd.Timedelta(hours=-1)), *inventory[1:]]
    (words,) = series_findings(early)
    assert words.startswith(f"Records known before their own date: {inventory[0].frame} {inventory[0].name}.")
    assert series_findings([dataclasses.replace(early[0], frame="members"), *inventory[1:]]) == []  # announced
