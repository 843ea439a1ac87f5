import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from features.errors import DataError
from features.market import Panel
from sources.calendar import sessions
from sources.store import tables
from sources.store.incoming_long import LONG
from tests.sources.store.batches import bits, new_store, utc

DAYS = pd.DatetimeIndex(sessions("2024-01-02", "2024-01-31"), name="date")
LATER = utc("2024-05-01")


def wide(n_securities: int, seed: int = 0, days: pd.DatetimeIndex = DAYS) -> Panel:
    draw = np.random.default_rng(seed)
    values = draw.uniform(1, 100, (len(days), n_securities))
    values[draw.uniform(size=values.shape) < 0.2] = np.nan
    close = pd.DataFrame(values, index=days, columns=[f"S{place:03d}" for place in range(n_securities)])
    return Panel(close, pd.Series((days + pd.Timedelta(hours=21)).tz_localize("UTC"), index=days, name="known_at"))


def long(*rows: tuple[str, str, float | None]) -> pl.DataFrame:
    days = [datetime.date.fromisoformat(row[1]) for row in rows]
    known = [datetime.datetime.combine(day, datetime.time(21), datetime.UTC) for day in days]
    values = {"security": [row[0] for row in rows], "date": days, "close": [row[2] for row in rows], "known_at": known}
    return pl.DataFrame(values, schema=LONG)


def test_wide_and_long_panels_give_the_same_records(tmp_path):
    panel = wide(9)
    melted = pl.from_pandas(panel.close.reset_index()).unpivot(index="date", variable_name="security", value_name="close").drop_nulls()
    shuffled = melted.with_columns(pl.col("date").cast(pl.Date)).sample(fraction=1, shuffle=True, seed=1)
    known = (pl.col("date").cast(pl.Datetime("us")) + pl.duration(hours=21)).dt.replace_time_zone("UTC")
    one, other = new_store(tmp_path / "one"), new_store(tmp_path / "other")
    one.write({}, panel=panel, source="x")
    other.write({}, panel=shuffled.with_columns(known.alias("known_at")).select(*LONG), source="x")
    assert bits(one.as_of(LATER).frames["panel"]) == bits(other.as_of(LATER).frames["panel"])
    market = one.to_market(LATER, name="x")
    pd.testing.assert_frame_equal(market.panel.close, panel.close, check_freq=False)
    pd.testing.assert_series_equal(market.panel.known_at, panel.known_at, check_freq=False)


def test_buckets_together_are_the_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "GROUP_ROWS", 300)
    monkeypatch.setattr(tables, "BUCKET", 4)
    monkeypatch.setattr("sources.store.read.BUCKET", 4)
    store = new_store(tmp_path / "store")
    store.write({}, panel=wide(30, days=DAYS[:15]), source="x")
    store.write({}, panel=wide(30, seed=1, days=DAYS[10:]), source="x")
    known = utc("2024-01-29 21:00")
    for prints in ("newest", "first"):
        answer = store.as_of(known, kinds=["panel"], prints=prints).frames["panel"].drop("security")
        parts = list(store.buckets("panel", known, prints=prints))
        assert len(parts) == 8
        assert bits(pl.concat(parts).rechunk()) == bits(answer)


def test_row_groups_end_where_buckets_do():
    ids = np.sort(np.random.default_rng(0).integers(0, 5000, 400_000))
    cuts = list(tables.row_groups(ids))
    assert cuts[0][0] == 0
    assert cuts[-1][1] == len(ids)
    assert [start for start, _ in cuts[1:]] == [end for _, end in cuts[:-1]]
    assert all(end - start >= tables.GROUP_ROWS for start, end in cuts[:-1])
    assert all(ids[start - 1] // tables.BUCKET < ids[start] // tables.BUCKET for start, _ in cuts[1:])


def test_null_close_withdraws_an_earlier_one(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({}, panel=long(("A", "2024-01-02", 5.0), ("A", "2024-01-03", 6.0)), source="x")
    store.write({}, panel=long(("A", "2024-01-03", None)), source="x")
    assert store.as_of(LATER).frames["panel"]["close"].to_list() == [5.0, None]
    assert store.to_market(LATER, name="x").panel.close["A"].dropna().tolist() == [5.0]


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        (long(("A", "2024-01-02", 0.0)), "column 'A', row 2024-01-02: 0.0 breaks the rule 'is positive'"),
        (long(("A", "2024-01-02", np.inf)), "inf breaks the rule"),
        (long(("A", "2024-01-02", 1.0), ("A", "2024-01-02", 2.0)), "security=A, date=2024-01-02: this record is there twice"),
        (long(("A", "2024-01-02", 1.0)).cast({"close": pl.Float32}), "column 'close' is Float32; rule: a long panel has"),
        (long(("A", "2024-01-02", 1.0)).drop("known_at"), "column 'known_at' is missing"),
        (long(("A", "2024-01-02", 1.0)).with_columns(pl.lit("USD").alias("unit")), "column 'unit'"),
        (Panel(wide(2).close.mul(-1), wide(2).known_at), "breaks the rule 'is positive'"),
        (Panel(wide(2).close.astype(object), wide(2).known_at), "rule: every column holds floating-point prices"),
        (Panel(wide(2).close, wide(2).known_at.iloc[1:]), "rule: one instant a row of closes"),
        (Panel(wide(2).close.rename(columns={"S001": "S000"}), wide(2).known_at), "security 'S000' is there twice"),
    ],
)
def test_panel_that_breaks_a_rule_is_refused(tmp_path, panel, words):
    with pytest.raises(DataError, match=words):
        new_store(tmp_path / "store").write({}, panel=panel, source="x")
