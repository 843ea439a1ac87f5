"""Every file in conf/ is read by the code that uses it, and names what the project has."""

from pathlib import Path

import pytest
import yaml

from features.matrix import FAMILIES, features_with_quality
from serving.service.config import load_config as load_serve_config
from sources.fetch import read_plan
from sources.market_file import read_spec
from sources.spec import FilesSpec, SimulatedSpec, StoreSpec
from training.config import load_config
from training.plan import make_plan
from training.promotion.rules import load_promote_config
from training.search.space import check_space, load_search_config

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
READERS = {
    "market-*.yaml": read_spec,
    "train.yaml": load_config,
    "promote.yaml": load_promote_config,
    "fetch.yaml": read_plan,
    "search.yaml": load_search_config,
    "serve.yaml": load_serve_config,
}


def readers(path: Path) -> list:
    return [reader for pattern, reader in READERS.items() if path.match(pattern)]


@pytest.mark.parametrize("path", sorted(CONF.iterdir()), ids=lambda path: path.name)
def test_file_is_read_by_exactly_one_reader(path, monkeypatch, tmp_path):
    monkeypatch.setenv("APPETITE_STORE", str(tmp_path))
    (reader,) = readers(path)
    assert reader(path) is not None


def test_markets_are_of_every_kind():
    assert isinstance(read_spec(CONF / "market-sample.yaml"), SimulatedSpec)
    assert isinstance(read_spec(CONF / "market-files.yaml"), FilesSpec)
    assert isinstance(read_spec(CONF / "market-workbooks.yaml"), FilesSpec)
    assert isinstance(read_spec(CONF / "market-store.yaml"), StoreSpec)


def test_sections_that_an_example_leaves_out_can_be_read(tmp_path):
    """A commented line is a promise, too."""
    text = (CONF / "market-workbooks.yaml").read_text(encoding="utf-8")
    for line in ("# members: {", "  # VTWO: {", "# filings: {companyfacts"):
        assert text.count(line) == 1
        text = text.replace(line, line.replace("# ", ""))
    (tmp_path / "market-all.yaml").write_text(text, encoding="utf-8")
    spec = read_spec(tmp_path / "market-all.yaml")
    assert isinstance(spec, FilesSpec)
    assert spec.members
    assert spec.filings
    assert len(spec.funds) == 2


def test_training_config_states_every_key_it_could():
    """A reader of the file sees every knob: nothing rests on a default in the code."""
    said = yaml.safe_load((CONF / "train.yaml").read_text(encoding="utf-8"))
    config = load_config(CONF / "train.yaml")
    assert set(said) == set(type(config).model_fields)
    for part in ("regime", "forecast", "walk"):
        assert set(said[part]) == set(type(getattr(config, part)).model_fields)


def test_search_states_every_key_and_searches_what_training_allows():
    said = yaml.safe_load((CONF / "search.yaml").read_text(encoding="utf-8"))
    search = load_search_config(CONF / "search.yaml")
    assert set(said) == set(type(search).model_fields)
    check_space(load_config(CONF / "train.yaml"), search)


def test_training_config_names_columns_of_the_matrix(sample_market):
    config = load_config(CONF / "train.yaml")
    columns = set(features_with_quality(sample_market).values.columns)
    assert {*config.regime.columns, *config.forecast.features} <= columns
    assert {column.split("__")[0] for column in columns} == set(FAMILIES)


def test_training_config_can_be_planned_on_the_sample_market(sample_market):
    plan = make_plan(sample_market, load_config(CONF / "train.yaml"))
    assert plan["refits"] == 1 + (len(sample_market.sessions) - 1008) // 63
    assert plan["forecast_cells"] == 12


def test_project_file_uses_files_that_exist():
    entry_points = yaml.safe_load((ROOT / "MLproject").read_text(encoding="utf-8"))["entry_points"]
    named = {
        parameter["default"]
        for entry in entry_points.values()
        for key, parameter in entry["parameters"].items()
        if str(parameter["default"]).endswith(".yaml") and key != "out"
    }
    assert named == {"conf/market-sample.yaml", "conf/train.yaml", "conf/search.yaml"}
    assert all((ROOT / name).is_file() for name in named)
