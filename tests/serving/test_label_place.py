from pathlib import Path

import pytest

from serving.errors import LabelError
from serving.label_place import SeriesOf, find_series, labels_root
from tests.serving.labels import OF, said, series_in


@pytest.mark.parametrize(
    ("uri", "root"),
    [
        ("sqlite:////data/here/mlflow.db", Path("/data/here/labels")),
        ("sqlite:///mlflow.db", Path("labels")),
        ("http://127.0.0.1:5000", Path("labels")),
        ("file:///data/mlruns", Path("labels")),
    ],
)
def test_labels_lie_beside_the_database_or_in_the_current_folder(monkeypatch, uri, root):
    monkeypatch.delenv("APPETITE_LABELS", raising=False)
    assert labels_root(uri) == root
    monkeypatch.setenv("APPETITE_LABELS", "/elsewhere")
    assert labels_root(uri) == Path("/elsewhere")


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../../etc", "small caps", ".hidden", "größe", "%2E"])
def test_any_name_of_a_market_is_one_step_below_its_model(tmp_path, name):
    folder = SeriesOf("appetite", name, simulated=False).below(tmp_path)
    assert folder.resolve().parent == (tmp_path / "appetite" / "real").resolve()
    assert folder.name not in ("", ".", "..")


def test_different_names_have_different_folders(tmp_path):
    names = ["..", ".", "", "a/b", "a%2Fb", "%", "%2E", ".hidden", "%2Ehidden", "a--b8d90ea2"]
    assert len({SeriesOf("m", name, simulated=False).below(tmp_path) for name in names}) == len(names)


def test_simulated_markets_of_another_draw_are_told_apart_and_what_was_read_is_not():
    one, other, grown = (
        SeriesOf.known("m", "sample", simulated=True, note=note) for note in ("seed 0; to May", "seed 1; to May", "seed 0; to June")
    )
    assert one == grown != other
    assert SeriesOf.known("m", "files", simulated=False, note="May") == SeriesOf.known("m", "files", simulated=False, note="June")


def test_all_series_of_a_model_are_found_and_no_other_models(tmp_path):
    drawn = SeriesOf.known("appetite", "a/b", simulated=True, note="seed 0")
    for of in (drawn, OF, SeriesOf("another", "files", simulated=False)):
        series_in(tmp_path, of).publish("1", [said(0)])
    assert list(find_series(tmp_path / "labels", "appetite")) == [OF, drawn]
    assert list(find_series(tmp_path / "nowhere", "appetite")) == []


def test_folder_out_of_its_place_is_named(tmp_path):
    series = series_in(tmp_path)
    series.publish("1", [said(0)])
    series.folder.rename(series.folder.with_name("copy"))
    with pytest.raises(LabelError, match=r"copy': they say they are of .*'market': 'files'"):
        list(find_series(tmp_path / "labels", "appetite"))
