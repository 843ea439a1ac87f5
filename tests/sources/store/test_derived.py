import datetime
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.asof import asof
from features.errors import DataError
from sources.adjust import forward_adjusted
from sources.calendar import sessions
from sources.store import Store
from sources.store import derived as module
from sources.store.incoming_long import LONG_QUOTES
from tests.sources.store.batches import actions, new_store, prices, quotes, utc

DAYS = sessions("2024-01-02", "2024-01-12")
LATER = utc("2024-05-01")


def known(day: pd.Timestamp, delay: int) -> pd.Timestamp:
    """The evening of a day, or of one `delay` days later."""
    return day.tz_localize("UTC") + pd.Timedelta(days=delay, hours=21)


def plain_loop(rows: list[tuple], acts: list[tuple], at: pd.Timestamp) -> dict[tuple, tuple[float, float]]:
    """Adjust row by row what was known at an instant: the last row of all that was known when its quote was."""
    rows = [row for row in rows if row[3] <= at]
    kept = [row for row in rows if not any(row[0] == other[0] and row[1] < other[1] and row[3] > other[3] for other in rows)]
    found = {}
    for series, date, _, moment in kept:
        some = pd.DataFrame([row[:3] for row in kept if row[0] == series and row[1] <= date], columns=["series", "date", "close"])
        then = [act[:4] for act in acts if act[0] == series and act[4] <= moment]
        columns = {"series": "str", "date": "datetime64[us]", "split": float, "dividend": float}
        last = forward_adjusted(some.astype({"series": "str"}), pd.DataFrame(then, columns=list(columns)).astype(columns)).iloc[-1]
        found[series, date] = (last["close"], last["adj_close"])
    return found


DELAY = st.sampled_from([0, 0, 0, 1, 3])
PLACES = st.integers(0, len(DAYS) - 1)
QUOTES = st.dictionaries(st.tuples(st.sampled_from("AB"), PLACES), st.tuples(st.floats(5, 50), DELAY), min_size=4, max_size=14)
ACTIONS = st.dictionaries(
    st.tuples(st.sampled_from("AB"), PLACES), st.tuples(st.sampled_from([1.0, 2.0, 1 / 3]), st.sampled_from([0.0, 0.7]), DELAY), max_size=4
)


def check_derived(quoted: dict, acted: dict, places: list[int]) -> None:
    rows = [(series, DAYS[place], close, known(DAYS[place], delay)) for (series, place), (close, delay) in quoted.items()]
    acts = [(s, DAYS[p], split, dividend, known(DAYS[p], delay)) for (s, p), (split, dividend, delay) in acted.items()]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BAD_SHARE", 1.0)
        store = new_store(Path(folder) / "store")
        store.write({"quotes": quotes(*rows), **({"actions": actions(*acts)} if acts else {})}, source="x")
        seen: dict[tuple, tuple] = {}
        for at in (known(DAYS[place], 0) for place in sorted(places)):
            answer = store.as_of(at, kinds=["quotes", "actions"], prints="first")
            found, _ = module.derived(answer, ["A", "B"])
            values = {(row["series"], pd.Timestamp(row["date"])): (row["close"], row["adj_close"]) for row in found.to_dicts()}
            assert values == plain_loop(rows, acts, at)
            # what was there is there still, bit for bit
            assert {key: values[key] for key in seen} == seen
            seen = values


GIVEN = given(quoted=QUOTES, acted=ACTIONS, places=st.lists(PLACES, min_size=2, max_size=4, unique=True))
test_derived_rows_equal_a_plain_loop_and_keep_their_bits = settings(max_examples=5)(GIVEN(check_derived))
test_derived_rows_equal_a_plain_loop_and_keep_their_bits_at_length = pytest.mark.slow(settings(max_examples=300)(GIVEN(check_derived)))


def long(frame: pd.DataFrame) -> pl.DataFrame:
    plain = pl.from_pandas(frame.assign(known_at=frame["known_at"].dt.tz_convert(None)))
    return plain.with_columns(pl.col("date").cast(pl.Date), pl.col("known_at").dt.replace_time_zone("UTC"))


def split_store(root: Path, act_delay: int = 0) -> Store:
    """One series that halves its price by a split on the third session, and pays on the fourth."""
    store = new_store(root)
    closes = [100.0, 102.0, 51.0, 50.0, 52.0, 53.0]
    store.write({"quotes": quotes(*[("R2000", day, close, known(day, 0)) for day, close in zip(DAYS, closes, strict=False)])}, source="x")
    acts = [("R2000", DAYS[2], 2.0, 0.0, known(DAYS[2], act_delay)), ("R2000", DAYS[3], 1.0, 1.0, known(DAYS[3], act_delay))]
    store.write({"actions": actions(*acts)}, source="x")
    return store


def test_market_has_prices_from_quotes_and_actions(tmp_path):
    found = split_store(tmp_path / "store").to_market(LATER, name="x").prices
    np.testing.assert_allclose(found["close"], [100, 102, 102, 100, 104, 106], rtol=1e-15)
    gross = 51 / 50  # the dividend buys shares at the last close less the dividend
    np.testing.assert_allclose(found["adj_close"], [100, 102, 102, 100 * gross, 104 * gross, 106 * gross], rtol=1e-15)
    assert found["known_at"].tolist() == [known(day, 0) for day in DAYS[:6]]


def test_split_known_a_day_late_acts_from_then_and_is_listed(tmp_path):
    found = split_store(tmp_path / "store", act_delay=1).to_market(LATER, name="x")
    np.testing.assert_allclose(found.prices["close"], [100, 102, 51, 100, 104, 106], rtol=1e-15)
    assert found.quarantine[["frame", "series", "rule"]].to_numpy().tolist() == [["actions", "R2000", module.LATE_ACTION]] * 2


def test_market_of_an_earlier_instant_is_the_later_one_cut_back(tmp_path):
    store = split_store(tmp_path / "store", act_delay=1)
    late = store.to_market(LATER, name="x")
    for evening in asof(DAYS)[1:6]:
        assert store.to_market(evening, name="x").fingerprint() == late.as_of(evening).fingerprint()


def test_derived_rows_do_not_depend_on_the_start_of_the_market(tmp_path):
    store = split_store(tmp_path / "store")
    whole, part = store.to_market(LATER, name="x").prices, store.to_market(LATER, name="x", start=DAYS[4].date()).prices
    pd.testing.assert_frame_equal(part, whole.iloc[4:].reset_index(drop=True), check_exact=True)


def test_later_batches_change_nothing_for_an_earlier_recorded(tmp_path):
    store = split_store(tmp_path / "store")
    recorded = store.as_of(LATER).recorded
    before = store.to_market(LATER, recorded, name="x").fingerprint()
    store.write({"actions": actions(("R2000", DAYS[1], 3.0, 0.0, known(DAYS[1], 0)))}, source="a back-fill")
    assert store.to_market(LATER, recorded, name="x").fingerprint() == before
    assert store.to_market(LATER, name="x").prices["close"].iloc[1] == 306


def test_many_late_quotes_stop_the_market(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"quotes": quotes(*[("A", day, 1.0, known(day, 9 * (day == DAYS[1]))) for day in DAYS])}, source="x")
    with pytest.raises(DataError, match=r"series 'A': 1 of 9 records are bad.*2024-01-03: known only after a later record"):
        store.to_market(LATER, name="x")


def test_series_with_stored_prices_and_quotes_has_to_be_named(tmp_path):
    store = split_store(tmp_path / "store")
    store.write({"prices": pd.concat([prices("R2000", DAYS, first=7.0), prices("SPY", DAYS, first=9.0)])}, source="x")
    with pytest.raises(DataError, match=r"series 'R2000' has stored prices and quotes; rule: one or the other; name in `quoted`"):
        store.to_market(LATER, name="x")
    for quoted, first in (([], 7.0), (["R2000"], 100.0)):
        found = store.to_market(LATER, name="x", quoted=quoted).prices.groupby("series")["close"].first()
        assert found.to_dict() == {"R2000": first, "SPY": 9.0}


def test_quotes_of_the_panel_are_columns_beside_the_stored_ones(tmp_path):
    store = split_store(tmp_path / "store")
    expected = store.to_market(LATER, name="x").prices["adj_close"]
    stored = quotes(("S1", DAYS[0], 3.0, known(DAYS[0], 0))).rename(columns={"series": "security"})
    panel = long(stored)
    store.write({}, panel=panel, source="x")
    found = store.to_market(LATER, name="x", panel=["R2000", "not listed yet"])
    assert found.prices.empty
    assert found.panel.close["R2000"].tolist() == expected.tolist()
    assert found.panel.close["S1"].dropna().tolist() == [3.0]
    assert found.panel.close.columns.tolist() == ["R2000", "S1"]
    with pytest.raises(DataError, match=r"no price was known"):
        new_store(tmp_path / "empty").to_market(LATER, name="x", panel=["R2000"])
    store.write({}, panel=panel.with_columns(pl.lit("R2000").alias("security")), source="x")
    with pytest.raises(DataError, match=r"security 'R2000' has stored closes and quotes"):
        store.to_market(LATER, name="x", panel=["R2000"])


def test_quotes_of_polars_give_the_same_records(tmp_path):
    frame = quotes(*[(name, day, 5.0 + place, known(day, 0)) for name in ("B", "A") for place, day in enumerate(DAYS)])
    other = long(frame).select(*LONG_QUOTES).sample(fraction=1, shuffle=True, seed=1)
    store = new_store(tmp_path / "store")
    store.write({"quotes": frame}, source="x")
    assert store.write({"quotes": other}, source="x").number is None
    with pytest.raises(DataError, match=r"frame 'actions' is of polars; rule: only panel and quotes may be"):
        store.write({"actions": other}, source="x")
    with pytest.raises(DataError, match=r"quotes: column 'close': a cell is empty"):
        store.write({"quotes": other.with_columns(pl.lit(None, pl.Float64).alias("close"))}, source="x")
    with pytest.raises(DataError, match=r"column 'A', row 2024-01-\d\d: None breaks the rule 'is positive'"):
        store.write({"quotes": other.with_columns(pl.lit(np.nan).alias("close"))}, source="x")


GOOD = ("A", DAYS[0], 1.0, known(DAYS[0], 0))


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (
            {"quotes": quotes((*GOOD[:2], 0.0, GOOD[3]))},
            "q.csv: row series=A, date=2024-01-02, column 'close': 0.0 breaks",
        ),
        ({"quotes": quotes((*GOOD[:2], np.inf, GOOD[3]))}, "column 'close': inf breaks the rule 'is finite'"),
        ({"quotes": quotes((*GOOD[:2], np.nan, GOOD[3]))}, "row series=A, date=2024-01-02, column 'close'"),
        ({"quotes": quotes(GOOD, GOOD)}, "this record is there twice; rule: one row per \\(series, date\\)"),
        ({"actions": actions(("A", DAYS[0], 0.0, 0.0, GOOD[3]))}, "column 'split': 0.0 breaks the rule 'is positive'"),
        ({"actions": actions(("A", DAYS[0], 1.0, -0.1, GOOD[3]))}, "column 'dividend': -0.1 breaks the rule 'is not negative'"),
        ({"actions": actions(("A", DAYS[0], 1.0, 0.1, GOOD[3])).drop(columns="split")}, "column 'split' is missing"),
    ],
)
def test_raw_records_that_break_a_rule_are_refused(tmp_path, frames, words):
    with pytest.raises(DataError, match=words):
        new_store(tmp_path / "store").write(frames, source="x", origin={"A": "q.csv"})


def test_status_has_a_line_a_quoted_series_and_one_for_all_actions(tmp_path):
    store = split_store(tmp_path / "store")
    found = {line["kind"]: line for line in store.status(utc("2024-01-13")).to_dicts()}
    assert (found["quotes"]["series"], found["quotes"]["records"], found["quotes"]["gaps"], found["quotes"]["age"]) == ("R2000", 6, 0, 3)
    assert (found["actions"]["series"], found["actions"]["records"], found["actions"]["gaps"]) == ("1 securities", 2, None)
    assert found["actions"]["first"] == datetime.date(2024, 1, 4)
