import datetime
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataError
from sources.store import Store
from sources.store.schemas import RAW
from tests.sources.store.batches import START, bits, macro, new_store, utc

SERIES = ("a", "b", "c")
DATES = ("2024-01-02", "2024-01-03", "2024-01-04")
KNOWN = ("2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08")

RECORD = st.tuples(st.sampled_from(SERIES), st.sampled_from(DATES), st.sampled_from([1.0, 2.0, 3.0]), st.sampled_from(KNOWN))
BATCHES = st.lists(st.lists(RECORD, min_size=1, max_size=6, unique_by=lambda record: record[:2]), min_size=1, max_size=6)
RECORDED = st.integers(0, 6)
BETWEEN = st.lists(st.sampled_from(["", "", "compact", "retract"]), min_size=6, max_size=6)
"""What is done after each batch."""


LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC)


class Listed:
    """The store as a plain list of records: what it should do, in a few loops."""

    def __init__(self) -> None:
        self.records: list[dict] = []

    def write(self, batch: list[tuple], recorded: datetime.datetime | None) -> tuple[int, int]:
        new = revised = 0
        for series, date, value, known in batch:
            of_key = [record for record in self.records if record["key"] == (series, date)]
            standing = [record for record in of_key if record["known"] == known and record["gone"] is None]
            if standing and standing[-1]["value"] == value:
                continue
            new, revised = new + (not of_key), revised + bool(of_key)
            told = {"key": (series, date), "value": value, "known": known, "recorded": recorded, "vintage": len(of_key), "gone": None}
            self.records.append(told)
        return new, revised

    def retract(self, rows: list[tuple], recorded: datetime.datetime | None) -> None:
        for record in self.records:
            if (*record["key"], record["vintage"]) in rows:
                record["gone"] = recorded

    def as_of(self, known: str, recorded: datetime.datetime, prints: str) -> set[tuple]:
        found: dict[tuple, dict] = {}
        for record in self.records:  # in the order of writing, so that of equals the later one wins
            if record["known"] > known or record["recorded"] > recorded or (record["gone"] or LAST) <= recorded:
                continue
            best = found.get(record["key"])
            better = best is None or (record["known"] <= best["known"] if prints == "first" else record["known"] >= best["known"])
            if better:
                found[record["key"]] = record
        return {(*key, record["value"], record["known"], record["recorded"], record["vintage"]) for key, record in found.items()}


def answered(store: Store, known: str, recorded: datetime.datetime | None, prints: str = "newest") -> set[tuple]:
    frame = store.as_of(utc(known), recorded, kinds=["macro"], prints=prints).frames["macro"]
    columns = frame.select(
        "series", pl.col("date").cast(str), "value", pl.col("known_at").dt.strftime("%Y-%m-%d"), "recorded_at", "vintage"
    )
    return set(columns.rows())


def check_answer(batches: list, between: list[str], known: str, place: int, prints: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, listed, stamps = new_store(Path(folder) / "store"), Listed(), [START]
        for batch, then in zip(batches, between, strict=False):
            done = store.write({"macro": macro(*batch)}, source="hand")
            count = done.counts["macro"]
            assert (count.new, count.revised) == listed.write(batch, done.recorded_at)
            assert count.new + count.revised + count.identical == len(batch)
            stamps += [done.recorded_at] if done.number else []
            stamps += act(store, listed, then)
        recorded = stamps[min(place, len(stamps) - 1)]
        assert answered(store, known, recorded, prints) == listed.as_of(known, recorded, prints)
        assert answered(store, known, None, prints) == listed.as_of(known, stamps[-1], prints)


def act(store: Store, listed: Listed, then: str) -> list[datetime.datetime]:
    """Put files together, or withdraw what is known of the first date; give the time of it."""
    if then == "compact":
        return [store.as_of(utc(KNOWN[-1])).recorded] if store.compact().number else []
    if then == "retract":
        wrong = store.as_of(utc(KNOWN[-1]), kinds=["macro"]).frames["macro"].filter(pl.col("date").cast(str) == DATES[0])
        if len(wrong):
            done = store.retract("macro", wrong, reason="x")
            listed.retract(wrong.select("series", pl.col("date").cast(str), "vintage").rows(), done.recorded_at)
            return [done.recorded_at]
    return []


ASKED = {"known": st.sampled_from(KNOWN), "prints": st.sampled_from(["newest", "first"])}
LOOP = given(batches=BATCHES, between=BETWEEN, place=RECORDED, **ASKED)
test_answer_equals_a_loop_over_a_list_of_records = settings(max_examples=5)(LOOP(check_answer))
test_answer_equals_a_loop_over_a_list_of_records_at_length = pytest.mark.slow(settings(max_examples=150)(LOOP(check_answer)))


def check_bits(before: list, after: list, between: list[str], known: str, prints: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(Path(folder) / "store")
        for batch in before:
            store.write({"macro": macro(*batch)}, source="hand")
        first = store.as_of(utc(known), kinds=["macro"], prints=prints)
        for batch, then in zip(after, between, strict=False):
            store.write({"macro": macro(*batch, ("0 sorts before", "1999-01-01", 1.0, "1999-01-02"))}, source="another")
            act(store, Listed(), then)
        again = Store.open(store.root, clock=store.clock).as_of(utc(known), first.recorded, kinds=["macro"], prints=prints)
        assert bits(again.frames["macro"]) == bits(first.frames["macro"])


BITS = given(before=BATCHES, after=BATCHES, between=BETWEEN, **ASKED)
test_answer_keeps_its_bits_whatever_is_written_later = settings(max_examples=3)(BITS(check_bits))
test_answer_keeps_its_bits_whatever_is_written_later_at_length = pytest.mark.slow(settings(max_examples=60)(BITS(check_bits)))


def test_answer_keeps_its_bits_over_every_kind_of_a_market(sample_market, tmp_path):
    store = Store.create(tmp_path / "store", simulated=True)
    noon = pd.Timestamp(sample_market.sessions[700], tz="UTC")
    store.write_market(sample_market.as_of(noon), source="first half")
    first = store.as_of(noon)
    assert all(len(frame) for name, frame in first.frames.items() if name not in RAW)
    store.write_market(sample_market, source="the rest")
    revised = sample_market.prices.assign(close=sample_market.prices["close"] * 1.01)
    early = sample_market.macro.assign(date=sample_market.macro["date"] - pd.Timedelta(days=10_000))
    store.write({"prices": revised, "macro": early}, source="a back-fill")
    again = store.as_of(noon, first.recorded)
    assert {name: bits(frame) for name, frame in again.frames.items()} == {name: bits(frame) for name, frame in first.frames.items()}
    newest = store.as_of(noon).frames["prices"]
    np.testing.assert_allclose(newest["close"].drop_nulls(), first.frames["prices"]["close"].drop_nulls() * 1.01, rtol=1e-15)


def test_vintage_known_earlier_but_written_later_does_not_hide_the_newer_one(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"macro": macro(("M2", "2024-01-31", 20.9, "2024-04-01"))}, source="final")
    store.write({"macro": macro(("M2", "2024-01-31", 20.7, "2024-02-28"))}, source="as first published")
    value = {known: [row[2] for row in answered(store, known, None)] for known in ("2024-02-27", "2024-03-15", "2024-04-01")}
    assert value == {"2024-02-27": [], "2024-03-15": [20.7], "2024-04-01": [20.9]}
    assert [row[2] for row in answered(store, "2024-04-01", None, "first")] == [20.7]


def test_membership_is_open_until_its_end_has_come(tmp_path):
    store = new_store(tmp_path / "store")

    def interval(end: str | None) -> pd.DataFrame:
        days = {"start": pd.to_datetime(["2024-01-02"]).as_unit("us"), "end": pd.to_datetime([end]).as_unit("us")}
        return pd.DataFrame({"security": pd.Series(["AAA"], dtype="str"), **days, "known_at": [utc("2024-01-01").as_unit("us")]})

    store.write({"members": interval(None)}, source="first list")
    store.write({"members": interval("2024-03-01")}, source="second list")

    def end(known: str) -> object:
        return store.as_of(utc(known), kinds=["members"], prints="first").frames["members"]["end"].item()

    assert end("2024-02-29 23:59") is None
    assert end("2024-03-01") == datetime.date(2024, 3, 1)


def test_names_keep_their_ids_when_earlier_ones_come_later(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"macro": macro(("m", "2024-01-02", 1.0, "2024-01-03"), ("k", "2024-01-02", 1.0, "2024-01-03"))}, source="x")
    store.write({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03"), ("m", "2024-01-04", 1.0, "2024-01-05"))}, source="x")
    assert store.names().rows() == [(0, "k"), (1, "m"), (2, "a")]


@pytest.mark.parametrize(
    ("known", "recorded", "words"),
    [
        (pd.Timestamp("2024-01-05"), None, "known .* no time zone"),
        (utc("2024-01-05"), datetime.datetime(2024, 1, 5), "recorded .* no time zone"),
        (utc("2024-01-05"), utc("2030-01-05"), "still to come"),
    ],
)
def test_instant_that_cannot_be_answered_is_refused(tmp_path, known, recorded, words):
    with pytest.raises(DataError, match=words):
        new_store(tmp_path / "store").as_of(known, recorded)


def test_unknown_kind_and_print_are_refused_with_the_known_ones(tmp_path):
    store = new_store(tmp_path / "store")
    with pytest.raises(DataError, match=r"unknown kind 'stocks'; known are prices, coins"):
        store.as_of(utc("2024-01-05"), kinds=["stocks"])
    with pytest.raises(DataError, match=r"one of newest, first"):
        store.as_of(utc("2024-01-05"), prints="last")


def test_empty_store_answers_with_empty_frames(tmp_path):
    answer = new_store(tmp_path / "store").as_of(utc("2024-01-05"))
    assert all(frame.is_empty() for frame in answer.frames.values())
    assert answer.frames["panel"].columns[:4] == ["id", "security", "date", "close"]
