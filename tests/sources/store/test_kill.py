"""Writers that really are killed: the store holds the state before or after, and nothing that was acknowledged is lost."""

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sources.store import Store, migrate
from sources.store.manifest import manifest_paths
from sources.store.root import read_root
from tests.killing import Writers, told, writers_of
from tests.sources.store.batches import utc
from tests.sources.store.version_1 import old_store
from tests.sources.store.writer import write

MANY_STEPS = 60


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    with writers_of("tests.sources.store.writer") as running:
        yield running


def batches_in(store: Store) -> set[int]:
    """Check that every batch is whole, and give their numbers."""
    answer = store.as_of(utc("2025-01-01"), kinds=["macro", "prices"])
    rows = {kind: Counter(frame["source"]) for kind, frame in answer.frames.items()}
    assert set(rows["macro"]) == set(rows["prices"])
    assert set(rows["macro"].values()) <= {3}
    assert set(rows["prices"].values()) <= {4}
    return {int(name.removeprefix("batch ")) for name in rows["macro"]}


def kill_often(writers: Writers, root: Path, kills: int, seed: int) -> None:
    store, moment, halves = Store.create(root), random.Random(seed), 0
    for _ in range(kills):
        had = told(root)
        pid = writers.start("on", len(batches_in(store)), root)
        writers.until(lambda had=had: told(root) > had)  # at work, so that moments fall into writes and not into the start
        time.sleep(moment.uniform(0, 0.2))
        os.kill(pid, signal.SIGKILL)
        writers.wait(pid)
        store = Store.open(root)
        there = batches_in(store)
        assert there >= told(root)
        assert there == set(range(len(there)))
        differences = store.verify()
        assert all(difference.harmless for difference in differences)
        halves += bool(differences)
    write(root, len(there))
    assert store.verify() == []
    assert len(told(root)) >= kills
    if kills >= 50:
        assert halves > 0, "no kill fell into a write"


def test_killed_at_random_moments_loses_nothing_and_keeps_no_half(writers, tmp_path):
    kill_often(writers, tmp_path / "store", kills=3, seed=1)


@pytest.mark.slow
def test_killed_at_fifty_random_moments_loses_nothing_and_keeps_no_half(writers, tmp_path):
    kill_often(writers, tmp_path / "store", kills=50, seed=2)


@pytest.mark.parametrize("stride", [pytest.param(1, marks=pytest.mark.slow), 6])
def test_killed_before_a_step_that_changes_the_disk_holds_the_state_before_or_after(writers, tmp_path, stride):
    seen = []
    for step in range(0, MANY_STEPS, stride):
        root = tmp_path / f"store{step}"
        store = Store.create(root)
        writers.wait(writers.start("die", step, root))
        there = batches_in(store)
        seen.append(there)
        assert there in (set(), {0})
        assert all(difference.harmless for difference in store.verify())
        if told(root):
            break
        write(root, 0)
        assert batches_in(store) == {0}
        assert store.verify() == []
    assert step > 10
    assert told(root) == {0}
    # once visible it stays so at every later step
    assert seen == sorted(seen, key=len)


def killed_at_every_step(writers: Writers, tmp_path: Path, make: Callable[[Path], None], word: str, stride: int) -> Iterator[Path]:
    """Give the root after each kill, until the work is done before the step at which it should have been killed."""
    make(tmp_path / "before")
    for step in range(0, MANY_STEPS, stride):
        root = tmp_path / f"store{step}"
        shutil.copytree(tmp_path / "before", root)
        writers.wait(writers.start(word, step, root))
        yield root
        if told(root):
            return


def small_batches(root: Path) -> None:
    store = Store.create(root)
    for number in range(3):
        write(root, number)
        if number == 1:
            store.compact()  # so that there are files to remove as well


@pytest.mark.parametrize("stride", [pytest.param(1, marks=pytest.mark.slow), 9])
def test_compaction_killed_before_a_step_that_changes_the_disk_loses_nothing(writers, tmp_path, stride):
    numbers = []
    for root in killed_at_every_step(writers, tmp_path, small_batches, "compact", stride):
        store = Store.open(root)
        assert batches_in(store) == {0, 1, 2}
        assert all(difference.harmless for difference in store.verify())
        numbers.append(len(manifest_paths(root)))
        store.compact()
        write(root, 3)
        assert batches_in(store) == {0, 1, 2, 3}
        assert store.verify() == []
    assert told(root) == {0}
    assert set(numbers) == {4, 5}
    assert numbers == sorted(numbers)


def test_migration_killed_before_a_step_that_changes_the_disk_leaves_the_old_or_the_new(writers, tmp_path):
    versions = []
    for root in killed_at_every_step(writers, tmp_path, old_store, "migrate", 1):
        versions.append(read_root(root).schema)
        migrate(root)
        assert Store.open(root).as_of(utc("2024-05-01")).frames["macro"]["value"].to_list() == [4.1, 4.2, 4.3]
        write(root, 0)
        assert Store.open(root).verify() == []
    assert told(root) == {0}
    assert versions == sorted(versions)
    assert set(versions) == {1, 2}


def test_two_writers_at_once_write_all_they_have(writers, tmp_path):
    store = Store.create(tmp_path / "store")
    for pid in [writers.start("five", 0, store.root), writers.start("five", 5, store.root)]:
        writers.wait(pid)
    assert batches_in(store) == set(range(10))
    assert store.verify() == []
    assert store.names()["name"].n_unique() == 10
