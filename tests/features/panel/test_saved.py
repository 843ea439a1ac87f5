"""State and counts in one file: the same bits back, the old file or the new one."""

import os
from pathlib import Path

import numpy as np
import pytest

from features.errors import DataError
from features.panel.recount import PanelBreadth
from features.panel.saved import load_panel, save_panel
from features.panel.state import PanelState
from tests.features.panel.panels import N, counts


@pytest.fixture
def made() -> tuple[PanelBreadth, PanelState]:
    rng = np.random.default_rng(0)
    closes = 20 * np.exp(np.cumsum(0.02 * rng.standard_normal((N, 8)), axis=0))
    closes[:, 5] = np.nan
    return counts(closes, rng.random(closes.shape) < 0.5)


def test_what_was_saved_is_loaded(tmp_path: Path, made: tuple[PanelBreadth, PanelState]) -> None:
    save_panel(tmp_path / "state.npz", *made, "of this", more=np.arange(3))
    breadth, state, of, beside = load_panel(tmp_path / "state.npz")
    assert of == "of this"
    np.testing.assert_array_equal(beside["more"], np.arange(3))
    for field in ("day", "ids", "closes", "age"):
        np.testing.assert_array_equal(getattr(state, field), getattr(made[1], field))
    np.testing.assert_array_equal(breadth.days, made[0].days)
    for universe in ("everyone", "members"):
        for field in ("counts", "sums", "expected"):
            np.testing.assert_array_equal(getattr(getattr(breadth, universe), field), getattr(getattr(made[0], universe), field))


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, made, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.npz"
    save_panel(path, *made)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        save_panel(path, *made)
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["state.npz"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_cut_off_file_is_refused(tmp_path: Path, made, share: float) -> None:
    path = tmp_path / "state.npz"
    save_panel(path, *made)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match="Count the panel again"):
        load_panel(path)


def test_no_file_and_other_files_are_refused(tmp_path: Path, made) -> None:
    with pytest.raises(DataError, match="Count the panel again"):
        load_panel(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(DataError, match="version is missing"):
        load_panel(tmp_path / "other.npz")
    breadth, state = made
    save_panel(tmp_path / "mixed.npz", breadth, PanelState(state.day + 1, state.ids, state.closes, state.age))
    with pytest.raises(DataError, match="do not belong together"):
        load_panel(tmp_path / "mixed.npz")
