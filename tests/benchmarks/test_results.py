"""The committed figures: complete, well formed, above their floors, and the same in the README."""

import json
import re

import pytest

from benchmarks.measure import Versus
from benchmarks.results import README, RESULTS, below_floor, rounded, row, table
from benchmarks.works import WORKS

ROWS = json.loads(RESULTS.read_text())
TYPES = {"part": int, "work": str, "against": str, "ratio": float, "floor": float, "cpu_s": float, "peak_mb": int}


def expected(work):
    return [(work.work, work.against)] if isinstance(work, Versus) else [(work.work, words) for words in work.limits]


@pytest.mark.parametrize("each", ROWS, ids=lambda each: f"{each['work']}-{each['against']}")
def test_row_has_the_schema_and_meets_its_floor(each):
    assert {key: type(value) for key, value in each.items()} == TYPES
    assert each["part"] == 1
    assert min(each["ratio"], each["floor"], each["cpu_s"], each["peak_mb"]) > 0
    assert each["ratio"] >= each["floor"]


def test_rows_are_those_of_the_works():
    found = {(each["work"], each["against"]) for each in ROWS}
    every = {pair for work in WORKS for pair in expected(work)}
    required = {pair for work in WORKS if not getattr(work, "needs", "") for pair in expected(work)}
    assert len(found) == len(ROWS)
    assert required <= found <= every


def test_floors_are_those_of_the_works():
    floors = {(work.work, work.against): work.floor for work in WORKS if isinstance(work, Versus)}
    assert all(each["floor"] == floors.get((each["work"], each["against"]), 1.0) for each in ROWS)


def test_results_name_no_path():
    assert not re.search(r"/\w+/|\\\\|[A-Z]:\\|~", RESULTS.read_text())


def test_readme_shows_the_committed_results():
    assert table(ROWS) in README.read_text()


def test_row_below_its_floor_is_found():
    good, bad = row("work", "peer", 2.0, 2.0, 1.0, 50.0), row("work", "peer", 1.99, 2.0, 1.0, 50.0)
    assert below_floor([good, bad]) == [bad]


@pytest.mark.parametrize(("value", "kept"), [(0.00012345, 0.000123), (951.6, 952.0), (34.52, 34.5)])
def test_figures_keep_three_digits(value, kept):
    assert rounded(value) == kept
