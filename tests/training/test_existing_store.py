"""Words that only read, where there is nothing to read: they make no database, and say where they looked."""

import json

import pytest
from click.testing import CliRunner

import appetite
from tests.store import working_in
from training.errors import JobError
from training.existing_store import connect_existing, has_store


@pytest.fixture
def nothing(tmp_path):
    """Make an empty folder the current one, and a database in it, which is not there, MLflow's."""
    with working_in(tmp_path, f"sqlite:///{tmp_path / 'mlflow.db'}"):
        yield tmp_path


def invoke(*words: str):
    return CliRunner().invoke(appetite.main, words)


REFUSED = {
    "compare": ("compare",),
    "promote": ("promote", "--dry-run"),
    "rollback": ("promote", "--rollback", "--reason", "wrong", "--dry-run"),
    "reproduce": ("reproduce", "a-run"),
}


@pytest.mark.parametrize("word", REFUSED)
def test_word_that_reads_runs_refuses_where_there_is_no_database_and_makes_none(nothing, word):
    done = invoke(*REFUSED[word])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    for part in (f"no database '{nothing / 'mlflow.db'}'", "`appetite train`", "MLFLOW_TRACKING_URI"):
        assert part in done.stderr
    assert list(nothing.iterdir()) == []


def test_verification_of_nothing_makes_nothing(nothing):
    assert invoke("ledger", "verify").exit_code == 0
    assert list(nothing.iterdir()) == []


LISTS = {"labels": ("labels",), "labels --verify": ("labels", "--verify"), "ledger list": ("ledger", "list")}


@pytest.mark.parametrize("word", LISTS)
def test_empty_list_says_where_it_looked_and_makes_nothing(nothing, word):
    done = invoke(*LISTS[word])
    assert done.exit_code == 0, done.stderr
    for part in (f"Looked in '{nothing}/{'labels' if 'labels' in word else 'mlflow.ledger'}'", "MLFLOW_TRACKING_URI", "APPETITE_L"):
        assert part in done.stdout
    assert json.loads(invoke(*LISTS[word], "--json").stdout) == []
    assert list(nothing.iterdir()) == []


def test_family_of_an_empty_ledger_is_refused_with_the_place(nothing):
    done = invoke("ledger", "list", "--family", "abc")
    assert (done.exit_code, f"Looked in '{nothing}/mlflow.ledger'" in done.stderr) == (2, True)
    assert list(nothing.iterdir()) == []


def test_store_that_is_a_server_is_taken_to_be_there(nothing, monkeypatch):
    assert not has_store()
    with pytest.raises(JobError, match="what only reads makes none"):
        connect_existing()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert has_store()
