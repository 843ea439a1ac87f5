"""The grid: every confirmation with its own end, no cell left out, counts against a walk through the events."""

import numpy as np
import pandas as pd
import pytest

from features.breakout_cells import COLUMNS, ENDS, confirmations, list_grid, on_edge, tally
from features.breakout_transitions import breakout_grid
from features.errors import DataError
from features.levels import index_closes
from tests.features.handmade import market, prices, sessions, walk

DAYS = sessions(1500)
SERIES = ("R2000", "IWM")


@pytest.fixture(scope="module")
def source():
    drift = np.exp(0.0003 * np.arange(len(DAYS)))
    frames = [prices(name, DAYS, walk(len(DAYS), seed, 0.008) * drift) for name, seed in zip(SERIES, (3, 7), strict=True)]
    return market(DAYS, prices=pd.concat(frames, ignore_index=True))


@pytest.fixture(scope="module")
def grid(source) -> pd.DataFrame:
    return list_grid(source)


def test_grid_has_every_cell_of_every_series(grid):
    assert list(grid.columns) == list(COLUMNS)
    cells = {(s, b, e) for s in SERIES for b in (126, 252, 504) for e in (0.010, 0.015, 0.025)}
    assert set(zip(grid["series"], grid["base"], grid["tolerance"], strict=True)) == cells
    assert grid["end"].isin(ENDS).any()


def test_confirmations_equal_a_walk_through_the_events(source, grid):
    for name in SERIES:
        events = breakout_grid(index_closes(source, name))
        for (base, tolerance), cell in events.groupby(["base", "tolerance"]):
            expected = []
            state = "none"
            for event in cell.to_dict("records"):
                if event["event"] == "breakout_confirmed":
                    expected.append([event["date"], event["margin"], pd.NaT, "open", pd.NaT])
                    state = "confirmed"
                elif event["event"] == "retest":
                    expected[-1][2] = event["date"]
                elif event["event"] in ("failed", "retest_held", "ran_away") and state == "confirmed":
                    expected[-1][3:] = event["event"], event["date"]
                    state = "none"
            own = grid[(grid["series"] == name) & (grid["base"] == base) & (grid["tolerance"] == tolerance)]
            got = own[["confirmed", "margin", "retest", "end", "ended"]].to_numpy().tolist()
            assert (own["breaks"] == (cell["event"] == "broken").sum()).all()
            if not expected:
                assert own[["confirmed", "end"]].to_numpy().tolist() == [[pd.NaT, "none"]]
                continue
            assert [[str(value) for value in row] for row in got] == [[str(value) for value in row] for row in expected]


def events_of(*steps: tuple[int, str, float]) -> pd.DataFrame:
    """Events of one cell: day, event, margin."""
    day, event, margin = zip(*steps, strict=True)
    frame = pd.DataFrame({"base": 252, "tolerance": 0.015, "date": DAYS[list(day)], "event": event, "margin": margin})
    return frame.assign(knife_edge=frame["margin"] < 0.002)


def test_failure_before_a_confirmation_ends_no_confirmation():
    held = ((0, "broken", 0.01), (2, "breakout_confirmed", 0.01), (5, "retest", 0.01), (9, "retest_held", 0.01))
    later = ((20, "broken", 0.01), (21, "failed", 0.001), (30, "broken", 0.01), (32, "breakout_confirmed", 0.01))
    found = confirmations(events_of(*held, *later))
    assert found["end"].tolist() == ["retest_held", "open"]
    assert found["breaks"].tolist() == [3, 3]
    assert found["ended"].isna().tolist() == [False, True]
    assert not on_edge(found).any()


@pytest.mark.parametrize("narrow", [1, 2, 3])
def test_any_margin_of_a_confirmation_can_be_the_knife_edge(narrow):
    margins = [0.001 if k == narrow else 0.01 for k in range(4)]
    names = ("broken", "breakout_confirmed", "retest", "failed")
    found = confirmations(events_of(*((k, name, margins[k]) for k, name in enumerate(names))))
    assert on_edge(found).tolist() == [True]
    assert found[["margin", "retest_margin", "end_margin"]].to_numpy().tolist() == [margins[1:]]


def test_tally_counts_the_rows_of_each_cell(grid):
    counted = tally(grid)
    assert len(counted) == 18
    for row in counted.to_dict("records"):
        own = grid[(grid["series"] == row["series"]) & (grid["base"] == row["base"]) & (grid["tolerance"] == row["tolerance"])]
        there = own.dropna(subset="confirmed")
        assert row["confirmed"] == len(there) == sum(row[end] for end in ENDS)
        assert [row[end] for end in ENDS] == [(there["end"] == end).sum() for end in ENDS]
        assert row["knife_edge"] == sum(min(each) < 0.002 for each in there[["margin", "retest_margin", "end_margin"]].fillna(1).to_numpy())


def test_flat_series_has_nine_cells_without_a_confirmation():
    flat = list_grid(market(DAYS, prices=prices("R2000", DAYS, np.full(len(DAYS), 100.0))))
    assert len(flat) == 9
    assert flat["confirmed"].isna().all()
    assert tally(flat)[["breaks", "confirmed", "knife_edge"]].to_numpy().sum() == 0


def test_series_without_closes_is_refused_by_name(source):
    with pytest.raises(DataError, match=r"no price-return closes of 'IWN'; it has IWM, R2000"):
        list_grid(source, ["IWN"])
