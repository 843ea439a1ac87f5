import pandas as pd

from serving.label_place import SeriesOf
from serving.label_rows import said_of
from serving.label_series import LabelSeries
from serving.output import as_records
from tests.training.ledger.trials import trial
from training.ledger.ledger import Ledger
from training.ledger.place import TRIALS
from training.moment import card_now

INSTANT = pd.Timestamp("2024-07-06 12:00", tz="UTC")
CARD = {
    "session": "2024-07-05",
    "market": {"name": "files", "simulated": False, "note": ""},
    "last_revision": None,
    "trials": None,
}


def walk(p: float) -> list:
    days = pd.DatetimeIndex(["2024-07-03", "2024-07-05"])
    rows = {"session": days, "status": "published", "regime": "risk_on" if p > 0.5 else "risk_off", "p_risk_on": p, "p_risk_off": 1 - p}
    return said_of(as_records(pd.DataFrame(rows | {"p_risk_on_lo": None, "p_risk_on_hi": None})))


def test_card_of_a_moment_has_its_clock_and_keeps_the_rest(tmp_path):
    card = card_now(CARD, "3", tmp_path / "labels", Ledger(tmp_path / "ledger"), INSTANT)
    assert card["clock"]["behind"] == 0
    assert {key: card[key] for key in CARD} == CARD
    assert not (tmp_path / "labels").exists()  # a look writes nothing
    assert not (tmp_path / "ledger").exists()


def test_last_revision_is_the_newest_that_differs(tmp_path):
    series = LabelSeries(tmp_path, SeriesOf("appetite", "files", simulated=False))
    series.publish("1", walk(0.9))
    assert card_now(CARD, "1", tmp_path, Ledger(tmp_path / "ledger"), INSTANT)["last_revision"] is None
    series.publish("2", walk(0.2))
    series.publish("3", walk(0.9))  # which confirms what was published
    said = card_now(CARD, "3", tmp_path, Ledger(tmp_path / "ledger"), INSTANT)["last_revision"]
    assert said == {"session": "2024-07-05", "was": "risk_on", "is": "risk_off", "was_p": 0.9, "p": 0.2, "version": "2"}


def test_no_champion_has_no_revision(tmp_path):
    LabelSeries(tmp_path, SeriesOf("appetite", "files", simulated=False)).publish("1", walk(0.9))
    assert card_now(CARD, None, tmp_path, Ledger(tmp_path / "ledger"), INSTANT)["last_revision"] is None


def test_trials_made_since_are_counted_and_a_broken_ledger_breaks_no_answer(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    for number in range(3):
        ledger.open(f"run-{number}", "name", "appetite", trial())
    place = ledger.read().place("run-1")
    family_id, n = place.family_id, place.number
    assert (n, place.chosen, ledger.read().place("of no trial")) == (2, None, None)
    card = CARD | {"trials": {"rungs": 28, "family_id": family_id, "family": n}}
    assert card_now(card, None, tmp_path, ledger, INSTANT)["trials"] == card["trials"] | {"family_now": 3}
    lines = ledger.root / TRIALS
    lines.write_text(lines.read_text().replace("run-1", "run-7"))
    assert card_now(card, None, tmp_path, ledger, INSTANT)["trials"]["family_now"] is None
