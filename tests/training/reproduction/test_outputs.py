import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.reproduction.outputs import DIFFERS, EQUAL, IDENTICAL, match_folders, match_tables, match_values


def table(**columns) -> pd.DataFrame:
    days = pd.bdate_range("2024-01-01", periods=3)
    return pd.DataFrame(
        {"session": days, "asset": "BTC", "crps": [0.1, np.nan, 0.3], "n": [1, 2, 3], "outer": [True, False, True]} | columns
    )


def test_same_table_is_identical():
    found = match_tables("t", table(), table())
    assert (found.verdict, found.detail) == (IDENTICAL, "3 rows, 5 columns")


@pytest.mark.parametrize(("relative", "verdict"), [(1e-15, EQUAL), (0.9e-10, EQUAL), (1.1e-10, DIFFERS), (1.0, DIFFERS)])
def test_difference_of_numbers_is_relative_and_named(relative, verdict):
    other = table()
    other.loc[2, "crps"] *= 1 + relative
    found = match_tables("t", table(), other)
    assert found.verdict == verdict
    assert "'crps' in row 2 (2024-01-03, BTC)" in found.detail
    assert str(other.loc[2, "crps"]) in found.detail


@pytest.mark.parametrize(
    ("column", "row", "value"), [("asset", 1, "ETH"), ("n", 0, 7), ("outer", 2, False), ("crps", 1, 0.2), ("crps", 0, np.nan)]
)
def test_what_is_no_number_and_what_is_missing_must_be_the_same(column, row, value):
    other = table()
    other.loc[row, column] = value
    found = match_tables("t", table(), other)
    assert found.verdict == DIFFERS
    assert f"'{column}' in row {row}" in found.detail


def test_number_against_zero_differs():
    then, now = table(crps=[0.0, 0.0, 0.0]), table(crps=[0.0, 1e-300, 0.0])
    assert match_tables("t", then, now).verdict == DIFFERS


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (table().iloc[:2], "3 rows then, 2 now"),
        (table().drop(columns="n"), "columns: n"),
        (table(extra=1), "columns: extra"),
        (table()[["asset", "session", "crps", "n", "outer"]], "their order"),
    ],
)
def test_other_shape_is_said(other, words):
    found = match_tables("t", table(), other)
    assert found.verdict == DIFFERS
    assert words in found.detail


def test_values_are_compared_by_name():
    then = {"a": 1.0, "b": "x", "c": None}
    assert match_values("m", then, dict(then)).verdict == IDENTICAL
    assert match_values("m", then, then | {"a": 1.0 + 1e-13}).verdict == EQUAL
    assert "'b': x then, y now" in match_values("m", then, then | {"b": "y"}).detail
    assert match_values("m", then, then | {"c": 1.0}).verdict == DIFFERS
    assert "'d' is new" in match_values("m", then, then | {"d": 1.0}).detail
    assert "'a' is no more" in match_values("m", then, {"b": "x", "c": None}).detail


def folder(path: Path, frame: pd.DataFrame, card: dict) -> Path:
    path.mkdir()
    frame.to_parquet(path / "losses.parquet")
    frame.to_csv(path / "skill.csv", index=False)
    (path / "card.json").write_text(json.dumps(card))
    return path


def test_folders_are_compared_file_by_file(tmp_path):
    card = {"regime": {"p": 0.5}, "forecast": [{"median": 0.1}, {"median": 0.2}]}
    then = folder(tmp_path / "then", table(), card)
    now = folder(tmp_path / "now", table(n=[1, 2, 4]), json.loads(json.dumps(card)) | {"regime": {"p": 0.6}})
    (now / "empty.csv").write_text("\n")
    found = {each.name: each for each in match_folders(then, now)}
    assert {name: each.verdict for name, each in found.items()} == {
        "losses.parquet": DIFFERS,
        "skill.csv": DIFFERS,
        "card.json": DIFFERS,
        "empty.csv": DIFFERS,
    }
    assert "'regime.p': 0.5 then, 0.6 now" in found["card.json"].detail
    assert found["empty.csv"].detail == "was not logged"
    assert all(each.verdict == IDENTICAL for each in match_folders(then, then))


def test_what_is_locked_away_is_compared_and_not_shown(tmp_path):
    for name, frame in (("then", table()), ("now", table(n=[1, 2, 4]))):
        (tmp_path / name).mkdir()
        frame.to_parquet(tmp_path / name / "lockbox.parquet")
    (found,) = match_folders(tmp_path / "then", tmp_path / "now")
    assert (found.verdict, found.detail) == (DIFFERS, "where is not said: its outcomes stay locked away")
