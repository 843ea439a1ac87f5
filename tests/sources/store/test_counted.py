"""Counts of a panel in a store against the panel held in memory, made at once and session by session."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import sources.store.counted
from features.breadth import breadth
from features.errors import DataError
from features.market import Market
from sources.calendar import sessions as sessions_between
from sources.files import describe_market
from sources.known import known_at
from sources.store import Store
from training.reports.inputs import input_rows

N, START, SECURITIES = 328, 318, 9
DAYS = sessions_between(pd.Timestamp("2022-01-03"), pd.Timestamp("2023-12-29"))[:N]
NAMES = [f"S{number}" for number in range(SECURITIES)]
NOW = pd.Timestamp("2024-06-01", tz="UTC")


def closes() -> np.ndarray:
    """Listings, delistings, gaps, a price that does not move."""
    rng = np.random.default_rng(8)
    out = np.round(20 * np.exp(np.cumsum(0.03 * rng.standard_normal((N, SECURITIES)), axis=0)), 2)
    out[:, 0] = 12.5
    out[:200, 1] = np.nan
    out[START + 3 :, 2] = np.nan
    out[START - 3 : START + 2, 3] = np.nan
    out[START - 9 : START + 4, 4] = np.nan
    out[: START + 5, 5] = np.nan
    return out


def records(values: np.ndarray, rows: slice, names: list[str] = NAMES) -> pd.DataFrame:
    """Quotes of some sessions."""
    slot, column = np.nonzero(~np.isnan(values[rows]))
    dates = DAYS[rows][slot]
    frame = pd.DataFrame({"series": np.array(names)[column], "date": dates, "close": values[rows][slot, column]})
    return frame.assign(known_at=known_at("session_close", frame["date"]))


def actions(rows: slice) -> pd.DataFrame:
    """A split or a dividend now and then, also on the last sessions."""
    at = [150, START - 1, START + 1, START + 6, N - 1]
    found = [(NAMES[at[k] % SECURITIES], at[k], [2.0, 1.0, 0.5, 3.0, 1.0][k], [0.0, 0.3, 0.0, 0.1, 0.4][k]) for k in range(len(at))]
    kept = [each for each in found if rows.start <= each[1] < rows.stop]
    frame = pd.DataFrame(kept, columns=["series", "date", "split", "dividend"])
    frame["date"] = DAYS[frame["date"].to_numpy(dtype=int)]
    return frame.assign(known_at=known_at("session_close", frame["date"]))


def index(rows: slice) -> pd.DataFrame:
    level = 1000 * np.exp(np.cumsum(0.01 * np.random.default_rng(2).standard_normal(N)))
    return records(level[:, None], rows, ["R2000"]).assign(adj_close=np.nan)


def members() -> pd.DataFrame:
    rows = [("S1", DAYS[10], DAYS[300]), ("S3", DAYS[10], pd.NaT), ("S0", DAYS[100], DAYS[START + 4]), ("S5", DAYS[START + 2], pd.NaT)]
    frame = pd.DataFrame([*rows, ("GONE", DAYS[10], pd.NaT)], columns=["security", "start", "end"])
    frame["known_at"] = known_at("session_close", frame["start"] - pd.Timedelta(days=5))
    return frame.astype({"start": "datetime64[us]", "end": "datetime64[us]"})


def write(store: Store, rows: slice) -> None:
    frames = {"quotes": records(closes(), rows), "actions": actions(rows), "prices": index(rows)}
    store.write({kind: frame for kind, frame in frames.items() if len(frame)}, source="test")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.create(tmp_path / "store", simulated=True)
    made.write({"members": members()}, source="test")
    write(made, slice(0, START))
    return made


def market(store: Store, counts: Path | None = None) -> Market:
    return store.to_market(NOW, name="test", quoted=[], panel=NAMES, counts=counts)


def counted(store: Store, tmp_path: Path) -> Market:
    return market(store, tmp_path / "kept" / "counts.npz")


def same(store: Store, tmp_path: Path) -> Market:
    """Counted or held, the features are the same."""
    small = counted(store, tmp_path)
    ours, theirs = breadth(small), breadth(market(store))
    pd.testing.assert_frame_equal(ours.values, theirs.values, rtol=1e-9, atol=1e-12)
    pd.testing.assert_frame_equal(ours.quality, theirs.quality)
    return small


def test_counts_give_the_features_that_the_panel_gives(store: Store, tmp_path: Path) -> None:
    small = same(store, tmp_path)
    assert small.panel.close.empty
    assert breadth(small).values["breadth__panel_pct_above_50"].notna().sum() > 200


@pytest.mark.parametrize("step", [1, 4])
def test_sessions_that_came_since_are_counted_on(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    counted(store, tmp_path)

    def anew(*_: object) -> None:
        raise AssertionError("counted anew")

    for first in range(START, N, step):
        write(store, slice(first, min(first + step, N)))
        with monkeypatch.context() as patched:
            patched.setattr(sources.store.counted, "count_closes", anew)
            small = same(store, tmp_path) if step > 1 else counted(store, tmp_path)
    assert counted(store, tmp_path).fingerprint() == small.fingerprint()
    assert market(store, tmp_path / "other.npz").fingerprint() == small.fingerprint()


@pytest.mark.parametrize("step", [1, 3])
def test_many_dividends_leave_the_bits_of_a_recount(tmp_path: Path, step: int) -> None:
    store = Store.create(tmp_path / "store", simulated=True)
    at = [(name, day) for number, name in enumerate(NAMES) for day in range(number % 4, N, 4)]
    paid = pd.DataFrame({"series": [name for name, _ in at], "date": DAYS[[day for _, day in at]], "split": 1.0, "dividend": 0.013})
    paid = paid.assign(known_at=known_at("session_close", paid["date"]))
    for first, end in [(0, START), *((k, min(k + step, N)) for k in range(START, N, step))]:
        now = slice(first, end)
        due = paid[(paid["date"] >= DAYS[first]) & (paid["date"] <= DAYS[end - 1])]
        store.write({"quotes": records(closes(), now), "actions": due, "prices": index(now)}, source="test")
        small = counted(store, tmp_path)
    assert market(store, tmp_path / "other.npz").fingerprint() == small.fingerprint()


def test_an_action_of_a_session_without_a_close_acts_on_the_close_that_comes_after_it(store: Store, tmp_path: Path) -> None:
    gap = pd.DataFrame({"series": ["S3"], "date": [DAYS[START]], "split": [4.0], "dividend": [0.0]})
    gap["known_at"] = known_at("session_close", gap["date"])
    counted(store, tmp_path)
    for at in range(START, START + 4):
        write(store, slice(at, at + 1))
        if at == START:
            store.write({"actions": gap}, source="test")
        ours, theirs = counted(store, tmp_path).counted, market(store, tmp_path / f"anew-{at}.npz").counted
        np.testing.assert_allclose(ours.everyone.sums, theirs.everyone.sums, rtol=0, atol=1e-12)


def test_an_action_that_became_known_late_is_counted_when_it_is_known(store: Store, tmp_path: Path) -> None:
    told = pd.Timestamp(DAYS[START + 2], tz="UTC") + pd.Timedelta(hours=15)
    late = pd.DataFrame({"series": ["S6"], "date": [DAYS[START - 9]], "split": [4.0], "dividend": [0.0], "known_at": [told]})
    write(store, slice(START, N))
    store.write({"actions": late}, source="test")
    for at in range(START, START + 4):
        known = pd.Timestamp(DAYS[at] + pd.Timedelta(days=1), tz="UTC")
        kept = [tmp_path / "kept.npz", tmp_path / f"anew-{at}.npz"]
        ours, theirs = (store.to_market(known, name="test", quoted=[], panel=NAMES, counts=path).counted for path in kept)
        np.testing.assert_allclose(ours.everyone.sums, theirs.everyone.sums, rtol=0, atol=1e-12)


def late_close(store: Store) -> None:
    frame = pd.DataFrame({"series": ["S4"], "date": [DAYS[START - 5]], "close": [30.0]})
    store.write({"quotes": frame.assign(known_at=known_at("session_close", frame["date"]))}, source="backfill")


def late_action(store: Store) -> None:
    frame = pd.DataFrame({"series": ["S6"], "date": [DAYS[START - 20]], "split": [2.0], "dividend": [0.0]})
    store.write({"actions": frame.assign(known_at=known_at("session_close", frame["date"]))}, source="backfill")


def late_member(store: Store) -> None:
    frame = pd.DataFrame({"security": ["S7"], "start": [DAYS[50]], "end": [pd.NaT]}).astype({"end": "datetime64[us]"})
    store.write({"members": frame.assign(known_at=known_at("session_close", frame["start"]))}, source="backfill")


def withdrawal(store: Store) -> None:
    rows = store.as_of(NOW, kinds=["quotes"]).frames["quotes"].filter(pl.col("series") == "S8").head(1)
    store.retract("quotes", rows, reason="a misprint")


@pytest.mark.parametrize("change", [late_close, late_action, late_member, withdrawal])
def test_what_came_for_the_past_is_counted_anew(store: Store, tmp_path: Path, change) -> None:
    counted(store, tmp_path)
    change(store)
    write(store, slice(START, START + 2))
    same(store, tmp_path)


def test_a_damaged_file_and_one_of_other_securities_are_counted_anew(store: Store, tmp_path: Path) -> None:
    first = counted(store, tmp_path)
    kept = tmp_path / "kept" / "counts.npz"
    few = store.to_market(NOW, name="test", quoted=[], panel=NAMES[:4], counts=kept)
    assert few.fingerprint() != first.fingerprint()
    assert counted(store, tmp_path).fingerprint() == first.fingerprint()
    kept.write_bytes(kept.read_bytes()[:500])
    assert counted(store, tmp_path).fingerprint() == first.fingerprint()


def test_a_compacted_store_counts_the_same(store: Store, tmp_path: Path) -> None:
    write(store, slice(START, START + 2))
    first = counted(store, tmp_path)
    store.compact()
    assert counted(store, tmp_path).fingerprint() == first.fingerprint()


def test_an_earlier_instant_has_the_first_counts_to_the_bit(store: Store, tmp_path: Path) -> None:
    whole = counted(store, tmp_path)
    instant = pd.Timestamp(DAYS[300] + pd.Timedelta(days=1), tz="UTC")
    early = store.to_market(instant, name="test", quoted=[], panel=NAMES, counts=tmp_path / "early.npz")
    assert early.fingerprint() == whole.as_of(instant).fingerprint()
    pd.testing.assert_frame_equal(breadth(early).values, breadth(whole).values.loc[: DAYS[300]], rtol=0, atol=0)


def test_a_market_holds_a_panel_or_counts_of_its_sessions(store: Store, tmp_path: Path) -> None:
    held, small = market(store), counted(store, tmp_path)
    with pytest.raises(DataError, match="one or the other"):
        held.with_counts(small.counted)
    with pytest.raises(DataError, match="counts are of other sessions"):
        small.with_counts(small.counted.until(5))


def test_a_counted_panel_is_described_as_one_that_is_held_but_for_its_name(store: Store, tmp_path: Path) -> None:
    held, small = (describe_market(each).set_index("frame").loc["panel"] for each in (market(store), counted(store, tmp_path)))
    assert held["series"] == "8 securities"  # one is listed later
    assert small["series"].startswith("counted, up to ")
    pd.testing.assert_series_equal(held.drop("series"), small.drop("series"))
    (row,) = [each for each in input_rows(counted(store, tmp_path), "breadth") if each[0] == "panel"]
    assert row[-1] == "by the row"


def test_a_panel_known_too_late_to_be_counted_is_refused(store: Store, tmp_path: Path) -> None:
    found = records(closes(), slice(START, N)).assign(known_at=lambda quotes: known_at("next_morning", quotes["date"]))
    store.write({"quotes": found, "prices": index(slice(START, N))}, source="test")
    with pytest.raises(DataError, match=r"closes of the panel are known only after 00:00 UTC .* hold the panel"):
        counted(store, tmp_path)
    assert not (tmp_path / "kept").exists()
