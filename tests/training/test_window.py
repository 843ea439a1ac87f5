"""The judged window and the lock-box, by counting."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.config import load_config
from training.window import clear_of, judged_window, lockbox_rows, priced_sessions

CONFIG = Path(__file__).resolve().parents[2] / "conf" / "train.yaml"
DAYS = pd.bdate_range("2012-01-02", periods=1500, name="session")


def config_of(**changes):
    given = {"walk.start": pd.Timestamp("2012-03-01").date(), "walk.min_history": 500, "horizons": [5, 21]}
    return load_config(CONFIG, **(given | changes))


def test_window_begins_once_enough_labels_have_ended_and_ends_with_the_last_known_label():
    window = judged_window(DAYS, config_of())
    start = DAYS.get_loc(pd.Timestamp("2012-03-01"))
    ended = [t for t in range(len(DAYS)) if sum(start <= s and s + 5 <= t for s in range(t)) >= 500]
    assert window.first == DAYS[ended[0]]
    assert window.last == DAYS[-1 - 5]


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_lockbox_is_the_newest_share_of_the_window(share):
    window = judged_window(DAYS, config_of(**{"walk.lockbox": share}))
    planned = DAYS[(window.first <= DAYS) & (window.last >= DAYS)]
    inside = (planned >= window.lockbox).sum()
    assert inside - 1 < share * len(planned) <= inside


def test_no_lockbox_where_it_is_switched_off_and_no_window_where_history_is_short():
    off = judged_window(DAYS, config_of(**{"walk.lockbox": 0.0}))
    assert off.lockbox is None
    assert not lockbox_rows(DAYS, off).any()
    assert judged_window(DAYS[:540], config_of()) is None
    assert not lockbox_rows(DAYS, None).any()


def test_window_counts_sessions_with_a_price_alone():
    prices = pd.DataFrame({"BTC": 1.0, "ETH": np.nan, "ALT": 1.0}, index=DAYS)
    prices.iloc[:200] = np.nan
    config = config_of(assets=["BTC", "ETH"])
    assert priced_sessions(prices, config).equals(DAYS[200:])
    later = judged_window(priced_sessions(prices, config), config)
    assert DAYS.get_loc(later.first) == 200 + 500 + 5 - 1


@given(st.integers(0, 39), st.integers(1, 30))
def test_judged_rows_have_labels_that_end_before_the_lockbox(begin, horizon):
    lockbox = np.arange(40) >= begin
    clear = clear_of(lockbox, horizon)
    assert clear.tolist() == [t + 1 + horizon < begin for t in range(40)]


def test_without_a_lockbox_every_row_is_clear_of_it():
    assert clear_of(np.zeros(30, dtype=bool), 21).all()
