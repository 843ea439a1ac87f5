import pytest
from click.testing import CliRunner

import appetite
from tests.store import store_in
from training.comparison.record import JOB
from training.reproduction.other_jobs import COMPARE

FAMILY = "0123456789ab"
PARENT = "f" * 32


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Make a store with finished runs of every job, named after it."""
    folder = tmp_path_factory.mktemp("jobs")
    with store_in(folder) as uri:
        from mlflow import MlflowClient

        client = MlflowClient(uri, uri)
        experiment = client.create_experiment("appetite", artifact_location=(folder / "artifacts").as_uri())
        jobs = {"search": {"parent": ""}, "candidate": {"job": "search", "parent": PARENT}, "compare": {}, "train": {}, "other": {}}
        for name, tags in jobs.items():
            run = client.create_run(experiment, run_name=name, tags={"job": name, "family_id": FAMILY} | tags)
            client.set_terminated(run.info.run_id)
        yield client


def refusal(name: str) -> str:
    done = CliRunner().invoke(appetite.main, ["reproduce", name])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    return done.stderr


def test_search_is_told_apart_and_its_configuration_is_the_way_out(client):
    (run,) = client.search_runs(["1"], "attributes.run_name = 'search'")
    said = refusal("search")
    assert "run 'search' is a search, which tries configurations; rule: a run of train or backtest is made again" in said
    assert f"`mlflow artifacts download --run-id {run.info.run_id} --artifact-path evaluation/best.yaml --dst-path .`" in said
    assert "`appetite train --config best.yaml`" in said


def test_candidate_is_told_apart_and_names_its_search(client):
    said = refusal("candidate")
    assert f"is a candidate of search {PARENT[:8]}" in said
    assert f"--run-id {PARENT} " in said


def test_comparison_is_told_apart_and_is_made_again_by_its_own_word(client):
    said = refusal("compare")
    assert "is a comparison; rule: a run of train or backtest is made again. Instead, compare the family as it stands now with " in said
    assert f"`appetite compare --experiment appetite --family {FAMILY}`" in said
    assert COMPARE == JOB


def test_run_of_an_unknown_job_is_refused_and_one_of_train_is_read(client):
    assert "is a run of 'other'" in refusal("other")
    assert "cannot be read back" in refusal("train")  # it has no files


def test_help_says_what_inputs_only_does():
    words = " ".join(CliRunner().invoke(appetite.main, ["reproduce", "--help"]).stdout.split())
    assert "Compare data, code, versions and machine with the run's; make no number, write nothing." in words
    assert "with --inputs-only, where what went in is" in words
