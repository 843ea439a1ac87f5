"""The sensitivity grid from the command line: text, JSON and CSV say the same."""

import json

import pandas as pd
import pytest

from tests.e2e.command import make_desk

CELLS = {(base, tolerance) for base in (126, 252, 504) for tolerance in (0.010, 0.015, 0.025)}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return make_desk(tmp_path_factory.mktemp("grid"))


def test_grid_has_every_cell_as_json_and_csv(desk):
    done = desk.invoke("events", "--grid", "--market", desk.market, "--series", "R2000", "--json", "--out", "grid")
    assert done.exit_code == 0, done.stderr
    rows = json.loads(done.stdout, parse_constant=pytest.fail)
    assert {(row["base"], row["tolerance"]) for row in rows} == CELLS
    assert {row["series"] for row in rows} == {"R2000"}
    assert all(row["simulated"] for row in rows)
    table = pd.read_csv(desk.folder / "grid.csv")
    assert list(table.columns) == list(rows[0])
    assert table["confirmed"].fillna("").tolist() == [row["confirmed"] or "" for row in rows]


def test_grid_on_screen_counts_every_cell(desk):
    done = desk.invoke("events", "--grid", "--market", desk.market)
    assert done.exit_code == 0, done.stderr
    counts = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("breaks ")]
    assert [len(row) for row in counts] == [len(CELLS)] * 3


def test_grid_of_an_unknown_series_names_it(desk):
    done = desk.invoke("events", "--grid", "--market", desk.market, "--series", "NOPE")
    assert done.exit_code == 2
    assert "no price-return closes of 'NOPE'" in done.stderr
