import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from features.errors import DataError
from features.market import Market
from sources.calendar import sessions
from sources.store import Store, disk, write
from tests.sources.store.batches import START, macro, new_store, prices, tree, utc

DAYS = sessions("2023-01-03", "2024-03-28")
LATER = utc("2024-05-01")


def filings(*rows: tuple[str, str, str, str, float, str]) -> pd.DataFrame:
    """Records of (security, form, start, end, net income, known_at)."""
    columns = ["security", "form", "period_start", "period_end", "net_income", "known_at"]
    frame = pd.DataFrame(rows, columns=columns).assign(revenue=np.nan)
    types = {"security": "str", "form": "str", "period_start": "datetime64[us]", "period_end": "datetime64[us]", "net_income": float}
    return frame.astype(types).assign(known_at=pd.to_datetime(frame["known_at"], utc=True).dt.as_unit("us"))


def test_writing_the_same_again_changes_no_file(sample_market, tmp_path):
    store = Store.create(tmp_path / "store", simulated=True)
    done = store.write_market(sample_market, source="once")
    before = tree(store.root)
    again = store.write_market(sample_market, source="twice, and from elsewhere")
    assert (again.number, again.recorded_at) == (None, None)
    assert {kind: count.identical for kind, count in again.counts.items()} == {kind: count.new for kind, count in done.counts.items()}
    assert tree(store.root) == before


def test_changed_value_becomes_a_revision_and_the_old_one_stays(tmp_path):
    store = new_store(tmp_path / "store")
    first = store.write({"macro": macro(("VIX", "2024-01-02", 13.2, "2024-01-03"), ("VIX", "2024-01-03", 14.0, "2024-01-04"))}, source="a")
    second = store.write({"macro": macro(("VIX", "2024-01-02", 13.3, "2024-01-03"), ("VIX", "2024-01-03", 14.0, "2024-01-04"))}, source="b")
    assert second.counts["macro"] == write.Count(new=0, revised=1, identical=1, quarantined=0)
    columns = ["value", "vintage", "source", "recorded_at"]
    assert store.as_of(LATER).frames["macro"].select(columns).rows() == [
        (13.3, 1, "b", second.recorded_at),
        (14.0, 0, "a", first.recorded_at),
    ]
    assert store.as_of(LATER, first.recorded_at).frames["macro"]["value"].to_list() == [13.2, 14.0]


def test_value_that_goes_back_is_a_third_vintage(tmp_path):
    store = new_store(tmp_path / "store")
    for value in (1.0, 2.0, 1.0):
        store.write({"macro": macro(("a", "2024-01-02", value, "2024-01-03"))}, source="x")
    assert store.as_of(LATER).frames["macro"].select("value", "vintage").rows() == [(1.0, 2)]


def test_missing_number_is_a_value_that_can_be_revised(tmp_path):
    store, frame = new_store(tmp_path / "store"), prices("IWM", DAYS[:3])
    store.write({"prices": frame.assign(adj_close=np.nan)}, source="x")
    assert store.write({"prices": frame.assign(adj_close=np.nan)}, source="x").number is None
    assert store.write({"prices": frame}, source="x").counts["prices"].revised == 3
    assert store.as_of(LATER).frames["prices"]["adj_close"].to_list() == frame["adj_close"].to_list()


def test_restatement_of_a_period_stands_beside_the_first_statement(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"filings": filings(("AAA", "10-Q", "2023-07-01", "2023-09-30", -5, "2023-11-08"))}, source="sec 1")
    store.write({"filings": filings(("AAA", "10-Q", "2023-07-01", "2023-09-30", -6, "2024-02-08"))}, source="sec 2")
    assert store.as_of(LATER).frames["filings"].select("net_income", "form", "source").rows() == [
        (-5, "10-Q", "sec 1"),
        (-6, "10-Q", "sec 2"),
    ]


def test_records_may_each_have_a_source_of_their_own(tmp_path):
    store = new_store(tmp_path / "store")
    rows = macro(("b", "2024-01-02", 1.0, "2024-01-03"), ("a", "2024-01-02", 1.0, "2024-01-03"))
    store.write({"macro": rows.assign(source=["from b", "from a"])}, source="the others")
    found = store.as_of(LATER).frames["macro"]
    assert set(found.select("series", "source").rows()) == {("a", "from a"), ("b", "from b")}


def test_bad_records_are_set_aside_by_the_rules_of_a_market(tmp_path):
    store = new_store(tmp_path / "store")
    frame = prices("IWM", DAYS.append(pd.DatetimeIndex(["2024-01-06"])))
    reports = [("AAA", "10-K", "2010-01-01", f"2010-12-{day:02d}", 1.0, "2011-03-01") for day in range(1, 31)] * 4
    reports = [(f"{row[0]}{place}", *row[1:]) for place, row in enumerate(reports)]
    reports.append(("BBB", "10-Q", "2024-01-01", "2024-03-31", 2.0, "2024-02-01"))
    frames = {"prices": frame, "filings": filings(*reports)}
    market = Market.from_frames(name="x", simulated=False, note="", sessions=DAYS, frames=frames)
    done = store.write(frames, source="x")
    aside = store.quarantined()
    assert aside.select("frame", "series", pl.col("date").cast(str), "rule").rows() == [
        (row.frame, row.series, f"{row.date:%Y-%m-%d}", row.rule) for row in market.quarantine.itertuples()
    ]
    assert len(aside) == 2
    assert {kind: count.quarantined for kind, count in done.counts.items()} == {"prices": 1, "filings": 1}
    assert len(store.as_of(LATER).frames["prices"]) == len(DAYS)
    assert store.write(frames, source="x").number is None


def test_many_bad_records_stop_the_write_and_leave_the_store_as_it_was(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"prices": prices("SPY", DAYS)}, source="x")
    before = tree(store.root)
    sundays = pd.date_range("2023-01-08", periods=5, freq="7D")
    with pytest.raises(DataError, match=r"prices: 5 of 316 records are bad.*'IWM', 2023-01-08: date is no session. Nothing was written"):
        store.write({"prices": prices("IWM", DAYS.append(sundays))}, source="x")
    assert tree(store.root) == before


def test_one_bad_record_of_a_day_is_weighed_against_what_the_store_holds(tmp_path):
    store, sunday = new_store(tmp_path / "store"), prices("IWM", pd.DatetimeIndex(["2024-01-07"]))
    with pytest.raises(DataError, match=r"1 of 1 records are bad"):
        store.write({"prices": sunday}, source="x")
    store.write({"prices": prices("IWM", DAYS)}, source="x")
    assert store.write({"prices": sunday}, source="x").counts["prices"].quarantined == 1


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ({"stocks": macro()}, "unknown frame 'stocks'; known are prices"),
        ({"macro": macro(("a", "2024-01-02", np.nan, "2024-01-03"))}, "row series=a, date=2024-01-02, column 'value'"),
        ({"macro": macro(*[("a", "2024-01-02", 1.0, "2024-01-03")] * 2)}, "there twice"),
        ({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03")).drop(columns="value")}, "column 'value' is missing"),
        ({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03")).assign(unit="USD")}, "column 'unit' is unknown"),
        ({"macro": macro(("a", "2024-01-02 10:00", 1.0, "2024-01-03"))}, "column 'date': 2024-01-02 10:00:00 breaks the rule 'is a day"),
        ({"macro": macro((" ", "2024-01-02", 1.0, "2024-01-03"))}, "column 'series': a name is empty"),
        ({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03")).assign(source="")}, "a source is empty"),
        ({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03")).assign(value="1")}, "column 'value'"),
        ({"prices": prices("a", DAYS[:3], first=-1.0)}, "breaks the rule 'is positive'"),
    ],
)
def test_frame_that_breaks_the_schema_is_refused_and_nothing_is_written(tmp_path, frames, words):
    store = new_store(tmp_path / "store")
    before = tree(store.root)
    with pytest.raises(DataError, match=words):
        store.write(frames, source="x")
    assert tree(store.root) == before


@pytest.mark.parametrize("day", ["1899-12-30", "2100-01-04", "1677-10-01"])
def test_price_of_an_impossible_day_is_refused_quickly(tmp_path, day):
    with pytest.raises(DataError, match=r"date is no session"):
        new_store(tmp_path / "store").write({"prices": prices("IWM", pd.DatetimeIndex([np.datetime64(day, "us")]))}, source="x")


def test_stamps_rise_even_when_the_clock_is_set_back(tmp_path):
    store = new_store(tmp_path / "store")
    first = store.write({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03"))}, source="x")
    back = Store.open(store.root, clock=lambda: START - datetime.timedelta(days=30))
    second = back.write({"macro": macro(("a", "2024-01-02", 2.0, "2024-01-03"))}, source="x")
    assert second.recorded_at == first.recorded_at + datetime.timedelta(microseconds=1)
    assert back.as_of(LATER, first.recorded_at).frames["macro"]["value"].to_list() == [1.0]


def test_full_disk_is_told_and_the_store_goes_on(tmp_path, monkeypatch):
    store = new_store(tmp_path / "store")
    store.write({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03"))}, source="x")
    with monkeypatch.context() as patch:
        patch.setattr(disk.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(DataError, match=r"No space left on device; nothing of this batch counts"):
            store.write({"macro": macro(("b", "2024-01-02", 1.0, "2024-01-03"))}, source="x")
    assert [difference.harmless for difference in store.verify()] == [True]
    store.write({"macro": macro(("c", "2024-01-02", 1.0, "2024-01-03"))}, source="x")
    assert store.verify() == []
    assert store.names()["name"].to_list() == ["a", "c"]


def test_content_is_forced_to_the_disk_before_its_name_and_data_before_the_manifest(tmp_path, monkeypatch):
    store, steps = new_store(tmp_path / "store"), []
    forced, renamed = disk.os.fsync, disk.Path.replace

    def fsync(handle: int) -> None:
        steps.append(("fsync", disk.Path(f"/proc/self/fd/{handle}").resolve().name))
        forced(handle)

    def replace(path: disk.Path, to: disk.Path) -> disk.Path:
        steps.append(("rename", to.name))
        return renamed(path, to)

    monkeypatch.setattr(disk.os, "fsync", fsync)
    monkeypatch.setattr(disk.Path, "replace", replace)
    store.write({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03"))}, source="x")
    expected = []
    for folder, file in (("ids", "00000001.parquet"), ("macro", "00000001.parquet"), ("manifests", "00000001.json")):
        expected += [("fsync", "store"), ("fsync", f"{file}.part"), ("rename", file), ("fsync", folder)]
    assert steps == expected


def test_simulated_and_real_records_are_never_in_one_store(sample_market, tmp_path):
    with pytest.raises(DataError, match=r"never both in one"):
        new_store(tmp_path / "store").write_market(sample_market, source="x")
