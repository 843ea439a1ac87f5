"""Markets out of a store, through the market file."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from features.errors import DataError
from features.market import Market
from sources.calendar import sessions
from sources.files import load_market
from sources.store import Store
from tests.sources.store.batches import START, macro, new_store, prices

DAYS = sessions("2023-01-03", "2024-03-28")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two batches: prices and one value, and later the same with a revision known since."""
    found = new_store(tmp_path / "store")
    found.write({"prices": prices("R2000", DAYS[:-20]), "macro": macro(("M2", "2024-01-02", 1.0, "2024-01-03"))}, source="first")
    found.write({"prices": prices("R2000", DAYS), "macro": macro(("M2", "2024-01-02", 2.0, "2024-02-01"))}, source="second")
    return found


def load(store: Store, **keys: object) -> Market:
    path = store.root.parent / "market.yaml"
    path.write_text(yaml.safe_dump({"kind": "store", "root": "store", **keys}))
    return load_market(path)


def batch_times(store: Store) -> list[str]:
    rows = store.as_of(START + pd.Timedelta(days=1)).frames["prices"]
    return sorted(f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" for moment in rows["recorded_at"].unique())


def test_market_holds_what_was_known_at_the_last_batch(store):
    market = load(store)
    assert (market.name, market.simulated) == ("store", False)
    assert list(market.sessions) == list(DAYS)
    assert list(market.macro["value"]) == [1.0]
    assert market.quarantine.empty


def test_both_instants_are_in_the_note(store):
    last = batch_times(store)[-1]
    assert load(store).note == f"read from the store; first prints known {last}, recorded {last}"
    note = load(store, note="ours", known="2024-03-01T00:00:00+01:00", prints="newest").note
    assert note == f"ours; newest prints known 2024-02-29T23:00:00.000000Z, recorded {last}"


def test_same_instants_give_the_same_bits_whatever_is_written_later(store):
    before = load(store)
    first, last = batch_times(store)
    asked = load(store, known=last, recorded=last)
    assert asked.fingerprint() == before.fingerprint()
    store.write({"macro": macro(("M2", "2024-01-02", 3.0, "2024-01-02"))}, source="third")
    assert load(store, known=last, recorded=last).fingerprint() == before.fingerprint()
    assert load(store).fingerprint() != before.fingerprint()
    early = load(store, recorded=first)
    assert list(early.sessions) == list(DAYS[:-20])


def test_known_cuts_the_market(store):
    market = load(store, known="2024-01-02T23:00:00Z")
    assert market.sessions[-1] == pd.Timestamp("2023-12-29")
    assert market.macro.empty


def test_start_end_name_and_prints_are_passed_on(store):
    market = load(store, name="mine", start="2023-02-01", end="2023-03-01", prints="newest")
    assert market.name == "mine"
    assert (market.sessions[0], market.sessions[-1]) == (pd.Timestamp("2023-02-01"), pd.Timestamp("2023-03-01"))
    assert list(market.macro["value"]) == [2.0]


def test_simulated_store_gives_a_simulated_market(sample_market, tmp_path):
    store = Store.create(tmp_path / "store", simulated=True)
    store.write_market(sample_market, source="x")
    market = load(store)
    assert market.simulated
    assert market.sessions.equals(sample_market.sessions)


def test_root_is_taken_from_the_environment(store, monkeypatch):
    monkeypatch.setenv("APPETITE_STORE", str(store.root))
    assert len(load(store, root="${APPETITE_STORE}").sessions) == len(DAYS)
    monkeypatch.delenv("APPETITE_STORE")
    with pytest.raises(DataError, match="APPETITE_STORE is not set"):
        load(store, root="${APPETITE_STORE}")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"root": "nowhere"}, "'.*nowhere' does not exist"),
        ({"root": "."}, "there is none, 'store.json' is missing"),
        ({"recorded": "2100-01-01T00:00:00Z"}, "is still to come"),
        ({"known": "1990-01-01T00:00:00Z"}, "no price was known at 1990-01-01"),
        ({"known": "2024-01-01"}, "known: .*timezone"),
    ],
)
def test_fault_is_named(store, keys, words):
    with pytest.raises(DataError, match=words):
        load(store, **keys)


def test_empty_store_is_named(tmp_path):
    with pytest.raises(DataError, match="nothing was recorded yet; bring records in with `appetite fetch`"):
        load(new_store(tmp_path / "store"))


def test_store_of_conf_is_read_as_it_stands(store, project_root, monkeypatch):
    monkeypatch.setenv("APPETITE_STORE", str(store.root))
    assert load_market(project_root / "conf" / "market-store.yaml").fingerprint() == load(store).fingerprint()
