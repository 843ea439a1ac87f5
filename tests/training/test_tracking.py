import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store import store_in
from tests.training.ledger.trials import FAMILY, trial, walk
from training.dead_runs import mark_dead_runs
from training.errors import JobError, LedgerError
from training.ledger.register import FAILED, FINISHED, KILLED, OPEN
from training.tracking import (
    ERROR_TAG,
    PROCESS_TAG,
    Interrupted,
    close_taken_run,
    connect,
    current_ledger,
    flat_params,
    git_commit,
    hold_stops,
    log_steps,
    open_run,
    stop_signals,
    tracking_uri,
)

ROOT = Path(__file__).resolve().parents[2]

OPENS = """
import sys, time
from training.tracking import connect, open_run
connect()
with open_run("killed", {"job": "train"}):
    print("open", flush=True)
    time.sleep(60)
"""

TRIAL = """
import sys
from tests.training.ledger.trials import trial
from training.tracking import connect, open_run
connect()
with open_run(sys.argv[1], {"job": "train"}, trial=trial()):
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def client(tmp_path):
    """Make an empty store MLflow's own for one test; gives its client."""
    with store_in(tmp_path) as uri:
        from mlflow import MlflowClient

        yield MlflowClient(uri, uri)


def only_run(client):
    (run,) = client.search_runs([each.experiment_id for each in client.search_experiments()])
    return run


def test_finished_run_has_its_tags_and_names_its_process(client):
    with open_run("first", {"job": "train"}) as handle:
        assert client.get_run(handle.run_id).info.status == "RUNNING"
    run = only_run(client)
    assert (run.info.run_id, run.info.run_name, run.info.status) == (handle.run_id, "first", "FINISHED")
    assert run.data.tags["job"] == "train"
    assert run.data.tags[PROCESS_TAG].split()[1] == str(os.getpid())
    assert handle.experiment == "appetite"


def test_failed_run_carries_the_error(client):
    with pytest.raises(JobError), open_run(None, {}):
        raise JobError("column 'x' is missing")
    run = only_run(client)
    assert (run.info.status, run.data.tags[ERROR_TAG]) == ("FAILED", "column 'x' is missing")


def test_error_longer_than_a_tag_is_cut(client):
    with pytest.raises(ValueError, match="x"), open_run(None, {}):
        raise ValueError("x" * 9000)
    assert only_run(client).info.status == "FAILED"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_is_killed_and_handlers_are_put_back(client, number):
    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match=number.name), open_run(None, {}):
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before
    run = only_run(client)
    assert (run.info.status, run.data.tags[ERROR_TAG]) == ("KILLED", f"stopped by {number.name}")


def test_second_stop_while_closing_leaves_no_open_run(client, monkeypatch):
    import mlflow

    close = mlflow.end_run

    def stopped_again(status):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        close(status)

    monkeypatch.setattr(mlflow, "end_run", stopped_again)
    with pytest.raises(Interrupted), open_run(None, {}):
        os.kill(os.getpid(), signal.SIGINT)
    assert only_run(client).info.status == "KILLED"


def test_stop_is_held_once_the_registry_changes(client):
    with open_run(None, {}):
        hold_stops()
        os.kill(os.getpid(), signal.SIGTERM)
    assert only_run(client).info.status == "FINISHED"


def test_stop_signals_nest():
    with stop_signals():
        outer = signal.getsignal(signal.SIGINT)
        with pytest.raises(Interrupted, match="SIGINT"), stop_signals():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is outer
        with pytest.raises(Interrupted, match="SIGTERM"):
            os.kill(os.getpid(), signal.SIGTERM)


def test_run_that_was_opened_for_us_is_taken_over(client, monkeypatch):
    experiment = client.create_experiment("chosen")
    run_id = client.create_run(experiment, tags={"mlflow.source.name": "project"}).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    with open_run(None, {"job": "train"}) as handle:
        assert (handle.run_id, handle.experiment) == (run_id, "chosen")
    run = only_run(client)
    assert (run.info.status, run.data.tags["job"], run.data.tags["mlflow.source.name"]) == ("FINISHED", "train", "project")


def test_trial_is_on_record_while_it_is_open_and_ends_with_its_numbers(client):
    current_ledger().announce("h", "what will be tried")
    with open_run("first", {"job": "backtest"}, trial=trial("h")) as handle:
        (entry,) = current_ledger().read().entries
        assert (entry.run_id, entry.name, entry.experiment, entry.state) == (handle.run_id, "first", "appetite", OPEN)
        handle.trial.keep(walk(n=100))
    (entry,) = current_ledger().read().entries
    assert (entry.state, len(current_ledger().mirror.read(entry.losses))) == (FINISHED, 200)
    tags = only_run(client).data.tags
    wanted = {"family_id": FAMILY.id, "hypothesis_id": "h", "prereg": "true", "parent": "", "lockbox_opened": "false"}
    assert wanted | {"oos_start": FAMILY.oos_start, "oos_end": FAMILY.oos_end} == {
        name: tags[name] for name in (*wanted, "oos_start", "oos_end")
    }


@pytest.mark.parametrize(("error", "state"), [(JobError("no"), FAILED), (Interrupted("SIGINT"), KILLED), (KeyboardInterrupt(), FAILED)])
def test_trial_that_failed_is_on_record(client, error, state):
    with pytest.raises(type(error)), open_run(None, {}, trial=trial()):
        raise error
    assert [each.state for each in current_ledger().read().entries] == [state]


def test_trial_of_a_run_that_mlflow_opened_is_on_record(client, monkeypatch):
    run_id = client.create_run(client.create_experiment("chosen")).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    with open_run(None, {}, trial=trial()):
        pass
    (entry,) = current_ledger().read().entries
    assert (entry.run_id, entry.experiment, entry.state) == (run_id, "chosen", FINISHED)


@pytest.mark.parametrize(("given", "shown"), [(None, "sample hmm 2 seed 0"), ("of the desk", "of the desk")])
def test_run_taken_over_keeps_the_name_of_its_user_alone(client, monkeypatch, given, shown):
    run = client.create_run(client.create_experiment("chosen"), run_name=given)
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    with open_run(None, {}, "sample hmm 2 seed 0", trial=trial()):
        pass
    assert client.get_run(run.info.run_id).info.run_name == shown
    assert current_ledger().read().entries[0].name == shown


def test_no_trial_begins_where_the_ledger_is_broken(client):
    with open_run("first", {}, trial=trial()):
        pass
    lines = current_ledger().root / "trials.jsonl"
    lines.write_text(lines.read_text().replace("first", "other"))
    with pytest.raises(LedgerError, match="line 1 of"), open_run("second", {}, trial=trial()):
        pytest.fail("it began")
    assert only_run(client).info.run_name == "first"


def test_trial_with_another_share_of_the_lockbox_opens_no_run(client):
    with open_run("first", {}, trial=trial()):
        pass
    with pytest.raises(JobError, match=r"walk\.lockbox 0: .*Set walk\.lockbox to 0\.2"), open_run("greedy", {}, trial=trial(locked=0.0)):
        pytest.fail("it began")
    assert only_run(client).info.run_name == "first"


def test_run_of_a_configuration_that_a_search_had_says_so(client):
    with open_run("search", {}, trial=trial("the search")) as search:
        for number in range(3):
            current_ledger().open(f"child-{number}", "candidate", "appetite", trial(f"h{number}", parent=search.run_id))
    with open_run("later", {}, trial=trial("h1")) as later:
        pass
    assert client.get_run(later.run_id).data.tags["chosen_by_search"] == f"{search.run_id}, 3 candidates"
    assert "chosen_by_search" not in client.get_run(search.run_id).data.tags


def test_run_that_is_no_trial_leaves_no_line(client):
    with open_run(None, {"job": "compare"}):
        pass
    assert not current_ledger().root.exists()


def test_two_trainings_at_once_are_both_on_record(client, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": tracking_uri()}
    command = [sys.executable, "-W", "ignore", "-c", TRIAL]
    both = [
        subprocess.Popen([*command, name], env=environment, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("one", "other")
    ]
    for process in both:
        assert process.stdout.readline() == "open\n"  # both are open before either ends
    assert sorted((each.name, each.state) for each in current_ledger().read().entries) == [("one", OPEN), ("other", OPEN)]
    both[0].communicate("end\n", timeout=60)
    both[1].kill()
    both[1].communicate()
    assert mark_dead_runs() != []
    assert sorted((each.name, each.state) for each in current_ledger().read().entries) == [("one", FINISHED), ("other", KILLED)]
    assert current_ledger().verify() is None


@pytest.mark.parametrize(
    ("error", "status", "words"), [(JobError("no market"), "FAILED", "no market"), (Interrupted("SIGINT"), "KILLED", "stopped by SIGINT")]
)
def test_run_that_was_opened_for_us_is_closed_where_work_never_began(client, monkeypatch, error, status, words):
    run_id = client.create_run("0").info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    close_taken_run(error)
    run = client.get_run(run_id)
    assert (run.info.status, run.data.tags[ERROR_TAG]) == (status, words)
    close_taken_run(JobError("a later error"))
    assert client.get_run(run_id).data.tags[ERROR_TAG] == words


def test_stopped_run_that_mlflow_calls_failed_is_called_killed_again(client):
    with pytest.raises(Interrupted), open_run(None, {}):
        os.kill(os.getpid(), signal.SIGINT)
    stopped = only_run(client)
    failed = client.create_run("0", tags={ERROR_TAG: "no market"})
    for run in (stopped, failed):
        client.set_terminated(run.info.run_id, "FAILED", end_time=stopped.info.start_time + 5)
    assert mark_dead_runs() == []
    assert client.get_run(stopped.info.run_id).info.status == "KILLED"
    assert client.get_run(stopped.info.run_id).info.end_time == stopped.info.start_time + 5
    assert client.get_run(failed.info.run_id).info.status == "FAILED"


def test_run_of_a_process_that_was_killed_outright_is_marked_and_living_ones_are_not(client, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": tracking_uri()}
    dead = subprocess.Popen([sys.executable, "-W", "ignore", "-c", OPENS], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert dead.stdout.readline() == "open\n"
        assert mark_dead_runs() == []
        dead_run = only_run(client).info.run_id
    finally:
        dead.kill()
        dead.communicate()
    with open_run("living", {}) as living:
        assert mark_dead_runs() == [dead_run]
        assert client.get_run(living.run_id).info.status == "RUNNING"
    run = client.get_run(dead_run)
    assert run.info.status == "KILLED"
    assert "without a word" in run.data.tags[ERROR_TAG]
    assert mark_dead_runs() == []


def test_runs_of_other_machines_and_strangers_are_left_alone(client):
    elsewhere = client.create_run("0", tags={PROCESS_TAG: "another-machine 1 1"})
    stranger = client.create_run("0")
    assert mark_dead_runs() == []
    for run in (elsewhere, stranger):
        assert client.get_run(run.info.run_id).info.status == "RUNNING"


def test_process_number_that_was_given_out_again_counts_as_gone(client):
    import socket

    run = client.create_run("0", tags={PROCESS_TAG: f"{socket.gethostname()} {os.getpid()} 1"})
    assert mark_dead_runs() == [run.info.run_id]


def test_steps_are_logged_in_batches_without_what_is_not_finite(client):
    values = [float(i) for i in range(1500)]
    values[7] = float("nan")
    with open_run(None, {}) as handle:
        log_steps({"p": values, "q": [1.0, float("inf"), 3.0]})
    history = client.get_metric_history(handle.run_id, "p")
    assert {each.step: each.value for each in history} == {i: v for i, v in enumerate(values) if i != 7}
    assert [each.step for each in client.get_metric_history(handle.run_id, "q")] == [0, 2]


def test_steps_without_a_run_are_refused(client):
    with pytest.raises(RuntimeError, match="no run is open"):
        log_steps({"p": [1.0]})


def test_store_is_where_the_environment_says_and_else_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////elsewhere.db")
    assert tracking_uri() == "sqlite:////elsewhere.db"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert tracking_uri() == f"sqlite:///{tmp_path}/mlflow.db"


def test_store_in_a_folder_that_is_not_there_is_refused_and_nothing_is_made(client, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/nowhere/mlflow.db")
    with pytest.raises(JobError, match="nowhere"):
        connect()
    assert not (tmp_path / "nowhere").exists()


def test_commit_says_whether_the_tree_differs(tmp_path):
    def git(*words):
        identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(tmp_path), *identity, *words], check=True, capture_output=True)

    assert git_commit(tmp_path) == "unknown"
    git("init")
    (tmp_path / "file").write_text("one")
    git("add", ".")
    git("commit", "-m", "one")
    clean = git_commit(tmp_path)
    assert len(clean) == 40
    (tmp_path / "file").write_text("two")
    assert git_commit(tmp_path) == clean + "+"


def test_parameters_have_a_prefix_of_their_own():
    assert flat_params({"seed": 0, "regime.columns": ["a", "b"]}, "config.") == {"config.seed": "0", "config.regime.columns": "['a', 'b']"}


@pytest.mark.slow
def test_two_processes_may_make_the_same_store_at_once(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    command = [sys.executable, "-W", "ignore", "-c", "from training.tracking import connect; connect()"]
    both = [subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(process.communicate(timeout=300)[1], process.returncode) for process in both] == [("", 0), ("", 0)]
