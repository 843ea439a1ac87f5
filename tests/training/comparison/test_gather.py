"""A family in MLflow and in the ledger: deleted runs, purged runs, strangers; and the lock-box of a run."""

import html
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import appetite
from tests.store import store_in
from tests.training.comparison.family import tagged
from tests.training.ledger.trials import FAMILY, trial, walk
from training.comparison.compare import Comparison
from training.comparison.gather import compare_experiment
from training.config import load_config
from training.ledger.ledger import Ledger
from training.ledger.trial import hypothesis_of
from training.tracking import current_ledger, open_run

RUNS = 50


@pytest.fixture
def store(tmp_path):
    """Make an empty store MLflow's; gives its client and the experiment that runs are in."""
    with store_in(tmp_path) as uri:
        from mlflow import MlflowClient

        client = MlflowClient(uri, uri)
        yield client, client.create_experiment("appetite", artifact_location=(tmp_path / "artifacts").as_uri())


def fill(client, experiment: str, n: int, gain: float = 0.0) -> list[str]:
    """Make finished trials in MLflow and in the ledger; the first one is the better by `gain`."""
    trials = [(f"run {number}", trial(f"h{number}")) for number in range(n)]
    ids = tagged(client, experiment, trials)
    ledger = current_ledger()
    for number, (run_id, (name, each)) in enumerate(zip(ids, trials, strict=True)):
        ledger.open(run_id, name, "appetite", each)
        ledger.end(run_id, "FINISHED", ledger.mirror.keep(walk(number, gain=0.0 if number else gain, n=360, cells=(("BTC", 5),))))
    return ids


def purge(client, run_ids: list[str]) -> None:
    """Remove deleted runs for good, by the call that `mlflow gc` makes."""
    for run_id in run_ids:
        client._tracking_client.store._hard_delete_run(run_id)


def compared() -> Comparison:
    return compare_experiment(current_ledger(), "appetite", [])


def invoke(*words: str):
    return CliRunner().invoke(appetite.main, words)


def test_ten_of_fifty_runs_deleted_change_nothing_and_purged_forbid_a_best_until_signed_off(store):
    client, experiment = store
    ids = fill(client, experiment, RUNS, gain=0.04)
    before = compared()
    assert (before.choice.n, before.best) == (RUNS, ids[0])
    p = before.verdicts.trials["p_adjusted"]

    for run_id in ids[-10:]:
        client.delete_run(run_id)
    deleted = compared()
    assert (deleted.choice.n, deleted.missing, deleted.best) == (RUNS, (), ids[0])
    assert (deleted.verdicts.trials["p_adjusted"] >= p).all()

    purge(client, ids[-10:])
    purged = compared()
    assert (purged.choice.n, purged.best) == (RUNS, "")
    assert {each.run_id for each in purged.missing} == set(ids[-10:])
    assert (purged.verdicts.trials["p_adjusted"] >= p).all()

    for run_id in ids[-10:]:
        current_ledger().acknowledge(run_id, "Ada", "purged to free space")
    signed = compared()
    assert (signed.choice.n, signed.best, signed.missing) == (RUNS, ids[0], ())
    assert signed.verdicts.trials["p_adjusted"].tolist() == p.tolist()


def test_command_prints_no_best_and_says_how_to_sign_off(store):
    client, experiment = store
    ids = fill(client, experiment, 2, gain=0.06)
    (stranger,) = tagged(client, experiment, [("stranger", trial("s"))])
    done = invoke("compare", "--experiment", "appetite")
    assert done.exit_code == 2, done.stderr
    assert "no best is named: ledger and MLflow disagree on 1 trial" in done.stdout
    assert f"the ledger lacks the run 'stranger' ({stranger})" in done.stderr
    assert f"appetite ledger ack {stranger} --by NAME --reason TEXT" in done.stderr

    done = invoke("ledger", "ack", stranger, "--by", "Ada", "--reason", "killed as it began")
    assert done.exit_code == 0, done.stderr
    done = invoke("compare", "--json")
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["n_trials"], answer["best"], answer["missing"]) == (3, ids[0], [])
    listed = json.loads(invoke("ledger", "list", "--json", "--family", FAMILY.id).stdout)
    assert [each["acknowledged"] is not None for each in listed[0]["trials"]] == [False, False, True]
    assert invoke("ledger", "ack", "nobody", "--by", "Ada", "--reason", "what").exit_code == 2


def test_run_is_signed_off_only_once_it_is_missing(store):
    client, experiment = store
    ids = fill(client, experiment, 2)
    for name in (ids[0], ids[0][:8]):
        done = invoke("ledger", "ack", name, "--by", "Ada", "--reason", "in advance")
        assert (done.exit_code, f"'{ids[0]}' is in both the ledger and MLflow" in done.stderr) == (2, True)
    client.delete_run(ids[0])
    assert invoke("ledger", "ack", ids[0], "--by", "Ada", "--reason", "in advance").exit_code == 2  # only marked deleted
    purge(client, ids[:1])
    assert [each.run_id for each in compared().missing] == ids[:1]
    assert invoke("ledger", "ack", ids[0][:8], "--by", "Ada", "--reason", "purged").exit_code == 0
    assert compared().missing == ()


def test_comparison_is_a_run_with_links_and_no_trial(store, tmp_path):
    client, experiment = store
    ids = fill(client, experiment, 2)
    done = invoke("compare", "--out", "ranking")
    assert done.exit_code == 0, done.stderr
    assert "no run beats the best baseline" in done.stdout
    (run,) = client.search_runs([experiment], "tags.job = 'compare'")
    assert (run.info.status, run.data.tags["family_id"], run.data.tags["best"]) == ("FINISHED", FAMILY.id, "none")
    assert set(run.data.tags["compared"].split(",")) == set(ids)
    assert all(f"(#/experiments/{experiment}/runs/{run_id})" in run.data.tags["mlflow.note.content"] for run_id in ids)
    assert len(run.data.metrics) <= 5
    logged = [each.path for each in client.list_artifacts(run.info.run_id)]
    assert logged == ["comparison-cells.csv", "comparison.csv", "comparison.html"]
    assert compared().choice.n == 2
    assert (tmp_path / "ranking.html").read_text().count("data:image/svg+xml") == 2


def test_ledger_that_was_tampered_with_is_told_by_verify_and_refused_by_compare(store):
    client, experiment = store
    fill(client, experiment, 2)
    assert invoke("ledger", "verify").exit_code == 0
    lines = current_ledger().root / "trials.jsonl"
    lines.write_text(lines.read_text().replace("run 1", "run 7", 1))
    done = invoke("ledger", "verify")
    assert (done.exit_code, "line 3 of 'trials.jsonl'" in done.stdout) == (1, True)
    done = invoke("compare")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "line 3 of 'trials.jsonl' was altered" in done.stderr


def test_look_of_a_person_and_an_announcement_are_entered(store, project_root):
    client, experiment = store
    fill(client, experiment, 1)
    done = invoke("ledger", "add", "--note", "chose the window by the plot")
    assert (done.exit_code, "manual-1 counts as a trial" in done.stdout) == (0, True)
    assert compared().choice.n == 2
    done = invoke("ledger", "add", "--note", "as shipped", "--announce", str(project_root / "conf" / "train.yaml"))
    assert (done.exit_code, "announced on" in done.stdout) == (0, True)
    assert len(current_ledger().read().announced) == 1
    assert "are preregistered from then on" in done.stdout
    current_ledger().open("late", "late", "appetite", trial(next(iter(current_ledger().read().announced))))
    assert invoke("ledger", "add", "--note", "again", "--announce", str(project_root / "conf" / "train.yaml")).stdout == done.stdout


def test_announcement_after_a_trial_says_that_it_is_too_late(store, project_root):
    config = project_root / "conf" / "train.yaml"
    current_ledger().open("early", "early", "appetite", trial(hypothesis_of(load_config(config))))
    done = invoke("ledger", "add", "--note", "said after the look", "--announce", str(config))
    assert (done.exit_code, "after a trial of it was opened" in done.stdout) == (0, True)
    assert current_ledger().read().preregistered == frozenset()


def sealed_run(folder: Path, name: str) -> str:
    """Train a run that seals its newest 250 sessions, as a job does."""
    import mlflow

    losses = walk(len(name), gain=0.05, n=900)
    days = sorted(losses["session"].unique())[-250:]
    inside = losses["session"].isin(days)
    path = folder / "lockbox.parquet"
    losses[inside].assign(lockbox=True, outer=False).to_parquet(path)
    with open_run(name, {"job": "backtest"}, trial=trial(name)) as run:
        mlflow.log_artifact(str(path), "evaluation")
        run.trial.keep(losses.assign(outer=~inside), path)
    return run.run_id


def test_lockbox_is_opened_once_a_family_and_on_record_first(store, tmp_path, monkeypatch):
    client, _ = store
    first, second = sealed_run(tmp_path, "one"), sealed_run(tmp_path, "other")
    recorded = []
    judge = "training.ledger.lockbox.judge"
    answer = {"first": "a", "last": "b", "cells": []}
    monkeypatch.setattr(judge, lambda losses: recorded.append(current_ledger().read().unsealed(FAMILY.id)) or answer)
    assert invoke("ledger", "lockbox", first, "--open", "--json").exit_code == 0
    assert [each.run_id for each in recorded] == [first]
    monkeypatch.undo()
    monkeypatch.setattr(judge, lambda losses: pytest.fail("it was read again"))
    again = invoke("ledger", "lockbox", first[:8], "--json")
    assert json.loads(again.stdout)["answer"] == answer
    at = current_ledger().read().unsealed(FAMILY.id).at
    for words in ((second,), (second, "--open")):
        done = invoke("ledger", "lockbox", *words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"it was opened on {at} with run {first}" in done.stderr
    assert client.get_run(first).data.tags["lockbox_opened"] == "true"
    assert client.get_run(second).data.tags["lockbox_opened"] == "false"


def test_lockbox_stays_shut_until_it_is_told_to_open(store, tmp_path, monkeypatch):
    client, _ = store
    run_id = sealed_run(tmp_path, "one")
    monkeypatch.setattr("training.ledger.lockbox.judge", lambda losses: pytest.fail("it was opened"))
    days = sorted(walk(3, n=900)["session"].unique())[-250:]
    first, last = (f"{day:%Y-%m-%d}" for day in (days[0], days[-1]))
    done = invoke("ledger", "lockbox", run_id[:8])
    assert (done.exit_code, done.stderr) == (0, "")
    said = " ".join(done.stdout.split())
    for words in (f"250 sessions, {first} to {last}", "It can be opened once", f"`appetite ledger lockbox {run_id[:8]} --open`", FAMILY.id):
        assert words in said
    assert said.startswith("SIMULATED market")
    assert max(map(len, done.stdout.splitlines())) <= 100
    told = {"run_id": run_id, "family_id": FAMILY.id, "sessions": 250, "first": first, "last": last, "opened": None}
    assert json.loads(invoke("ledger", "lockbox", run_id, "--json").stdout) == told
    assert current_ledger().read().unsealings == ()
    assert client.get_run(run_id).data.tags["lockbox_opened"] == "false"


def test_lockbox_whose_opening_died_is_told_so_and_opens(store, tmp_path):
    run_id = sealed_run(tmp_path, "one")
    at = current_ledger().unseal(current_ledger().read().find(run_id)).at
    said = " ".join(invoke("ledger", "lockbox", run_id).stdout.split())
    assert f"It was opened on {at} with this run, and the process died before it could answer." in said
    assert current_ledger().read().unsealed(FAMILY.id).answer is None
    assert json.loads(invoke("ledger", "lockbox", run_id, "--open", "--json").stdout)["answer"]["cells"]


def test_lockbox_of_a_deleted_run_stays_shut(store, tmp_path):
    client, _ = store
    run_id = sealed_run(tmp_path, "one")
    client.delete_run(run_id)
    for opens in ((), ("--open",)):
        done = invoke("ledger", "lockbox", run_id, *opens)
        assert (done.exit_code, f"deleted in MLflow; restore with `mlflow runs restore --run-id {run_id}`" in done.stderr) == (2, True)
    assert current_ledger().read().unsealings == ()


def test_lockbox_is_judged_by_the_tests_of_every_other_row(store, tmp_path):
    run_id = sealed_run(tmp_path, "one")
    done = invoke("ledger", "lockbox", run_id, "--open", "--json")
    assert done.exit_code == 0, done.stderr
    cells = json.loads(done.stdout)["answer"]["cells"]
    assert [(cell["asset"], cell["horizon"], cell["n"], cell["n_independent"]) for cell in cells] == [
        ("BTC", 5, 250, 50),
        ("ALT", 21, 250, 11),
    ]
    assert cells[0]["crps_skill"] > 0.03
    assert cells[1]["p"] is None  # 11 rows apart
    text = invoke("ledger", "lockbox", run_id).stdout
    assert "too few rows to tell" in text
    assert "null: the served series is no better" in text


def test_lockbox_that_was_altered_or_is_none_stays_shut(store, tmp_path):
    client, experiment = store
    run_id = sealed_run(tmp_path, "one")
    path = next((tmp_path / "artifacts").rglob("lockbox.parquet"))
    path.write_bytes(path.read_bytes() + b" ")
    (other,) = fill(client, experiment, 1)
    for opens in ((), ("--open",)):
        done = invoke("ledger", "lockbox", run_id, *opens)
        assert (done.exit_code, "altered after it was sealed" in done.stderr) == (2, True)
        done = invoke("ledger", "lockbox", other, *opens)
        assert (done.exit_code, "it has none" in done.stderr) == (2, True)
    assert current_ledger().read().unsealings == ()


def test_ledger_of_another_store_is_another_one(store, tmp_path, monkeypatch):
    client, experiment = store
    fill(client, experiment, 1)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    assert current_ledger() == Ledger(tmp_path / "other.ledger")
    assert current_ledger().read().entries == ()


def test_deleted_run_is_marked_on_screen_and_page_with_the_way_back(store, tmp_path):
    client, experiment = store
    kept, gone = fill(client, experiment, 2)
    client.delete_run(gone)
    way_back = f"deleted in MLflow; restore with `mlflow runs restore --run-id {gone}`"
    done = invoke("compare", "--out", "ranking")
    assert done.exit_code == 0, done.stderr
    rows = {line.split()[-1]: line for line in done.stdout.splitlines() if line.endswith((kept[:8], gone[:8]))}
    assert "run 1 (deleted)" in rows[gone[:8]]
    assert "deleted" not in rows[kept[:8]]
    assert f"'run 1' ({gone[:8]}): {way_back}" in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines()[:-5])) <= 100
    page = html.unescape((tmp_path / "ranking.html").read_text())
    assert way_back in page
    assert page.count("run 1 (deleted)") == 1
    assert json.loads(invoke("compare", "--json").stdout)["deleted"] == [gone]


def test_deleted_run_is_marked_in_the_list_of_its_family(store):
    client, experiment = store
    kept, gone = fill(client, experiment, 2)
    client.delete_run(gone)
    text = invoke("ledger", "list", "--family", FAMILY.id).stdout
    rows = {words[1]: line for line in text.splitlines() if len(words := line.split()) > 3}
    assert rows[gone[:8]].endswith(" deleted")
    assert "deleted" not in rows[kept[:8]]
    assert f"restore with `mlflow runs restore --run-id {gone}`" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    (listed,) = json.loads(invoke("ledger", "list", "--family", FAMILY.id, "--json").stdout)
    assert [each["deleted"] for each in listed["trials"]] == [False, True]


def test_deleted_run_is_not_reproduced_and_the_way_back_is_told(store):
    client, experiment = store
    (gone,) = fill(client, experiment, 1)
    client.delete_run(gone)
    for name in ("run 0", gone, gone[:8]):
        done = invoke("reproduce", name)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert f"is deleted in MLflow; restore with `mlflow runs restore --run-id {gone}`" in done.stderr


def test_list_of_a_family_tells_what_people_wrote_in_it(store, project_root):
    client, experiment = store
    ids = fill(client, experiment, 2)
    note = "chose the window by the plot of losses, which shows one episode"
    added = json.loads(invoke("ledger", "add", "--note", note, "--json").stdout)
    assert added == {"run_id": "manual-1", "family_id": FAMILY.id, "note": note}
    config = str(project_root / "conf" / "train.yaml")
    said = json.loads(invoke("ledger", "add", "--note", "as shipped", "--announce", config, "--json").stdout)
    assert (said["hypothesis_id"], said["note"], said["prereg"]) == (hypothesis_of(load_config(config)), "as shipped", True)
    current_ledger().announce("h1", "too late")
    current_ledger().open("elsewhere", "elsewhere", "appetite", trial("other", family=replace(FAMILY, assets=("ETH",))))
    current_ledger().announce("other", "of another family")
    client.delete_run(ids[0])
    purge(client, ids[:1])
    signed = json.loads(invoke("ledger", "ack", ids[0], "--by", "Ada", "--reason", "purged to free space", "--json").stdout)
    told = {"run_id": ids[0], "name": "run 0", "family_id": FAMILY.id, "by": "Ada", "reason": "purged to free space"}
    assert signed == told

    text = invoke("ledger", "list", "--family", FAMILY.id).stdout
    day = said["at"][:10]
    for words in (
        f"manual-1 is a look of {day}: {note}",
        f"{ids[0]} was signed off on {day} by Ada: purged to free space",
        f"hypothesis {said['hypothesis_id']} was announced on {day}, no trial of it yet: as shipped",
        f"hypothesis h1 was announced on {day}, after a trial of it was opened: too late",
    ):
        assert words in " ".join(text.split())
    assert "of another family" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert note not in invoke("ledger", "list").stdout
    (listed,) = json.loads(invoke("ledger", "list", "--family", FAMILY.id, "--json").stdout)
    assert [(each["hypothesis_id"], each["prereg"], each["trials"]) for each in listed["announcements"]] == [
        (said["hypothesis_id"], True, 0),
        ("h1", False, 1),
    ]
    assert [each["note"] for each in listed["trials"]] == ["", "", note]


def test_ledger_that_is_gone_while_mlflow_has_its_runs_is_found_by_verify(store):
    client, experiment = store
    assert invoke("ledger", "verify").exit_code == 0  # nothing on either side
    ids = fill(client, experiment, 7)
    client.set_tag(client.create_run(experiment, tags={"job": "compare"}).info.run_id, "family_id", FAMILY.id)  # no trial
    client.delete_run(ids[0])  # and still one
    assert json.loads(invoke("ledger", "verify", "--json").stdout)["whole"]
    shutil.rmtree(current_ledger().root)
    done = invoke("ledger", "verify")
    assert done.exit_code == 1
    for words in ("it has 0 trials and lacks 7 runs that MLflow has as trials", "'run 6'", "and 2 more", "APPETITE_LEDGER", "ledger ack"):
        assert words in done.stdout
    assert not current_ledger().root.exists()
    current_ledger().open(ids[6], "run 6", "appetite", trial("h6"))  # a new one was begun
    answer = json.loads(invoke("ledger", "verify", "--json").stdout)
    assert (answer["whole"], answer["fault"], answer["trials"]) == (False, None, 1)
    assert {each["run_id"] for each in answer["unknown"]} == set(ids[:6])


@pytest.mark.parametrize("harm", ["line", "head", "numbers"])
def test_altered_ledger_is_trouble_found_by_verify_and_a_refusal_elsewhere(store, harm):
    client, experiment = store
    fill(client, experiment, 1)
    root = current_ledger().root
    file = {"line": root / "trials.jsonl", "head": root / "head.json", "numbers": next((root / "losses").iterdir())}[harm]
    file.write_bytes(b"x" + file.read_bytes()[1:])
    done = invoke("ledger", "verify")
    assert (done.exit_code, "altered" in done.stdout, done.stderr) == (1, True, "")
    done = invoke("ledger", "verify", "--json")
    assert (done.exit_code, "altered" in json.loads(done.stdout)["fault"]) == (1, True)
    others = [("compare",)]
    if harm != "numbers":  # which they do not read
        others += [("ledger", "list"), ("ledger", "add", "--note", "a look"), ("ledger", "lockbox", "abcdefgh")]
        others += [("ledger", "ack", "abcdefgh", "--by", "Ada", "--reason", "gone")]
    for words in others:
        done = invoke(*words)
        assert (done.exit_code, done.stdout, "altered" in done.stderr) == (2, "", True), words


def test_help_says_what_verify_ends_with():
    assert "Ends with 1 where one is not as it was written, or lacking" in " ".join(invoke("ledger", "verify", "--help").stdout.split())
    assert "every other word with 2" in " ".join(invoke("ledger", "--help").stdout.split())
