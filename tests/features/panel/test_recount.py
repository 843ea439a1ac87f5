"""Counts of rows on disk against those of a grid, and what must not matter."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import features.panel.counts
from features.breadth import indicators
from features.errors import DataError
from features.panel.counts import FLAGS, SUMS, TIE
from features.panel.recount import recount
from tests.features.panel.panels import DAYS, N, blocks, counted, counts, grids, on_grid, rows_of

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def same(closes: np.ndarray, members: np.ndarray, n_blocks: int) -> None:
    got = counted(closes, members, n_blocks).universes()
    for universe, grid in on_grid(closes, members).items():
        own = got[universe]
        for name, expected in grid.items():
            message = f"{universe} {name}"
            if name.startswith("above_"):  # a tie may stand on either side of an average that was rounded
                ties = own[f"ties_{name.removeprefix('above_')}"]
                assert (np.abs(own[name] - expected) <= ties).all(), message
            elif name in SUMS:
                np.testing.assert_allclose(own[name], expected, rtol=0, atol=1e-12, err_msg=message)
            else:
                np.testing.assert_array_equal(own[name], expected, err_msg=message)


@given(grids(), st.integers(1, 9))
@QUICK
def test_counts_are_those_of_the_grid(drawn: tuple[np.ndarray, np.ndarray], n_blocks: int) -> None:
    same(*drawn, n_blocks)


def test_prices_that_move_have_no_ties_and_equal_counts() -> None:
    rng = np.random.default_rng(4)
    closes = 20 * np.exp(np.cumsum(0.02 * rng.standard_normal((N, 40)), axis=0))
    got = counted(closes, np.ones_like(closes, dtype=bool)).universes()["panel"]
    assert got["ties_50"].sum() == got["ties_200"].sum() == 0
    for window in (50, 200):
        np.testing.assert_array_equal(got[f"above_{window}"], on_grid(closes, closes > 0)["panel"][f"above_{window}"])


def test_a_close_within_a_billionth_of_its_average_is_a_tie_and_not_above() -> None:
    closes = np.full((N, 3), 17.3)
    closes[-1] = 17.3 * (1 + np.array([0.9, 1.1, -1.1]) * TIE * 50 / 49)
    got = counted(closes, np.zeros_like(closes, dtype=bool)).universes()["panel"]
    assert (got["ties_50"][-1], got["above_50"][-1], got["n_50"][-1]) == (1, 1, 3)
    # a flat price is its own average
    assert (got["ties_50"][-2], got["above_50"][-2], got["ties_200"][198], got["ties_200"][199]) == (3, 0, 0, 3)


def test_bad_prints_are_clipped_and_counted() -> None:
    closes = np.full((N, 1), 10.0)
    closes[100] = 1000.0
    got = counted(closes, np.zeros_like(closes, dtype=bool)).universes()["panel"]
    assert got["clipped"].sum() == 2
    assert got["return_sum"][[100, 101]] == pytest.approx([3.0, -0.75])


@pytest.mark.parametrize("block", [1, 100, 1000])
def test_blocks_of_any_size_give_the_same_bits(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    rng = np.random.default_rng(1)
    closes = 20 * np.exp(np.cumsum(0.02 * rng.standard_normal((N, 9)), axis=0))
    closes[rng.random(closes.shape) < 0.02] = np.nan
    members = rng.random(closes.shape) < 0.5
    whole = counted(closes, members)
    monkeypatch.setattr(features.panel.counts, "BLOCK_ROWS", block)
    parts = counted(closes, members)
    for a, b in ((whole.everyone, parts.everyone), (whole.members, parts.members)):
        np.testing.assert_array_equal(a.counts, b.counts)
        np.testing.assert_array_equal(a.sums, b.sums)


def test_more_securities_than_a_byte_counts_are_counted() -> None:
    closes = np.full((N, 600), 5.0)
    got = counted(closes, closes > 0, n_blocks=1).universes()
    assert got["panel"]["priced"].tolist() == got["members"]["expected"].tolist() == [600.0] * N


def test_neither_blocks_nor_the_order_of_securities_matter() -> None:
    rng = np.random.default_rng(2)
    closes = 20 * np.exp(np.cumsum(0.02 * rng.standard_normal((N, 30)), axis=0))
    closes[rng.random(closes.shape) < 0.02] = np.nan
    members = rng.random(closes.shape) < 0.5
    first = counted(closes, members, 1)
    for n_blocks in (2, 7, 30):
        other = recount(blocks(rows_of(closes, members, rng.permutation(1000)[:30]), n_blocks), DAYS)[0]
        for a, b in ((first.everyone, other.everyone), (first.members, other.members)):
            np.testing.assert_array_equal(a.counts, b.counts)
            np.testing.assert_array_equal(a.expected, b.expected)
            np.testing.assert_allclose(a.sums, b.sums, rtol=0, atol=1e-12)


@given(grids(), st.integers(1, N - 1))
@QUICK
def test_later_rows_change_no_earlier_bit(drawn: tuple[np.ndarray, np.ndarray], cut: int) -> None:
    closes, members = drawn
    altered = closes.copy()
    altered[cut:] = np.where(np.random.default_rng(cut).random(altered[cut:].shape) < 0.5, np.nan, 7.0)
    a, b = (counted(each, members) for each in (closes, altered))
    prefix, _ = counts(closes[:cut], members[:cut], days=DAYS[:cut])
    for universe in ("everyone", "members"):
        for field in ("counts", "sums", "expected"):
            first, second, short = (getattr(getattr(each, universe), field)[..., :cut] for each in (a, b, prefix))
            np.testing.assert_array_equal(first, second)
            np.testing.assert_array_equal(first, short)


def test_ids_that_do_not_ascend_are_refused() -> None:
    rows = rows_of(np.full((N, 2), 5.0), np.zeros((N, 2), dtype=bool))
    with pytest.raises(DataError, match="security 0 comes after 1; rule: ids ascend"):
        recount([rows, rows], DAYS)
    with pytest.raises(DataError, match="no sessions"):
        recount([rows], DAYS[:0])


def test_no_rows_at_all_count_nothing() -> None:
    breadth, state = recount([], DAYS)
    assert not breadth.everyone.counts.any()
    assert len(state.ids) == 0


def test_the_first_sessions_are_kept() -> None:
    rng = np.random.default_rng(2)
    closes = 20 * np.exp(np.cumsum(0.02 * rng.standard_normal((N, 5)), axis=0))
    cut, short = counted(closes, closes > 20).until(300), counts(closes[:300], closes[:300] > 20, days=DAYS[:300])[0]
    np.testing.assert_array_equal(cut.days, short.days)
    for a, b in ((cut.everyone, short.everyone), (cut.members, short.members)):
        np.testing.assert_array_equal(a.counts, b.counts)
        np.testing.assert_array_equal(a.sums, b.sums)
        np.testing.assert_array_equal(a.expected, b.expected)


def test_an_empty_panel_counts_nothing() -> None:
    closes = np.full((N, 2), np.nan)
    got = counted(closes, np.zeros_like(closes, dtype=bool))
    assert got.everyone.counts.shape == (len(FLAGS), N)
    assert not got.everyone.counts.any()


def test_indicators_take_what_was_counted() -> None:

    rng = np.random.default_rng(3)
    closes = 20 * np.exp(np.cumsum(0.02 * rng.standard_normal((N, 30)), axis=0))
    ours = counted(closes, closes > 0).universes()["panel"]
    flat = pd.Series(0.0, index=DAYS)
    got, expected = (indicators(each, flat + 1, flat) for each in (ours, on_grid(closes, closes > 0)["panel"]))
    pd.testing.assert_frame_equal(got, expected, rtol=1e-10, atol=1e-10)
