"""What the files of a panel must be, and what is said where they are not."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.errors import DataError
from features.panel.layout import MANIFEST, SCHEMA, PanelLayout, open_panel, read_bucket, write_buckets, write_panel
from tests.features.panel.panels import DAYS


def rows(**changed: list) -> pl.DataFrame:
    columns = {"id": [0, 0, 2], "date": DAYS[[3, 4, 3]].date.tolist(), "close": [1.0, None, 3.0], "member": [True, True, False]} | changed
    return pl.DataFrame(columns, schema=SCHEMA)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_panel(rows(), tmp_path / "panel", 2)
    layout = open_panel(tmp_path / "panel")
    got = read_bucket(layout, 0, DAYS)
    assert got.ids.tolist() == [0, 0, 2]
    assert got.slots.tolist() == [3, 4, 3]
    np.testing.assert_array_equal(got.close, [1.0, np.nan, 3.0])
    assert got.member.tolist() == [True, True, False]
    assert len(read_bucket(layout, 1, DAYS).ids) == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"close": [1.0, -1.0, 3.0]}, "row 1, column 'close': -1.0 breaks the rule 'is positive"),
        ({"close": [1.0, float("inf"), 3.0]}, "row 1, column 'close': inf"),
        ({"close": [0.0, 1.0, 3.0]}, "row 0, column 'close': 0.0"),
        ({"id": [0, 0, 1]}, "row 2, column 'id': 1 breaks the rule 'id % 2 is 0'"),
        ({"id": [2, 2, 0]}, "row 2, column 'id': 0 breaks the rule 'rows ascend"),
        ({"date": DAYS[[3, 3, 3]].date.tolist()}, "row 1, column 'id': 0 breaks the rule 'rows ascend"),
        ({"member": [True, None, False]}, "row 1, column 'member': missing"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_and_nothing_is_left(tmp_path: Path, changed: dict, words: str) -> None:
    with pytest.raises(DataError, match=words):
        write_buckets([rows(**changed), rows()[:0]], tmp_path / "panel", 2)
    assert list(tmp_path.iterdir()) == []


def test_float32_prices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Float32"):
        write_buckets([rows().cast({"close": pl.Float32}), rows()[:0]], tmp_path / "panel", 2)


def test_the_number_of_buckets_is_kept(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 buckets were given; rule: n_buckets, 2"):
        write_buckets([rows()], tmp_path / "panel", 2)


def test_a_panel_is_not_written_over(tmp_path: Path) -> None:
    write_panel(rows(), tmp_path / "panel", 2)
    with pytest.raises(DataError, match="written once"):
        write_panel(rows(), tmp_path / "panel", 2)


def test_a_date_that_is_no_session_is_named(tmp_path: Path) -> None:
    layout = write_panel(rows(), tmp_path / "panel", 2)
    with pytest.raises(DataError, match=f"row 1, column 'date': {DAYS[4]:%Y-%m-%d} is no session"):
        read_bucket(layout, 0, DAYS.delete(4))
    with pytest.raises(DataError, match="is no session"):
        read_bucket(layout, 0, DAYS[:4])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 2, "n_buckets": 2}'])
def test_a_folder_that_is_no_panel_is_refused(tmp_path: Path, text: str) -> None:
    write_panel(rows(), tmp_path / "panel", 2)
    (tmp_path / "panel" / MANIFEST).write_text(text)
    with pytest.raises(DataError, match="Write the panel again"):
        open_panel(tmp_path / "panel")
    with pytest.raises(DataError, match="a folder that write_panel made"):
        open_panel(tmp_path)


def test_the_manifest_says_what_it_is(tmp_path: Path) -> None:
    write_panel(rows(), tmp_path / "panel", 2)
    assert json.loads((tmp_path / "panel" / MANIFEST).read_text()) == {"version": 1, "n_buckets": 2}


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"PAR1 cut off"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    layout = write_panel(rows(), tmp_path / "panel", 2)
    layout.path(0).write_bytes(content)
    with pytest.raises(DataError, match=r"bucket-0000\.parquet"):
        read_bucket(layout, 0, DAYS)
    with pytest.raises(DataError, match=r"bucket-0009\.parquet"):
        read_bucket(PanelLayout(layout.folder, 10), 9, DAYS)
