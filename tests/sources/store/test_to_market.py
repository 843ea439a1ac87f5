import dataclasses

import pandas as pd
import pytest

from features.asof import asof
from features.errors import DataError
from features.market import Market, Panel
from features.schemas import SCHEMAS
from sources.calendar import sessions
from sources.store import Store
from tests.sources.store.batches import macro, new_store, prices, utc

DAYS = sessions("2023-01-03", "2024-03-28")


def expect_same(found: Market, market: Market) -> None:
    """Compare with a market, whose panel may have columns that nobody had heard of yet."""
    close = market.panel.close.dropna(axis=1, how="all").astype(float)
    expected = dataclasses.replace(market, panel=Panel(close, market.panel.known_at))
    for name in SCHEMAS:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), obj=name)
    assert found.fingerprint() == expected.fingerprint()


@pytest.mark.parametrize("place", [40, 700, -1])
def test_market_from_the_store_is_the_market_as_it_was_known(sample_market, tmp_path, place):
    store = Store.create(tmp_path / "store", simulated=True)
    store.write_market(sample_market, source="x")
    known = asof(sample_market.sessions)[place]
    expect_same(store.to_market(known, name=sample_market.name, note=sample_market.note), sample_market.as_of(known))


def test_market_written_day_by_day_is_the_market_written_at_once(sample_market, tmp_path):
    store = Store.create(tmp_path / "store", simulated=True)
    moments = asof(sample_market.sessions)[[500, 501, 530]]
    for known in moments:
        store.write_market(sample_market.as_of(known), source="daily")
    expect_same(store.to_market(moments[-1], name=sample_market.name, note=sample_market.note), sample_market.as_of(moments[-1]))


def test_frames_of_the_real_market_come_back_as_they_were(real_market, tmp_path):
    frames = {name: getattr(real_market, name) for name in SCHEMAS}
    store = Store.create(tmp_path / "store")
    store.write(frames, source="files")
    known = asof(real_market.sessions)[-1]
    found, expected = store.to_market(known, name="x", start=real_market.sessions[0].date()), real_market.as_of(known)
    for name in SCHEMAS:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), obj=name)
    assert store.write(frames, source="files").number is None


@pytest.mark.slow
def test_panel_of_the_real_market_comes_back_as_it_was(real_market, tmp_path):
    store = Store.create(tmp_path / "store")
    store.write({}, panel=real_market.panel, source="files")
    found = store.to_market(asof(real_market.sessions)[-1], name="x").panel.close
    close = real_market.panel.close.dropna(how="all").astype(float)
    pd.testing.assert_frame_equal(found[close.columns], close, check_exact=True, check_freq=False)
    assert store.verify() == []


def test_market_takes_first_prints_so_that_a_revision_changes_no_row_of_before(tmp_path):
    store = new_store(tmp_path / "store")
    days = [f"{day:%Y-%m-%d}" for day in DAYS[:200]]
    store.write({"prices": prices("R2000", DAYS), "macro": macro(*[("M2", day, 1.0, day) for day in days])}, source="first")
    store.write({"macro": macro(*[("M2", day, 2.0, "2024-01-15") for day in days[:100]])}, source="revised")
    found = store.to_market(utc("2024-05-01"), name="x")
    assert set(found.macro["value"]) == {1.0}
    assert found.quarantine.empty
    with pytest.raises(DataError, match=r"known only after a later record of its series"):
        store.to_market(utc("2024-05-01"), name="x", prints="newest")


def test_quarantined_records_go_with_the_market_once_they_were_known(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"prices": prices("R2000", DAYS.append(pd.DatetimeIndex(["2024-01-06"])))}, source="x")
    for known, count in (("2024-01-06 20:00", 0), ("2024-01-08", 1)):
        aside = store.to_market(utc(known), name="x").quarantine
        assert len(aside) == count
    assert aside.iloc[0].tolist() == ["prices", "R2000", pd.Timestamp("2024-01-06"), "date is no session"]


def test_day_that_is_not_over_has_no_session(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"prices": prices("R2000", DAYS)}, source="x")
    evening = store.to_market(utc("2024-03-27 22:00"), name="x")
    assert evening.sessions[-1] == pd.Timestamp("2024-03-26")
    assert evening.prices["date"].max() == pd.Timestamp("2024-03-26")
    assert evening.quarantine.empty


def test_market_has_the_sessions_that_are_asked_for(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"prices": prices("R2000", DAYS)}, source="x")
    found = store.to_market(utc("2024-05-01"), name="x", start=DAYS[10].date(), end=DAYS[20].date())
    assert found.sessions.equals(DAYS[10:21])
    assert found.prices["date"].tolist() == DAYS[10:21].tolist()


def test_store_without_prices_asks_for_start_and_end(tmp_path):
    with pytest.raises(DataError, match=r"no price was known at 2024-05-01 00:00 UTC; give the market's start and end"):
        new_store(tmp_path / "store").to_market(utc("2024-05-01"), name="x")
