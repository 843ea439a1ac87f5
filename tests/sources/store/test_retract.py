import pytest

from features.errors import DataError
from sources.calendar import sessions
from sources.store import Store
from tests.sources.store.batches import bits, macro, new_store, prices, tree, utc

LATER = utc("2024-05-01")


def values(store: Store, known: object = LATER, recorded: object = None) -> list[tuple]:
    return store.as_of(known, recorded, kinds=["macro"]).frames["macro"].select("value", "vintage").rows()


def test_withdrawn_vintage_is_gone_for_later_answers_alone(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"macro": macro(("M2", "2024-01-31", 20.9, "2024-01-31"))}, source="its date taken for the instant")
    frame = store.as_of(LATER, kinds=["macro"]).frames["macro"]
    recorded = store.as_of(LATER).recorded
    before = bits(frame)
    done = store.retract("macro", frame, reason="known four weeks later")
    assert (done.number, done.counts["macro"].withdrawn) == (2, 1)
    assert values(store) == []
    store.write({"macro": macro(("M2", "2024-01-31", 20.9, "2024-02-28"))}, source="corrected")
    assert values(store) == [(20.9, 1)]
    assert values(store, utc("2024-02-27")) == []
    assert bits(store.as_of(LATER, recorded, kinds=["macro"]).frames["macro"]) == before
    assert values(store, LATER, done.recorded_at) == []
    assert store.verify() == []


def test_vintage_before_a_withdrawn_one_stands_again(tmp_path):
    store = new_store(tmp_path / "store")
    for value in (1.0, 2.0):
        store.write({"macro": macro(("a", "2024-01-02", value, "2024-01-03"))}, source="x")
    store.retract("macro", store.as_of(LATER, kinds=["macro"]).frames["macro"], reason="a misprint")
    assert values(store) == [(1.0, 0)]
    assert store.write({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03"))}, source="x").number is None
    # the misprint again: a source that still says so is heard
    assert store.write({"macro": macro(("a", "2024-01-02", 2.0, "2024-01-03"))}, source="x").counts["macro"].revised == 1
    assert values(store) == [(2.0, 2)]


def test_withdrawing_again_changes_no_file(tmp_path):
    store = new_store(tmp_path / "store")
    store.write({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03"))}, source="x")
    frame = store.as_of(LATER, kinds=["macro"]).frames["macro"]
    store.retract("macro", frame, reason="x")
    before = tree(store.root)
    assert store.retract("macro", frame, reason="y").number is None
    assert tree(store.root) == before


def test_status_does_not_count_what_was_withdrawn(tmp_path):
    store, days = new_store(tmp_path / "store"), sessions("2024-01-02", "2024-01-12")
    store.write({"prices": prices("IWM", days)}, source="x")
    store.write({"prices": prices("IWM", days[:2], first=50.0)}, source="x")
    frame = store.as_of(LATER, prints="first", kinds=["prices"]).frames["prices"]
    store.retract("prices", frame.filter((frame["vintage"] == 1) | (frame["date"] == days[5].date())), reason="x")
    line = store.status(utc("2024-01-13")).row(0, named=True)
    assert (line["records"], line["revisions"], line["gaps"]) == (len(days) - 1, 0, 1)


def test_bad_records_and_market_do_not_see_what_was_withdrawn(tmp_path):
    store, days = new_store(tmp_path / "store"), sessions("2024-01-02", "2024-01-12")
    store.write({"prices": prices("IWM", days)}, source="x")
    last = store.as_of(LATER, kinds=["prices"]).frames["prices"].tail(1)
    store.retract("prices", last, reason="not traded")
    assert len(store.to_market(LATER, name="x").prices) == len(days) - 1


@pytest.mark.parametrize(
    ("kind", "change", "reason", "words"),
    [
        ("stocks", {}, "x", "unknown kind 'stocks'"),
        ("macro", {}, " ", "retraction without a reason"),
        ("macro", {"vintage": 7}, "x", "there is no record id=0, date=2024-01-02, vintage=7; take the rows of an answer"),
        ("macro", {"vintage": None}, "x", "there is no record"),
        ("prices", {}, "x", "there is no record"),
    ],
)
def test_retraction_of_what_is_not_there_is_refused(tmp_path, kind, change, reason, words):
    store = new_store(tmp_path / "store")
    store.write({"macro": macro(("a", "2024-01-02", 1.0, "2024-01-03"))}, source="x")
    frame = store.as_of(LATER, kinds=["macro"]).frames["macro"]
    before = tree(store.root)
    with pytest.raises(DataError, match=words):
        store.retract(kind, frame.with_columns(**{name: value for name, value in change.items()}), reason=reason)
    with pytest.raises(DataError, match=r"column 'vintage' is missing; rule: it has id, date, vintage"):
        store.retract("macro", frame.drop("vintage"), reason="x")
    assert tree(store.root) == before
