import json
from pathlib import Path

import pandas as pd
import pytest

from serving.errors import ServingError
from serving.output import as_records, check_file, check_folder, check_out, write_table, write_text, write_whole

TABLE = pd.DataFrame({"session": pd.to_datetime(["2024-01-02", "2024-01-03"]), "value": [0.1 + 0.2, 1 / 3]})


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_table_is_written_and_nothing_else(tmp_path, name):
    check_out(tmp_path / name)
    write_table(TABLE, tmp_path / name)
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    assert read(tmp_path / name)["value"].tolist() == TABLE["value"].tolist()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["scores.txt", "scores", "scores.csv.gz"])
def test_unknown_ending_is_refused_with_those_there_are(tmp_path, name):
    with pytest.raises(ServingError, match=r"\.parquet, \.csv"):
        check_out(tmp_path / name)


def test_folder_that_is_not_there_is_refused_and_not_made(tmp_path):
    with pytest.raises(ServingError, match="does not exist; make it first"):
        check_out(tmp_path / "new" / "scores.csv")
    assert not list(tmp_path.iterdir())


def test_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ServingError, match="file"):
        check_folder(tmp_path / "file" / "scores.csv")


def test_folder_in_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "scores.csv").mkdir()
    with pytest.raises(ServingError, match="is a folder"):
        check_out(tmp_path / "scores.csv")


def test_folder_that_takes_no_files_is_refused(tmp_path, monkeypatch):
    def full(**options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("serving.output.tempfile.TemporaryFile", full)
    with pytest.raises(ServingError, match="cannot be written to"):
        check_out(tmp_path / "scores.csv")


def test_failure_on_the_way_leaves_the_old_file_and_no_trace(tmp_path, monkeypatch):
    path = tmp_path / "scores.csv"
    write_text("old", path)

    def half(self, target, **options):
        target.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    with pytest.raises(OSError, match="No space"):
        write_table(TABLE, path)
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["scores.csv"]


def test_finished_file_takes_the_place_of_the_old_one(tmp_path):
    source, target = tmp_path / "new", tmp_path / "scores.csv"
    source.write_bytes(b"new")
    target.write_bytes(b"old")
    write_whole(source, target)
    assert target.read_bytes() == b"new"
    assert {each.name for each in tmp_path.iterdir()} == {"new", "scores.csv"}


def test_records_keep_every_digit_and_hold_nothing_json_lacks():
    table = TABLE.assign(n=[1, 2], word=["a", None], late=[pd.NaT, pd.Timestamp("2024-01-05")])
    table.loc[0, "value"] = float("nan")
    records = json.loads(json.dumps(as_records(table), allow_nan=False))
    assert records[0] == {"session": "2024-01-02", "value": None, "n": 1, "word": "a", "late": None}
    assert records[1] == {"session": "2024-01-03", "value": 1 / 3, "n": 2, "word": None, "late": "2024-01-05"}


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_name_that_names_nothing_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ServingError, match="names no file"):
        check_folder(Path(name))


def test_folder_is_no_file(tmp_path):
    with pytest.raises(ServingError, match="is a folder; name a file"):
        check_file(tmp_path)
