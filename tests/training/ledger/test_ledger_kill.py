"""Writers that really are killed, and two at once: the ledger holds what was acknowledged, and nothing by halves."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.killing import Writers, told, writers_of
from tests.training.ledger.ledger_writer import write
from training.ledger.ledger import Ledger
from training.ledger.register import FINISHED, OPEN

MANY_STEPS = 40


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    with writers_of("tests.training.ledger.ledger_writer") as running:
        yield running


def trials_in(folder: Path) -> list[tuple[str, str]]:
    """Check that the ledger is whole, and give its trials and how they stand."""
    ledger = Ledger(folder / "ledger")
    assert ledger.verify() is None
    return [(each.run_id, each.state) for each in ledger.read().entries]


def test_killed_at_random_moments_loses_no_line_and_breaks_none(writers, tmp_path):
    moment = random.Random(3)
    for _ in range(5):
        had = told(tmp_path)
        pid = writers.start("on", len(trials_in(tmp_path)), tmp_path)
        writers.until(lambda had=had: told(tmp_path) > had)
        time.sleep(moment.uniform(0, 0.005))
        os.kill(pid, signal.SIGKILL)
        writers.wait(pid)
        found = dict(trials_in(tmp_path))
        assert list(found) == [str(number) for number in range(len(found))]
        assert {number for number in told(tmp_path) if found[str(number)] == FINISHED} == told(tmp_path)
    assert len(told(tmp_path)) >= 5


def test_killed_before_any_step_that_changes_the_disk_holds_the_state_before_or_after(writers, tmp_path):
    states = []
    for step in range(MANY_STEPS):
        folder = tmp_path / f"at{step}"
        folder.mkdir()
        writers.wait(writers.start("die", step, folder))
        states.append(trials_in(folder))
        if told(folder):
            break
        write(folder, 2)  # the next writer goes on from there
        assert trials_in(folder) == [*states[-1], ("2", FINISHED)]
    lines = [[], [("0", OPEN)], [("0", FINISHED)], [("0", FINISHED), ("1", OPEN)], [("0", FINISHED), ("1", FINISHED)]]
    places = [lines.index(each) for each in states]
    assert places == sorted(places)
    assert set(places) == set(range(len(lines)))


def test_two_writers_at_once_are_both_on_record(writers, tmp_path):
    first, second = writers.start("on", 0, tmp_path), writers.start("on", 5000, tmp_path)
    writers.until(lambda: sum(each < 5000 for each in told(tmp_path)) > 5 and sum(each >= 5000 for each in told(tmp_path)) > 5)
    for pid in (first, second):
        os.kill(pid, signal.SIGKILL)
        writers.wait(pid)
    found = dict(trials_in(tmp_path))
    assert {str(number) for number in told(tmp_path)} <= {run_id for run_id, state in found.items() if state == FINISHED}
    for start in (0, 5000):
        own = sorted(int(run_id) for run_id in found if (int(run_id) >= 5000) == (start >= 5000))
        assert own == list(range(start, start + len(own)))
