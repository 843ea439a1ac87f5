import pytest

from features.errors import DataError
from sources.store import Store, migrate
from sources.store.root import read_root
from tests.sources.store.batches import macro, quotes, tree, utc
from tests.sources.store.version_1 import STAMPS, old_store


@pytest.fixture
def old(tmp_path):
    old_store(tmp_path / "store")
    return tmp_path / "store"


def test_store_of_version_1_opens_once_it_is_brought_up(old):
    with pytest.raises(DataError, match=r"schema version 1 is older than this program's 2; bring it up with `appetite data migrate`"):
        Store.open(old)
    before = tree(old)
    assert migrate(old).schema == 2
    assert {path for path, content in tree(old).items() if before.get(path) != content} == {"store.json"}
    store = Store.open(old)
    assert store.verify() == []

    def values(known: str, place: int) -> list[tuple]:
        return store.as_of(utc(known), STAMPS[place], kinds=["macro"]).frames["macro"].select("series", "value", "vintage").rows()

    assert values("2024-01-03", 0) == [("DFII10", 4.0, 0)]
    assert values("2024-01-04", 1) == [("DFII10", 4.1, 1), ("DFII10", 4.2, 0), ("VIX", 4.3, 0)]


def test_store_that_was_brought_up_takes_what_version_2_knows(old):
    migrate(old)
    store = Store.open(old)
    assert store.write({"macro": macro(("VIX", "2024-01-02", 4.3, "2024-01-03"))}, source="x").number is None
    day = utc("2024-01-03")
    store.write({"quotes": quotes(("R2000", day.tz_localize(None), 5.0, day))}, source="x")
    first = store.as_of(day, STAMPS[1]).frames["macro"]
    store.retract("macro", first, reason="x")
    assert store.compact().files == {"ids": 3, "macro": 2}
    assert store.as_of(day, STAMPS[1]).frames["macro"].equals(first)
    assert store.as_of(day).frames["macro"].select("series", "value", "vintage").rows() == [("DFII10", 4.0, 0)]
    assert store.verify() == []


def test_damaged_store_keeps_its_version(old):
    path = old / "macro" / "00000001.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"file 'macro/00000001.parquet' has \d+ bytes, not"):
        migrate(old)
    assert read_root(old).schema == 1
    path.unlink()
    with pytest.raises(DataError, match=r"is missing"):
        migrate(old)


def test_bringing_up_what_is_up_changes_nothing(old):
    migrate(old)
    before = tree(old)
    migrate(old)
    assert tree(old) == before
