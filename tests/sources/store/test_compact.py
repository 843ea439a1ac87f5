import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from features.errors import DataError
from sources.calendar import sessions
from sources.store import Store, manifest, read
from sources.store.compact import Compaction
from tests.sources.store.batches import bits, macro, new_store, prices, quotes, tree, utc
from tests.sources.store.test_panel import long

DAYS = sessions("2024-01-02", "2024-01-31")
KNOWN = [utc(f"2024-02-0{day}") for day in (1, 2, 3, 4)]


def written(root: Path) -> Store:
    """A store of small batches: revisions, a bad record, a withdrawn one, several kinds."""
    store = new_store(root)
    store.write({"prices": pd.concat([prices("SPY", sessions("2023-01-03", "2024-01-31")), prices("IWM", DAYS)])}, source="first")
    for number, known in enumerate(("2024-02-01", "2024-02-02", "2024-02-03")):
        rows = macro(("M2", "2024-01-02", float(number), known), (f"series {number}", "2024-01-02", 1.0, known))
        store.write({"macro": rows, "prices": prices("IWM", DAYS[:3], first=50.0 + number)}, source=f"batch {number}")
    store.write({"prices": prices("SPY", pd.DatetimeIndex(["2024-01-06"]))}, panel=long(("A", "2024-01-03", 5.0)), source="a Saturday")
    store.write({"prices": prices("SPY", pd.DatetimeIndex(["2024-01-07"]))}, panel=long(("A", "2024-01-04", 6.0)), source="a Sunday")
    for number in (1, 2):
        wrong = store.as_of(KNOWN[-1], kinds=["macro"]).frames["macro"].filter(series=f"series {number}")
        store.retract("macro", wrong, reason="a wrong instant")
    return store


def answers(store: Store, stamps: list) -> list[bytes]:
    """Every answer of a store, by every pair of instants."""
    found = []
    for recorded in stamps:
        found.append(bits(store.quarantined(recorded)))
        for known, prints in ((KNOWN[1], "newest"), (KNOWN[-1], "newest"), (KNOWN[-1], "first")):
            found += [bits(frame) for frame in store.as_of(known, recorded, prints=prints).frames.values()]
        found += [bits(part) for part in store.buckets("prices", KNOWN[-1], recorded)]
    return found


def stamps_of(store: Store) -> list:
    return [each.recorded_at for each in manifest.read_manifests(store.root)]


def test_every_answer_has_the_same_bits_after_it(tmp_path):
    store = written(tmp_path / "store")
    stamps = stamps_of(store)
    asked = stamps[::3]
    before, status = answers(store, asked), store.status(utc("2024-04-01"))
    market = store.to_market(KNOWN[-1], name="x").fingerprint()
    files = {"ids": 5, "macro": 3, "panel": 2, "prices": 4, "quarantine/prices": 2, "withdrawn/macro": 2}
    assert store.compact() == Compaction(len(stamps) + 1, files)
    assert answers(Store.open(store.root), asked) == before
    assert store.status(utc("2024-04-01")).equals(status)
    assert store.to_market(KNOWN[-1], name="x").fingerprint() == market
    assert store.verify() == []
    assert store.compact() == Compaction(None, {})


def test_store_goes_on_after_it_as_one_without_it(tmp_path):
    one, other = written(tmp_path / "one"), written(tmp_path / "other")
    standing = ("M2", "2024-01-02", 2.0, "2024-02-03")
    for number in range(3):
        one.compact()
        for store in (one, other):
            done = store.write({"macro": macro(standing, ("VIX", "2024-01-02", 9.0 + number, "2024-02-03"))}, source="x")
            assert (done.counts["macro"].identical, done.counts["macro"].new) == (1, number == 0)
    values = ["series", "date", "value", "known_at", "source", "vintage"]
    found = [store.as_of(KNOWN[-1]).frames["macro"].select(values) for store in (one, other)]
    assert bits(found[0].rechunk()) == bits(found[1].rechunk())
    assert one.names().equals(other.names())
    assert one.verify() == []


def test_reader_at_work_keeps_its_files_until_the_next_one(tmp_path):
    store = written(tmp_path / "store")
    manifests = manifest.read_manifests(store.root)
    last = manifests[-1].recorded_at

    def reading() -> bytes:
        return bits(read.read(store.root, manifests, "macro", KNOWN[-1], last))

    before = reading()
    store.compact()
    store.write({"macro": macro(("VIX", "2024-01-02", 9.0, "2024-01-03"))}, source="x")
    assert reading() == before
    store.compact()
    with pytest.raises(DataError, match=r"is missing; restore it from a copy \(or read again, if two compactions ended meanwhile\)"):
        reading()
    assert not (store.root / "macro" / "00000002.parquet").exists()
    assert store.verify() == []
    assert bits(read.read(store.root, manifest.read_manifests(store.root), "macro", KNOWN[-1], last)) == before


def test_large_file_stays_as_it_is(tmp_path):
    store = written(tmp_path / "store")
    large = store.root / "prices" / "00000001.parquet"
    done = store.compact(small_rows=100)
    assert done.files["prices"] == 3
    store.write({"prices": prices("IWM", DAYS[:1], first=9.0)}, source="x")
    store.compact(small_rows=100)
    assert large.exists()
    assert next(file.rows for file in manifest.read_manifests(store.root)[0].files if file.table == "prices") > 100


def test_damaged_file_is_never_put_among_others(tmp_path):
    store = written(tmp_path / "store")
    path = store.root / "macro" / "00000003.parquet"
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    manifests = stamps_of(store)
    with pytest.raises(DataError, match=r"file 'macro/00000003.parquet' is damaged; restore it from a copy, then compact"):
        store.compact()
    assert stamps_of(store) == manifests


def test_chain_is_verified_from_the_first_manifest_on(tmp_path):
    store = written(tmp_path / "store")
    store.compact()
    last = manifest.read_manifests(store.root)[0]
    assert (last.source, len(last.replaced)) == ("compaction", 18)
    path = store.root / manifest.path_of(2)
    whole = path.read_text()
    path.write_text(whole.replace("batch 0", "batch X"))
    assert [difference.path for difference in store.verify() if not difference.harmless] == [manifest.path_of(2)]
    path.write_text(whole)
    merged = store.root / "macro" / f"{last.batch:08d}.parquet"
    merged.write_bytes(merged.read_bytes()[:-1])
    assert [difference.path for difference in store.verify()] == [f"macro/{merged.name}"]


def test_manifest_of_a_batch_has_the_text_that_version_1_gave_it(tmp_path):
    store = written(tmp_path / "store")
    first = manifest.read_manifests(store.root)[0]
    assert "replaced" not in first.text()
    assert "replaced" in dataclasses.replace(first, replaced=()).text()


def test_disk_that_refuses_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    store = written(tmp_path / "store")
    before = tree(store.root)
    with monkeypatch.context() as patch:
        patch.setattr("sources.store.disk.os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(DataError, match=r"No space left on device; nothing was put together"):
            store.compact()
    assert {path: content for path, content in tree(store.root).items() if not path.endswith(".part")} == before
    assert store.compact().number is not None
    assert store.verify() == []


def test_quotes_of_many_batches_give_the_same_prices_after_it(tmp_path):
    store = new_store(tmp_path / "store")
    for place, day in enumerate(DAYS[:4]):
        store.write({"quotes": quotes(("R2000", day, 9.0 + place, (day + pd.Timedelta(hours=21)).tz_localize("UTC")))}, source="x")
    before = store.to_market(KNOWN[0], name="x").fingerprint()
    store.compact()
    assert store.to_market(KNOWN[0], name="x").fingerprint() == before
