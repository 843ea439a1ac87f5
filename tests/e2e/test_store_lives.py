"""A market that lives: read after each session, its earlier rows never change; read again for an instant that is over, it is the same."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import feature_matrix
from features.market import Market
from sources import simulate_market
from sources.store import Store
from tests.e2e.living_market import LIVE, Diary, Vendor, lively

FAMILIES = {"momentum", "breadth", "flows", "profitability", "liquidity", "crypto"}
REVISED = 8
"""The first lived session after which the vendor shows another value of an earlier one that features see."""


@pytest.fixture(scope="module")
def vendor() -> Vendor:
    return lively(simulate_market(years=4, n_stocks=10))


def changed(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Name the columns whose earlier rows have other bits, and since when."""
    ours, theirs = before.to_numpy(), after.loc[before.index, before.columns].to_numpy()
    other = (ours != theirs) & ~(np.isnan(ours) & np.isnan(theirs))
    return [f"{column} {before.index[other[:, at].argmax()]:%Y-%m-%d}" for at, column in enumerate(before) if other[:, at].any()]


def instants(market: Market) -> dict[str, str]:
    """Take both instants from a market's note."""
    known, recorded = re.findall(r"(?:known|recorded) (\S+Z)", market.note)
    return {"known": known, "recorded": recorded}


def live(diary: Diary, sessions: Iterable[int], **keys: object) -> tuple[list[Market], list[str]]:
    """Ask and read after each of these sessions; give the markets, and what repainted."""
    markets: list[Market] = []
    repainted: list[str] = []
    before = None
    for k in sessions:
        assert diary.ask(k).number is not None
        market = diary.read(**keys)
        assert market.sessions[-1] == diary.vendor.market.sessions[k - LIVE]
        matrix = feature_matrix(market)
        if before is not None:
            repainted += [f"{market.sessions[-1]:%Y-%m-%d}: {each}" for each in changed(before, matrix)]
        before = matrix
        markets.append(market)
    assert before is not None
    assert set(before.columns.str.split("__").str[0]) == FAMILIES
    assert before.iloc[-1].notna().groupby(before.columns.str.split("__").str[0]).any().all()
    return markets, repainted


@pytest.mark.parametrize("counted", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_rows_never_change_and_an_instant_that_is_over_keeps_its_bits(vendor: Vendor, tmp_path: Path, counted: bool) -> None:
    diary = Diary(tmp_path, vendor)
    markets, repainted = live(diary, range(-1, LIVE), counted=counted)
    assert repainted == []
    for market in (*markets[::5], markets[-1]):
        again = diary.read(counted=counted, **instants(market))
        assert again.fingerprint() == market.fingerprint(), market.note
    assert diary.store.verify() == []
    told = set(markets[-1].quarantine["rule"])
    assert {"known only after a later record of its series"} <= told
    assert counted or "known only after others of its date were used" in told


def test_sessions_that_were_missed_are_caught_up_with(vendor: Vendor, tmp_path: Path) -> None:
    diary = Diary(tmp_path, vendor)
    markets, repainted = live(diary, (2, 3, 9, 14), counted=True)
    assert repainted == []
    assert diary.read(counted=True, **instants(markets[1])).fingerprint() == markets[1].fingerprint()


def test_newest_prints_repaint_and_first_prints_of_the_same_store_do_not(vendor: Vendor, tmp_path: Path) -> None:
    diary = Diary(tmp_path, vendor)
    _, repainted = live(diary, (REVISED - 1, REVISED), prints="newest")
    assert any(": liquidity__" in each for each in repainted)


def test_revisions_that_do_not_say_when_they_were_seen_repaint(vendor: Vendor, tmp_path: Path) -> None:
    _, repainted = live(Diary(tmp_path, vendor, seen=False), (REVISED - 1, REVISED))
    assert any(": liquidity__" in each for each in repainted)


def test_a_close_that_came_late_stays_out_of_the_held_panel_and_many_are_refused(vendor: Vendor, tmp_path: Path) -> None:
    diary = Diary(tmp_path, vendor)
    diary.ask(5)
    before = diary.read()
    diary.ask(6)
    after = diary.read().as_of(pd.Timestamp(instants(before)["known"]))
    pd.testing.assert_frame_equal(after.panel.close, before.panel.close)
    pd.testing.assert_series_equal(after.panel.known_at, before.panel.known_at)


def test_a_store_joined_in_between_and_a_fetch_of_nothing_change_nothing(vendor: Vendor, tmp_path: Path) -> None:
    diary = Diary(tmp_path, vendor)
    diary.ask(0)
    diary.ask(3)
    market = diary.read(counted=True)
    assert diary.ask(3).number is None
    diary.store.compact()
    reopened = Store.open(diary.store.root)
    assert reopened.verify() == []
    assert diary.read(counted=True, **instants(market)).fingerprint() == market.fingerprint()
    diary.ask(4)
    assert diary.read(counted=True, **instants(market)).fingerprint() == market.fingerprint()
    assert diary.read(**instants(market)).fingerprint() == diary.read(**instants(market)).fingerprint()
