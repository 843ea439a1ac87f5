"""Writers that really are killed: the series holds the state before or after, and nothing that was acknowledged is lost."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.label_series import LabelSeries
from tests.killing import Writers, told, writers_of
from tests.serving.label_writer import DAYS, write
from tests.serving.labels import DAYS as CALENDAR
from tests.serving.labels import series_in

MANY_STEPS = 60


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    with writers_of("tests.serving.label_writer") as running:
        yield running


def batches_in(series: LabelSeries) -> int:
    """Check that every batch is whole, in both files and once, and count them."""
    assert series.verify() is None
    published, revisions = series.published(), series.revisions()
    n, rest = divmod(len(published), DAYS)
    assert rest == 0
    assert published["session"].dt.strftime("%Y-%m-%d").tolist() == CALENDAR[: n * DAYS]
    assert published["version"].tolist() == [str(day // DAYS) for day in range(n * DAYS)]
    assert revisions["version"].tolist() == [str(number) for number in range(1, n)]
    assert revisions["differs"].all()
    return n


def kill_often(writers: Writers, folder: Path, kills: int, seed: int) -> None:
    moment, tails = random.Random(seed), 0
    for _ in range(kills):
        had = told(folder)
        pid = writers.start("on", batches_in(series_in(folder)), folder)
        writers.until(lambda had=had: told(folder) > had)  # at work, so that moments fall into writes and not into the start
        time.sleep(moment.uniform(0, 0.005))
        os.kill(pid, signal.SIGKILL)
        writers.wait(pid)
        series = series_in(folder)
        n = batches_in(series)
        assert told(folder) <= set(range(n))
        assert n - len(told(folder)) <= kills  # a batch that was whole and not acknowledged any more: at most one a kill
        tails += sum(1 for line in (series.folder / "published.jsonl").read_text().splitlines()) > len(series.published())
    write(folder, n)
    assert batches_in(series) == n + 1
    assert len(told(folder)) >= kills
    if kills >= 30:
        assert tails > 0, "no kill fell between the lines and their head"


def test_killed_at_random_moments_loses_nothing_and_doubles_nothing(writers, tmp_path):
    kill_often(writers, tmp_path, kills=5, seed=1)


@pytest.mark.slow
def test_killed_at_forty_random_moments_loses_nothing_and_doubles_nothing(writers, tmp_path):
    kill_often(writers, tmp_path, kills=40, seed=2)


def test_killed_before_any_step_that_changes_the_disk_holds_the_state_before_or_after(writers, tmp_path):
    seen = []
    for step in range(MANY_STEPS):
        folder = tmp_path / f"labels{step}"
        folder.mkdir()
        writers.wait(writers.start("die", step, folder))
        n = batches_in(series_in(folder))
        seen.append(n)
        if told(folder):
            break
        for number in range(n, 2):
            write(folder, number)
        assert batches_in(series_in(folder)) == 2
    assert step > 15
    assert told(folder) == {0, 1}
    assert set(seen) == {0, 1, 2}
    assert seen == sorted(seen)  # once visible it stays so at every later step
