"""What takes longer: the project under MLflow, the other kind of label, two trainings at once, a process that is shot."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from tests.e2e.command import ROOT, RULES, Desk, make_desk
from tests.store import put_store

pytestmark = pytest.mark.slow
CODE = ("features", "models", "serving", "sources", "training", "conf")
FILES = ("appetite.py", "MLproject", "python_env.yaml")


@pytest.fixture
def desk(tmp_path) -> Desk:
    put_store(tmp_path)
    return make_desk(tmp_path)


@pytest.fixture
def project(desk):
    """Copy the project: `mlflow run` works in the folder of the project, and ours must stay as it is."""
    folder = desk.folder / "project"
    for name in CODE:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    return folder


def mlflow_run(desk: Desk, project, *parameters: str, entry: str = "main", **options) -> subprocess.Popen:
    given = [word for parameter in parameters for word in ("-P", parameter)]
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mlflow",
        "run",
        str(project),
        "-e",
        entry,
        "--env-manager",
        "local",
        "--experiment-name",
        "mine",
        *given,
    ]
    return subprocess.Popen(
        command, cwd=desk.folder, env=desk.environment(code=False), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_project_runs_under_mlflow_in_one_run_from_end_to_end(desk, project):
    process = mlflow_run(desk, project, f"market={desk.market}", f"config={desk.config}", "seed=3")
    out, err = process.communicate(timeout=580)
    assert process.returncode == 0, err
    assert "FORECAST" in out
    (run,) = desk.runs()
    client = desk.client()
    assert run.info.status == "FINISHED"
    assert client.get_experiment(run.info.experiment_id).name == "mine"
    assert (run.data.params["seed"], run.data.params["config.seed"], run.data.params["n_components"]) == ("3", "3", "config")
    assert run.data.params["config.regime.n_components"] == "2"
    assert client.get_model_version_by_alias("appetite", "champion").run_id == run.info.run_id
    assert list((project / "reports").glob("report-*.html"))

    process = mlflow_run(desk, project, f"market={desk.market}", f"out={desk.folder / 'scores.parquet'}", entry="score")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert len(pd.read_parquet(desk.folder / "scores.parquet")) == 2012
    process = mlflow_run(desk, project, f"market={desk.market}", f"config={desk.config}", entry="backtest")
    out, err = process.communicate(timeout=580)
    assert process.returncode == 0, err
    assert "FORECAST" in out
    backtest = next(run for run in desk.runs() if run.data.tags.get("job") == "backtest")
    assert backtest.info.status == "FINISHED"
    assert [each.version for each in client.search_model_versions("name='appetite'")] == [1]
    process = mlflow_run(desk, project, "version=1", entry="promote")
    out, err = process.communicate(timeout=300)
    assert (process.returncode, "is the champion already" in out) == (0, True), err
    process = mlflow_run(desk, project, f"market={desk.market}", f"out={desk.folder / 'breakouts'}", entry="events")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert (desk.folder / "breakouts.csv").is_file()
    process = mlflow_run(desk, project, "experiment=mine", f"out={desk.folder / 'ranking'}", entry="compare")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert (desk.folder / "ranking.html").is_file()


@pytest.mark.parametrize(
    ("parameter", "message"), [("market=nowhere.yaml", "'nowhere.yaml' does not exist"), ("seed=x", "'x' is no whole number")]
)
def test_bad_input_under_mlflow_fails_the_run_with_the_error_and_no_model(desk, project, parameter, message):
    process = mlflow_run(desk, project, parameter)
    _, err = process.communicate(timeout=300)
    assert process.returncode != 0
    (run,) = desk.runs()
    assert run.info.status == "FAILED"
    assert message in run.data.tags["appetite.error"]
    assert message in err
    assert desk.client().search_registered_models() == []


def test_ctrl_c_under_mlflow_leaves_a_killed_run(desk, project):
    process = mlflow_run(desk, project, f"market={desk.market}", f"config={desk.config}", start_new_session=True)
    try:
        for line in process.stderr:
            if line.startswith("regimes: walk-forward"):
                break
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
        process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode != 0
    assert desk.client().search_registered_models() == []
    desk.invoke("promote", "--rules", RULES)  # `mlflow run`, stopped too, writes FAILED over it: the next command puts it right
    (run,) = desk.runs()
    assert (run.info.status, run.data.tags["appetite.error"]) == ("KILLED", "stopped by SIGINT")


def test_run_of_a_process_that_was_shot_is_marked_by_the_next_command(desk):
    process = desk.start("train", *desk.study(), "--rules", RULES)
    try:
        for line in process.stderr:
            if line.startswith("regimes: walk-forward"):
                break
    finally:
        process.kill()
        process.communicate()
    (run,) = desk.runs()
    assert run.info.status == "RUNNING"
    done = desk.invoke("promote", "--rules", RULES)
    assert done.exit_code == 2  # nothing was registered
    (run,) = desk.runs()
    assert run.info.status == "KILLED"
    assert "without a word" in run.data.tags["appetite.error"]


def test_two_trainings_at_once_on_a_fresh_store_both_finish(tmp_path):
    desk = make_desk(tmp_path)
    words = ("train", *desk.study(), "--rules", RULES, "--json")
    both = [desk.start(*words, "--seed", seed) for seed in (1, 2)]
    ends = [(process.communicate(timeout=580), process.returncode) for process in both]
    assert [code for _, code in ends] == [0, 0], ends
    assert [run.info.status for run in desk.runs()] == ["FINISHED", "FINISHED"]
    client = desk.client()
    versions = client.search_model_versions("name='appetite'")
    assert len({each.run_id for each in versions}) == 2
    assert client.get_model_version_by_alias("appetite", "champion").version in {each.version for each in versions}


def test_classifier_trains_loads_without_pickle_and_scores(desk):
    done = desk.run("train", *desk.study(), "--rules", RULES, "--kind", "classifier")
    assert done.returncode == 0, done.stderr
    assert "label of a classifier" in " ".join(done.stdout.split())
    (run,) = desk.runs()
    assert run.data.tags["regime.kind"] == "classifier"
    assert run.data.params["config.regime.kind"] == "classifier"
    (folder,) = desk.folder.glob("mlruns/*/models/*/artifacts")
    assert list(folder.rglob("*.skops"))
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]
    (published,) = desk.folder.glob("mlruns/*/*/artifacts/evaluation/published.parquet")
    done = desk.run(
        "score", "--market", desk.market, "--model", "models:/appetite/1", "--out", "s.parquet", MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false"
    )
    assert done.returncode == 0, done.stderr
    scores = pd.read_parquet(desk.folder / "s.parquet")
    pd.testing.assert_frame_equal(scores, pd.read_parquet(published), check_exact=False, rtol=1e-12, atol=0)
    assert scores["p_risk_on"].iloc[-1] > 0


def test_walk_without_a_judged_row_ends_well_and_is_no_champion(desk):
    text = desk.config.read_text().replace("min_history: 504", "min_history: 1990")
    desk.config.write_text(text)
    done = desk.run("train", *desk.study(), "--rules", RULES, "--json")
    assert done.returncode == 0, done.stderr
    assert '"promoted": false' in done.stdout
    assert "no out-of-sample rows" in done.stdout
    (run,) = desk.runs()
    assert (run.info.status, run.data.tags["oos.rows"]) == ("FINISHED", "0")


def test_second_ctrl_c_does_not_leave_the_run_open(desk):
    process = desk.start("train", *desk.study(), "--rules", RULES)
    try:
        for line in process.stderr:
            if line.startswith("forecasts"):
                break
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        process.communicate(timeout=60)
    finally:
        process.kill()
    (run,) = desk.runs()
    assert run.info.status == "KILLED"
