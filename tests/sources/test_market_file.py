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
        ("kind: files", "kind: feed", ["'kind' is 'feed'", "one of files, simulated, store"]),
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
        ("prices:", "funds: {IWM: {workbook: a.xls}}\nprices:", ["funds.IWM: no rule for known-at", "next_session_morning"]),
        ("prices:", "funds: {IWM: {workbook: a, path: b, known_at: morning_of}}\nprices:", ["funds.IWM", "unknown key 'path'", "workbook"]),
        ("prices:", "funds: {IWM: a.xls}\nprices:", ["funds.IWM", "valid dictionary"]),
        ("prices:", "members: {workbooks: a*.xls, fund: IWM, known_at: morning_of}\nprices:", ["members.known_at", "'next_morning'"]),
        ("prices:", "members: {workbooks: a*.xls, known_at: next_morning}\nprices:", ["members.fund", "required"]),
        (
            "prices:",
            "members: {path: a, known_at: next_morning, dates: {x: 1900-01-01}}\nprices:",
            ["members.dates.x", "1914-01-01 to 2035"],
        ),
        ("prices:", "filings: {companyfacts: a, months: {10-K: 12}}\nprices:", ["filings", "unknown key 'months'", "tickers"]),
        (
            "prices:",
            "filings: {statements: [a], end: 2020-01-01, start: 2021-01-01}\nprices:",
            ["filings", "end 2020-01-01 is before start"],
        ),
        ("prices:", "macro: {X: {fred: a.csv, id: DGS10}}\nprices:", ["macro.X", "no rule for known-at of 'DGS10'", "VIXCLS"]),
        ("prices:", "macro: {X: {fred: a.csv, id: VIXCLS, value: x}}\nprices:", ["macro.X", "unknown key 'value'", "known_at"]),
        ("start: 2020-01-01", "start: 1900-01-01", ["calendar.start", "1900-01-01", "from 1914-01-01 to 2035-12-31"]),
        ("start: 2020-01-01", "start: 2020-01-01, end: 2100-01-01", ["calendar.end", "2100-01-01"]),
        ("start: 2020-01-01", "start: 2020-01-01, end: 2019-01-01", ["calendar", "end 2019-01-01 is before start"]),
        ("kind: files", "kind: [files]", ["'kind' is list"]),
    ],
)
def test_faulty_market_file_names_key_and_rule(tmp_path, old, new, parts):
    assert old in GOOD
    refused(tmp_path, GOOD.replace(old, new, 1), *parts)


def test_date_that_no_calendar_has_is_named_with_its_line(tmp_path):
    refused(tmp_path, GOOD.replace("2020-01-01", "2020-13-01"), "'2020-13-01' is no date", "line 3")


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


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("kind: store", ["root", "required"]),
        ("kind: store\nroot: a\nknown: 2024-01-01", ["known", "timezone"]),
        ("kind: store\nroot: a\nrecorded: 2024-01-01T00:00:00", ["recorded", "timezone"]),
        ("kind: store\nroot: a\nprints: last", ["prints", "'first' or 'newest'"]),
        ("kind: store\nroot: a\nprices: {}", ["unknown key 'prices'", "recorded"]),
        ("kind: store\nroot: a\nstart: 2024-01-01\nend: 2023-01-01", ["end 2023-01-01 is before start"]),
        ("kind: files\nx: " + "[" * 10_000, ["no YAML"]),
        ("a: &a [x, x]\nb: &b [*a, *a]\nkind: [*b, *b]", ["'kind' is list"]),
        ("x: " + "y" * 2_000_000, ["has 2000003 bytes"]),
    ],
)
def test_faulty_store_file_and_hostile_yaml_are_named(tmp_path, text, parts):
    refused(tmp_path, text, *parts)
