"""Writers that really are killed: the store holds the state before or after, and nothing that was acknowledged is lost."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sources.store import Store
from tests.sources.store.batches import utc
from tests.sources.store.writer import write

ROOT = Path(__file__).resolve().parents[3]
MANY_STEPS = 60


class Writers:
    """Starts writers and waits for their end."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def start(self, word: str, number: int, root: Path) -> int:
        self.process.stdin.write(f"{word} {number} {root}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self, pid: int) -> None:
        self.until(lambda: not alive(pid))

    def until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not reached():
            if time.monotonic() > deadline:
                raise TimeoutError("a writer takes longer than a minute")
            time.sleep(0.002)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    command = [sys.executable, "-m", "tests.sources.store.writer"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Writers(process)
        process.stdin.close()


def batches_in(store: Store) -> set[int]:
    """Check that every batch is whole, and give their numbers."""
    answer = store.as_of(utc("2025-01-01"), kinds=["macro", "prices"])
    rows = {kind: Counter(frame["source"]) for kind, frame in answer.frames.items()}
    assert set(rows["macro"]) == set(rows["prices"])
    assert set(rows["macro"].values()) <= {3}
    assert set(rows["prices"].values()) <= {4}
    return {int(name.removeprefix("batch ")) for name in rows["macro"]}


def told(root: Path) -> set[int]:
    path = Path(f"{root}.told")
    return set(map(int, path.read_text().split())) if path.exists() else set()


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
    kill_often(writers, tmp_path / "store", kills=5, seed=1)


@pytest.mark.slow
def test_killed_at_fifty_random_moments_loses_nothing_and_keeps_no_half(writers, tmp_path):
    kill_often(writers, tmp_path / "store", kills=50, seed=2)


@pytest.mark.parametrize("stride", [pytest.param(1, marks=pytest.mark.slow), 5])
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


def test_two_writers_at_once_write_all_they_have(writers, tmp_path):
    store = Store.create(tmp_path / "store")
    for pid in [writers.start("ten", 0, store.root), writers.start("ten", 10, store.root)]:
        writers.wait(pid)
    assert batches_in(store) == set(range(20))
    assert store.verify() == []
    assert store.names()["name"].n_unique() == 20
