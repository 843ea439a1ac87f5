from pathlib import Path

import pytest

from features.errors import DataError
from sources.market_file import expand_root, read_spec
from sources.spec import FilesSpec

GOOD = """\
kind: files
root: ${SOME_DATA}
calendar: {start: 2020-01-01}
prices:
  R2000: {path: rut.csv, close: close, known_at: session_close}
"""


def refused(tmp_path: Path, text: str, *parts: str) -> None:
    path = tmp_path / "market.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_spec(path)
    for part in ("market.yaml", *parts):
        assert part in str(error.value), f"'{part}' is not in: {error.value}"


def test_good_file_is_read(tmp_path):
    path = tmp_path / "market.yaml"
    path.write_text(GOOD)
    spec = read_spec(path)
    assert isinstance(spec, FilesSpec)
    assert spec.prices["R2000"].date == "date"


def test_keys_shared_by_several_series_may_be_written_once(tmp_path):
    path = tmp_path / "market.yaml"
    wide = "  IWM: &wide {path: etf.csv, adj_close: IWM, known_at: session_close}\n  HYG: {<<: *wide, adj_close: HYG}\n"
    path.write_text(GOOD + wide)
    prices = read_spec(path).prices
    assert (prices["HYG"].path, prices["HYG"].adj_close, prices["IWM"].adj_close) == ("etf.csv", "HYG", "IWM")


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("kind: files", "kind: feed", ["'kind' is 'feed'", "'files' or 'simulated'"]),
        ("kind: files", "", ["'kind' is None"]),
        ("root:", "roots:", ["unknown key 'roots'", "the keys here are kind, root"]),
        ("close: close", "closing: close", ["prices.R2000", "unknown key 'closing'", "adj_close"]),
        (", known_at: session_close", "", ["prices.R2000", "no rule for known-at", "session_close", "end_of_utc_day"]),
        ("session_close", "at_once", ["prices.R2000.known_at", "'at_once' is no rule", "session_close"]),
        ("close: close, ", "", ["prices.R2000", "neither 'close' nor 'adj_close'"]),
        ("R2000", "R3000", ["prices", "'R2000'", "required"]),
        ("close: close", "adj_close: close", ["prices", "'R2000' with a 'close'"]),
        ("start: 2020-01-01", "start: soon", ["calendar.start", "date"]),
        ("calendar: {start: 2020-01-01}", "", ["calendar", "required"]),
        ("path: rut.csv", "path: rut.csv, start: 2021-01-01, end: 2020-01-01", ["prices.R2000", "end 2020-01-01 is before start"]),
        ("root: ${SOME_DATA}", "root: a\nroot: b", ["key 'root' is there twice", "line"]),
        ("kind: files", "kind: [files", ["no YAML"]),
        ("prices:", "coins: [{path: a.csv, known_at: end_of_utc_day}]\nprices:", ["coins.0", "'asset'", "'symbol'"]),
        ("prices:", "coins: [{path: a, asset: A, source: s, known_at: end_of_utc_day}]\nprices:", ["coins.0", "'source' and 'prefer'"]),
        ("prices:", "panel: {path: a.csv}\nprices:", ["panel", "no rule for known-at"]),
        ("prices:", "members: {path: a.csv, known_at: x}\nprices:", ["members.known_at", "'x' is no rule"]),
        (
            "prices:",
            "funds: {IWM: {path: a, known_at: morning_of, splits: {2020-02-03: 0}}}\nprices:",
            ["funds.IWM.splits", "greater than 0"],
        ),
        ("prices:", "filings: {path: a.csv, known_at: morning_of}\nprices:", ["filings.months", "required"]),
    ],
)
def test_faulty_market_file_names_key_and_rule(tmp_path, old, new, parts):
    assert old in GOOD
    refused(tmp_path, GOOD.replace(old, new, 1), *parts)


def test_unknown_parameter_of_the_simulation_is_refused(tmp_path):
    refused(tmp_path, "kind: simulated\nefect: 0\n", "unknown key 'efect'", "effect")


def test_missing_market_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"'.*nowhere.yaml' does not exist"):
        read_spec(tmp_path / "nowhere.yaml")


def test_unset_variable_is_named_with_a_way_out(tmp_path, monkeypatch):
    monkeypatch.delenv("SOME_DATA", raising=False)
    with pytest.raises(DataError, match=r"SOME_DATA is not set; .*export SOME_DATA="):
        expand_root("${SOME_DATA}", tmp_path)


def test_missing_root_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_DATA", str(tmp_path / "gone"))
    with pytest.raises(DataError, match="gone' does not exist"):
        expand_root("${SOME_DATA}", tmp_path)


def test_relative_root_starts_beside_the_market_file(tmp_path):
    (tmp_path / "data").mkdir()
    assert expand_root("data", tmp_path) == (tmp_path / "data").resolve()
