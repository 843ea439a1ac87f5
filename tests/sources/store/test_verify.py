import shutil

import pytest

from features.errors import DataError
from sources.store import Store, manifest
from tests.sources.store.batches import macro, new_store, utc


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    store = new_store(tmp_path_factory.mktemp("written") / "store")
    for number in range(3):
        store.write({"macro": macro((f"series {number}", "2024-01-02", 1.0, "2024-01-03"))}, source="x")
    return store


@pytest.fixture
def store(written, tmp_path):
    shutil.copytree(written.root, tmp_path / "store")
    return Store.open(tmp_path / "store", clock=written.clock)


def faults(store: Store) -> dict[str, str]:
    return {difference.path: difference.what for difference in store.verify() if not difference.harmless}


def test_store_as_it_was_written_has_no_difference(store):
    assert store.verify() == []


@pytest.mark.parametrize("place", [0, 10, -1])
@pytest.mark.parametrize("path", ["macro/00000002.parquet", "ids/00000001.parquet", "manifests/00000003.json", "manifests/00000001.json"])
def test_flipped_bit_is_found_and_named(store, path, place):
    content = bytearray((store.root / path).read_bytes())
    content[place] ^= 1
    (store.root / path).write_bytes(content)
    assert path in faults(store)
    assert set(faults(store)) <= {
        path,
        path.replace("manifests", "macro").replace("json", "parquet"),
        *([f"{folder}/{path[10:18]}.parquet" for folder in ("macro", "ids")] if path.startswith("manifests") else []),
    }


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "has 0 bytes"), (b"PAR1" * 1000, "has 4000 bytes"), (None, "cannot be read: No such file")]
)
def test_truncated_replaced_or_missing_file_is_found_and_not_read(store, content, words):
    path = store.root / "macro/00000002.parquet"
    path.unlink() if content is None else path.write_bytes(content)
    assert words in faults(store)["macro/00000002.parquet"]
    with pytest.raises(DataError, match=r"file 'macro/00000002\.parquet'.*restore it from a copy"):
        store.as_of(utc("2024-05-01"), kinds=["macro"])


def test_damaged_file_of_the_right_size_is_a_clear_error_when_read(store):
    path = store.root / "macro/00000002.parquet"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(DataError, match=r"a file is damaged: .*; `verify` names it"):
        store.as_of(utc("2024-05-01"), kinds=["macro"])


def test_missing_manifest_is_found_and_later_ones_do_not_count_for_it(store):
    (store.root / manifest.path_of(2)).unlink()
    assert manifest.path_of(2) in faults(store)
    with pytest.raises(DataError, match=r"manifest 'manifests/00000002.json' is missing though a later one is there"):
        store.as_of(utc("2024-05-01"))


def test_manifest_put_in_the_place_of_another_is_found(store, tmp_path):
    other = new_store(tmp_path / "other")
    for number in range(3):
        other.write({"macro": macro((f"series {number}", "2024-01-02", 9.0, "2024-01-03"))}, source="x")
    (store.root / manifest.path_of(2)).write_bytes((other.root / manifest.path_of(2)).read_bytes())
    assert manifest.path_of(2) in faults(store)
    with pytest.raises(DataError, match=r"does not follow from the one before it"):
        store.as_of(utc("2024-05-01"))


def test_leftover_of_a_dead_writer_is_ignored_and_swept_by_the_next(store):
    left = ["macro/00000004.parquet", "macro/00000005.parquet.part", "manifests/00000004.json.part"]
    for path in left:
        (store.root / path).write_bytes(b"half")
    note = store.root / "macro" / "note.txt"
    note.write_text("a person's")
    assert len(store.as_of(utc("2024-05-01")).frames["macro"]) == 3
    assert sorted(difference.path for difference in store.verify() if difference.harmless) == left
    store.write({"macro": macro(("new", "2024-01-02", 1.0, "2024-01-03"))}, source="x")
    assert store.verify() == []
    assert note.exists()
    assert len(store.as_of(utc("2024-05-01")).frames["macro"]) == 4
