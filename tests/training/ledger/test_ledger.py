import json

import pytest

from tests.training.ledger.trials import FAMILY, trial, walk
from training.errors import JobError, LedgerError
from training.ledger.agreement import missing_trials
from training.ledger.chosen import Chosen
from training.ledger.ledger import Ledger
from training.ledger.mirror import Kept
from training.ledger.place import TRIALS, ledger_root
from training.ledger.register import FAILED, FINISHED, KILLED, NOTED, OPEN
from training.ledger.seen import Seen
from training.ledger.trial import MANUAL, Family, Trial
from training.ledger.words import find_family, find_trial, gather_ledger, render_ledger, render_verified


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    """Give a ledger with four trials, one of each end."""
    made = Ledger(tmp_path / "mlflow.ledger")
    for number, status in enumerate(["FINISHED", "FAILED", "KILLED", None]):
        made.open(f"run-{number}-abcdef", f"name {number}", "appetite", trial(f"h{number % 2}"))
        if status:
            made.end(f"run-{number}-abcdef", status, Kept("1" * 64, "2" * 64) if status == "FINISHED" else None)
    return made


def states(ledger: Ledger) -> list[str]:
    return [each.state for each in ledger.read().entries]


def lines_of(ledger: Ledger) -> list[str]:
    return (ledger.root / TRIALS).read_text().splitlines(keepends=True)


def test_ledger_lies_beside_the_database_and_is_named_after_it(monkeypatch):
    monkeypatch.delenv("APPETITE_LEDGER", raising=False)
    assert str(ledger_root("sqlite:////srv/mlflow.db")) == "/srv/mlflow.ledger"
    assert str(ledger_root("http://host:5000")) == "mlflow.ledger"
    monkeypatch.setenv("APPETITE_LEDGER", "/elsewhere")
    assert str(ledger_root("sqlite:////srv/mlflow.db")) == "/elsewhere"


def test_trial_is_read_back_as_it_was_opened_and_ended(ledger):
    first = ledger.read().entries[0]
    assert (first.run_id, first.name, first.experiment, first.state) == ("run-0-abcdef", "name 0", "appetite", FINISHED)
    assert (first.losses, first.baselines, first.trial) == ("1" * 64, "2" * 64, trial("h0"))
    assert states(ledger) == [FINISHED, FAILED, KILLED, OPEN]


def test_trial_that_ended_does_not_end_again(ledger):
    ledger.end("run-0-abcdef", "KILLED")
    ledger.end("of no trial", "KILLED")
    assert states(ledger) == [FINISHED, FAILED, KILLED, OPEN]


def test_run_that_is_opened_again_is_a_trial_more(ledger):
    ledger.open("run-0-abcdef", "again", "appetite", trial("h0"))
    ledger.end("run-0-abcdef", "FAILED")
    assert states(ledger) == [FINISHED, FAILED, KILLED, OPEN, FAILED]
    assert ledger.read().find("run-0-abcdef").name == "again"


def test_family_is_assets_horizons_data_and_window():
    others = [
        Family(("BTC",), FAMILY.horizons, FAMILY.data, FAMILY.oos_start, FAMILY.oos_end),
        Family(FAMILY.assets, (5,), FAMILY.data, FAMILY.oos_start, FAMILY.oos_end),
        Family(FAMILY.assets, FAMILY.horizons, "b" * 64, FAMILY.oos_start, FAMILY.oos_end),
        Family(FAMILY.assets, FAMILY.horizons, FAMILY.data, "2016-01-05", FAMILY.oos_end),
        Family(FAMILY.assets, FAMILY.horizons, FAMILY.data, FAMILY.oos_start, "2021-01-01"),
    ]
    assert len({FAMILY.id, *(each.id for each in others)}) == 6
    assert Family.of(json.loads(json.dumps(vars(FAMILY)))).id == FAMILY.id


def test_tags_tell_a_trial_but_for_its_hashes():
    tags = trial("h").tags() | {"data.fingerprint": FAMILY.data, "job": "backtest", "market": "sample", "simulated": "true", "seed": "0"}
    told = Trial.of_tags(tags)
    assert (told.family.id, told.kind, told.hypothesis_id, told.seed) == (FAMILY.id, "backtest", "h", 0)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda lines: [lines[0].replace("name 0", "name 9"), *lines[1:]],
        lambda lines: [line.replace('"failed"', '"finished"') for line in lines],
        lambda lines: lines[1:],
        lambda lines: [*lines[:3], *lines[4:]],
        lambda lines: lines[:-1],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines[:3], lines[2], *lines[3:]],
    ],
    ids=["changed", "changed later", "first removed", "one removed", "last removed", "reordered", "doubled"],
)
def test_ledger_that_was_tampered_with_is_refused(ledger, tamper):
    (ledger.root / TRIALS).write_text("".join(tamper(lines_of(ledger))))
    broken = ledger.verify()
    assert broken is not None
    assert f"line {broken.line} of 'trials.jsonl'" in render_verified(ledger, broken, None)
    with pytest.raises(LedgerError, match="a line never changes: restore the folder from a copy"):
        ledger.read()
    with pytest.raises(LedgerError, match=r"trials\.jsonl"):
        ledger.open("another", "run", "appetite", trial())


def test_ledger_that_is_whole_says_so(ledger):
    assert render_verified(ledger, ledger.verify(), None).endswith("every line and every number is as it was written; 4 trials")


@pytest.mark.parametrize("harm", ["missing", "altered"])
def test_lost_numbers_are_found(tmp_path, harm):
    ledger = Ledger(tmp_path / "mlflow.ledger")
    ledger.open("run-0-abcdef", "name", "appetite", trial())
    kept = ledger.mirror.keep(walk(0))
    ledger.end("run-0-abcdef", "FINISHED", kept)
    assert ledger.first_lost() is None
    (file,) = ledger.root.glob(f"*/{kept.baselines}.parquet")
    file.unlink() if harm == "missing" else file.write_bytes(b"other")
    assert f"were {harm}" in str(ledger.first_lost()) or f"are {harm}" in str(ledger.first_lost())
    assert kept.baselines in render_verified(ledger, ledger.verify(), ledger.first_lost())


@pytest.mark.parametrize(("by", "reason"), [("", "gone"), ("J. Doe", "  ")])
def test_sign_off_without_words_is_refused(ledger, by, reason):
    with pytest.raises(LedgerError, match="a signer and a reason"):
        ledger.acknowledge("run-0-abcdef", by, reason)
    assert ledger.read().entries[0].sign_off is None


def test_look_without_words_is_refused(ledger):
    with pytest.raises(LedgerError, match="--note"):
        ledger.add_manual(trial("", kind=MANUAL, note=" "))
    assert len(states(ledger)) == 4


def test_look_of_a_person_counts(ledger):
    ledger.add_manual(trial("", kind=MANUAL, note="chose 21 sessions by the plot"))
    entry = ledger.add_manual(trial("", kind=MANUAL, note="again"))
    assert (entry.run_id, states(ledger)[-2:]) == ("manual-2", [NOTED, NOTED])
    (family,) = gather_ledger(ledger)
    assert (family["n"], family["states"]) == (6, {FINISHED: 1, FAILED: 1, KILLED: 1, OPEN: 1, NOTED: 2})


def test_trial_is_preregistered_only_where_it_was_announced_before(ledger):
    at = ledger.announce("later", "kappa 300 will do better")
    assert ledger.announce("later", "said again") == at
    ledger.open("after", "after", "appetite", trial("later"))
    ledger.announce("h0", "too late for the first one")
    assert [each.prereg for each in ledger.read().entries] == [False, False, False, False, True]


def test_trial_announced_after_a_look_is_not_preregistered(ledger):
    ledger.announce("h1", "said after the look")
    assert (
        ledger.open("again", "again", "appetite", trial("h1", family=Family(("ETH",), (5,), "d" * 64, "2016-01-04", "2020-12-31"))).prereg
        is False
    )
    ledger.announce("new", "said before")
    assert [ledger.open(name, name, "appetite", trial("new")).prereg for name in ("first", "second")] == [True, True]
    ledger.acknowledge("lost", "Ada", "the disk was full", ("lost run", "appetite", trial("new")))
    assert [each.prereg for each in ledger.read().entries[4:]] == [False, True, True, False]


def test_trial_of_a_candidate_says_the_search_that_had_it(ledger):
    assert ledger.open("own", "own", "appetite", trial("c1")).chosen_by_search is None
    for search, number in (("s" * 32, 7), ("t" * 32, 2)):
        for each in range(number):
            ledger.open(f"{search}-{each}", "candidate", "appetite", trial(f"c{each}", parent=search))
    later = ledger.open("later", "later", "appetite", trial("c1"))
    other = Family(("BTC",), (5,), "c" * 64, "2016-01-04", "2020-12-31")
    ledger.open("elsewhere", "elsewhere", "appetite", trial("c1", family=other))
    ledger.open("another", "another", "appetite", trial("c9"))
    assert later.chosen_by_search == Chosen("s" * 32, 7)
    assert later.chosen_by_search.words() == "its configuration was chosen among 7 candidates of search ssssssss on these rows"
    read = {each.run_id: each.chosen_by_search for each in ledger.read().entries if each.chosen_by_search is not None}
    assert read == {"later": Chosen("s" * 32, 7)}
    listed = gather_ledger(ledger, FAMILY.id)[0]["trials"]
    assert [each["chosen_by_search"] for each in listed][-2:] == [{"run_id": "s" * 32, "candidates": 7}, None]


def test_acknowledged_trial_still_counts(ledger):
    ledger.acknowledge("run-1-abcdef", "Ada", "the disk was full")
    entry = ledger.read().find("run-1-abcdef")
    assert (entry.sign_off.by, entry.sign_off.reason, entry.state) == ("Ada", "the disk was full", FAILED)
    assert gather_ledger(ledger)[0]["n"] == 4
    with pytest.raises(LedgerError, match="by Ada; once is enough"):
        ledger.acknowledge("run-1-abcdef", "Bob", "the same")
    with pytest.raises(LedgerError, match="no trial 'nobody'"):
        ledger.acknowledge("nobody", "Ada", "what")


def test_run_that_the_ledger_lacks_is_entered_when_it_is_acknowledged(ledger):
    ledger.acknowledge("lost", "Ada", "killed at its start", ("lost run", "appetite", trial("h1")))
    assert (ledger.read().find("lost").state, gather_ledger(ledger)[0]["n"]) == (OPEN, 5)


def seen(run_id: str, deleted: bool = False) -> Seen:
    return Seen(run_id, f"name of {run_id}", "appetite", deleted, {})


def test_run_that_both_sides_have_is_not_signed_off(ledger):
    before = lines_of(ledger)
    with pytest.raises(LedgerError, match="'run-1-abcdef' is in both the ledger and MLflow and nothing is missing"):
        ledger.acknowledge("run-1-abcdef", "Ada", "in advance", ("name 1", "appetite", trial("h1")))
    assert lines_of(ledger) == before
    look = ledger.add_manual(trial("", kind=MANUAL, note="a look"))
    with pytest.raises(LedgerError, match="which is its only place, and nothing is missing"):
        ledger.acknowledge(look.run_id, "Ada", "in advance")


def test_disagreement_names_what_each_side_lacks_and_the_way_out(ledger):
    entries = ledger.read().entries
    there = [seen(each.run_id, deleted=True) for each in entries]
    assert missing_trials(entries, there) == []
    lost, unknown = missing_trials(entries, [*there[1:], seen("stranger")])
    assert "MLflow lacks the run 'name 0' (run-0-abcdef)" in lost.words()
    assert "appetite ledger ack run-0-abcdef --by NAME --reason TEXT" in lost.words()
    assert "the ledger lacks the run 'name of stranger' (stranger)" in unknown.words()
    ledger.acknowledge("run-0-abcdef", "Ada", "purged to free space")
    assert missing_trials(ledger.read().entries, there[1:]) == []


def test_manual_entry_is_not_looked_for_in_mlflow(ledger):
    ledger.add_manual(trial("", kind=MANUAL, note="a look"))
    assert missing_trials(ledger.read().entries[4:], []) == []


def test_trial_is_found_by_the_beginning_of_its_id(ledger):
    register = ledger.read()
    assert find_trial(register, "run-2-ab").run_id == "run-2-abcdef"
    for name in ("run-2", "run-9-abcdef"):
        with pytest.raises(JobError, match="first 8 characters or more"):
            find_trial(register, name)


def test_family_is_found_and_the_newest_is_meant_where_none_is_named(ledger):
    other = Family(("BTC",), (5,), "c" * 64, "2016-01-04", "2020-12-31")
    ledger.open("other", "other", "appetite", trial(family=other))
    assert find_family(ledger.read(), "") == other.id
    assert find_family(ledger.read(), FAMILY.id[:6]) == FAMILY.id
    ledger.open("back", "back", "appetite", trial())
    assert find_family(ledger.read(), "") == FAMILY.id
    with pytest.raises(JobError, match="'xyz' means 0 families"):
        find_family(ledger.read(), "xyz")


def test_families_are_listed_with_their_trials(ledger):
    text = render_ledger(gather_ledger(ledger, FAMILY.id))
    for words in (
        "N = 4 (1 finished, 1 failed, 1 killed, 1 open)",
        "SIMULATED",
        "ALT, BTC over 5, 21 sessions",
        "lock-box sealed",
        "name 3",
    ):
        assert words in text
    assert "name 3" not in render_ledger(gather_ledger(ledger))
    assert max(map(len, text.splitlines())) <= 100


def test_empty_ledger_says_what_begins_it_and_makes_no_folder(tmp_path):
    empty = Ledger(tmp_path / "none")
    assert "appetite train" in render_ledger(gather_ledger(empty))
    with pytest.raises(JobError, match="appetite train"):
        find_family(empty.read(), "")
    assert not empty.root.exists()


def test_numbers_are_kept_by_their_hash_and_shared_where_equal(tmp_path):
    mirror = Ledger(tmp_path).mirror
    one, two = mirror.keep(walk(1, extra=50)), mirror.keep(walk(2, extra=50))
    assert one.baselines == two.baselines
    assert one.losses != two.losses
    assert mirror.keep(walk(1, extra=50)) == one
    assert len(list((tmp_path / "losses").iterdir())) == 3
    whole = walk(1, extra=50)
    served = whole[(whole["rung"] == "served") & whole["outer"]].sort_values(["asset", "horizon", "session"])
    own, shared = mirror.read(one.losses), mirror.read(one.baselines)
    for column in ("mean", "sd", "crps", "pit", "p_on"):
        assert own[column].tolist() == served[column].tolist()
    for column in ("asset", "horizon", "session", "y"):
        assert shared[column].tolist() == served[column].tolist()
    base = whole[(whole["rung"] == "M0") & whole["outer"]].sort_values(["asset", "horizon", "session"])
    assert shared["crps_M0"].tolist() == base["crps"].tolist()


def test_numbers_of_a_walk_without_judged_rows_are_kept_as_none(tmp_path):
    mirror = Ledger(tmp_path).mirror
    kept = mirror.keep(walk(1).assign(outer=False))
    assert len(mirror.read(kept.losses)) == len(mirror.read(kept.baselines)) == 0


def test_altered_or_missing_numbers_are_refused(tmp_path):
    mirror = Ledger(tmp_path).mirror
    kept = mirror.keep(walk(1))
    path = tmp_path / "losses" / f"{kept.losses}.parquet"
    path.write_bytes(path.read_bytes().replace(b"crps", b"CRPS"))
    with pytest.raises(LedgerError, match="they were altered"):
        mirror.read(kept.losses)
    path.unlink()
    with pytest.raises(LedgerError, match="they are missing"):
        mirror.read(kept.losses)


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_other_share_of_the_lockbox_is_refused_and_leaves_no_line(ledger, share):
    before = lines_of(ledger)
    with pytest.raises(JobError) as error:
        ledger.open("greedy", "greedy", "appetite", trial("h", locked=share))
    for words in (f"walk.lockbox {share:g}", f"family {FAMILY.id}", "lock 0.2 of", "Set walk.lockbox to 0.2"):
        assert words in str(error.value)
    assert lines_of(ledger) == before


def test_line_that_tells_no_share_locked_a_fifth_away():
    told = trial("h", locked=0.3, sealed_from="2019-12-30").to_dict()
    assert (Trial.of(told).locked, Trial.of(told).sealed_from) == (0.3, "2019-12-30")
    older = {key: value for key, value in told.items() if key not in ("locked", "sealed_from")}
    assert (Trial.of(older).locked, Trial.of(older).sealed_from) == (0.2, "")
