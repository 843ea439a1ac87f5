import json
import re
import threading
import time
from pathlib import Path

import pytest

from features.errors import DataError
from sources.store import Store, StoreBusyError, kinds, lock, manifest, migrate, root
from sources.store.disk import write_durably
from tests.sources.store.batches import macro, new_store, tree, utc

ROWS = macro(("a", "2024-01-02", 1.0, "2024-01-03"))


def rewrite_manifest(path: Path, **changes: object) -> None:
    told = json.loads(path.read_text().splitlines()[0]) | changes
    line = json.dumps(told, sort_keys=True)
    path.write_text(f"{line}\n{manifest._sha256(line)}\n")


def set_schema(folder: Path, version: int) -> None:
    path = folder / root.ROOT_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": version}))


def test_newer_store_is_refused_with_both_versions(tmp_path):
    set_schema(new_store(tmp_path / "store").root, 99)
    with pytest.raises(DataError, match=r"schema version 99 is newer than this program, which knows versions up to 2; update the program"):
        Store.open(tmp_path / "store")
    with pytest.raises(DataError, match=r"newer than this program"):
        migrate(tmp_path / "store")


def test_older_store_is_refused_and_brought_up_step_by_step(tmp_path):
    store, ran = new_store(tmp_path / "store"), []
    store.write({"macro": ROWS}, source="x")
    set_schema(store.root, -1)
    with pytest.raises(DataError, match=r"schema version -1 is older than this program's 2; bring it up with `appetite data migrate`"):
        Store.open(store.root)
    with pytest.raises(DataError, match=r"nothing leads from schema version 0 to 1"):
        migrate(store.root, steps={-1: ran.append})
    assert ran == []
    assert migrate(store.root, steps={-1: ran.append, 0: ran.append, 1: ran.append}).schema == root.SCHEMA
    assert ran == [store.root] * 3
    assert len(Store.open(store.root).as_of(utc("2024-05-01")).frames["macro"]) == 1


def test_interrupted_step_runs_again(tmp_path):
    folder, ran = new_store(tmp_path / "store").root, []
    set_schema(folder, -1)

    def fail_once(path: Path) -> None:
        ran.append(path)
        if len(ran) == 1:
            raise KeyboardInterrupt

    steps = {-1: lambda _: None, 0: fail_once, 1: lambda _: None}
    with pytest.raises(KeyboardInterrupt):
        migrate(folder, steps=steps)
    assert migrate(folder, steps=steps).schema == root.SCHEMA
    assert len(ran) == 2


def test_columns_on_disk_are_those_of_this_schema_version():
    # if this fails, files of older stores no longer fit: raise root.SCHEMA and add a migration
    columns = {name: [f"{field.name} {field.type}" for field in kind.schema][:-4] for name, kind in kinds.KINDS.items()}
    last = ["known_at timestamp[us, tz=UTC]", "recorded_at timestamp[us, tz=UTC]", "source string", "vintage int32"]
    assert all([f"{field.name} {field.type}" for field in kind.schema][-4:] == last for kind in kinds.KINDS.values())
    assert root.SCHEMA == 2
    assert columns == {
        "prices": ["id int32", "date date32[day]", "close double", "adj_close double"],
        "coins": ["id int32", "date date32[day]", "close double", "market_cap double"],
        "members": ["id int32", "start date32[day]", "end date32[day]"],
        "funds": ["id int32", "date date32[day]", "nav double", "shares_outstanding double", "split double"],
        "filings": [
            "id int32",
            "period_end date32[day]",
            "period_start date32[day]",
            "form string",
            "net_income double",
            "revenue double",
        ],
        "macro": ["id int32", "date date32[day]", "value double"],
        "quotes": ["id int32", "date date32[day]", "close double"],
        "actions": ["id int32", "date date32[day]", "split double", "dividend double"],
        "panel": ["id int32", "date date32[day]", "close double"],
    }


@pytest.mark.parametrize("make", [Store.create, Store.open])
def test_root_that_is_a_file_is_refused(tmp_path, make):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"this is a file; rule: the root of a store is a folder"):
        make(tmp_path / "file")
    with pytest.raises(DataError, match=r"store '.*below'"):
        make(tmp_path / "file" / "below")


def test_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(DataError, match=r"the folder is no store and holds 'thesis.tex'"):
        Store.create(tmp_path)
    with pytest.raises(DataError, match=r"there is none, 'store.json' is missing"):
        Store.open(tmp_path)
    assert list(tree(tmp_path)) == ["thesis.tex"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1, "simulated": false, "format": "another"}'])
def test_root_file_that_says_nothing_is_refused(tmp_path, text):
    store = new_store(tmp_path / "store")
    (store.root / root.ROOT_FILE).write_text(text)
    with pytest.raises(DataError, match=r"'store\.json'"):
        Store.open(store.root)


def test_store_is_opened_where_it_is_made_twice_but_not_as_another_sort(tmp_path):
    Store.create(tmp_path / "store").write({"macro": ROWS}, source="x")
    assert len(Store.create(tmp_path / "store").names()) == 1
    with pytest.raises(DataError, match=r"holds real records; rule: simulated ones go into a store of their own"):
        Store.create(tmp_path / "store", simulated=True)


@pytest.mark.parametrize("path", ["../outside.parquet", "/etc/passwd", "macro/../../outside.parquet"])
def test_manifest_that_points_out_of_the_root_is_refused(tmp_path, path):
    store = new_store(tmp_path / "store")
    store.write({"macro": ROWS}, source="x")
    at = store.root / manifest.path_of(1)
    files = [file | {"path": path} for file in json.loads(at.read_text().splitlines()[0])["files"]]
    rewrite_manifest(at, files=files)
    with pytest.raises(DataError, match=re.escape(f"path '{path}' leaves the root")):
        store.as_of(utc("2024-05-01"))
    assert next(difference.path for difference in store.verify() if not difference.harmless) == manifest.path_of(1)


def test_link_that_leads_out_of_the_root_is_refused(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"macro": ROWS}, source="x")
    (store.root / "macro").rename(tmp_path / "elsewhere")
    (store.root / "macro").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"leads to .*elsewhere"):
        store.as_of(utc("2024-05-01"))


def test_second_writer_is_told_who_holds_the_store(tmp_path):
    store = new_store(tmp_path / "store")
    with lock.writing(store.root):
        began = time.monotonic()
        with pytest.raises(StoreBusyError, match=r"process \d+ on .*, since 20.* after 0.1 s; rule: one writer at a time"):
            store.write({"macro": ROWS}, source="x", wait_s=0.1)
        assert 0.1 <= time.monotonic() - began < 5
    assert store.write({"macro": ROWS}, source="x", wait_s=0).number == 1


def test_second_writer_waits_for_the_first(tmp_path):
    store, done = new_store(tmp_path / "store"), []
    with lock.writing(store.root):
        second = threading.Thread(target=lambda: done.append(store.write({"macro": ROWS}, source="x", wait_s=30)))
        second.start()
        time.sleep(0.2)
        assert done == []
    second.join()
    assert done[0].number == 1


def test_answer_later_than_the_last_batch_waits_for_a_writer_at_work(tmp_path):
    # its batch may be stamped before the instant that is asked for, and not be visible yet
    store = new_store(tmp_path / "store")
    last = store.write({"macro": ROWS}, source="x").recorded_at
    later = store.clock()
    with lock.writing(store.root):
        assert len(store.as_of(utc("2024-05-01"), last).frames["macro"]) == 1
        assert len(store.as_of(utc("2024-05-01")).frames["macro"]) == 1
        with pytest.raises(StoreBusyError):
            store.as_of(utc("2024-05-01"), later, wait_s=0.05)
    assert store.as_of(utc("2024-05-01"), later).recorded == later


def test_file_is_whole_or_absent_when_writing_it_fails(tmp_path):
    def fill(stream: object) -> None:
        stream.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_durably(tmp_path / "folder" / "file", fill)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file.part"]
