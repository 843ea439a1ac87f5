"""One small training through the command line, and everything that a user does with what it leaves."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from models.forecast import BASELINES
from serving.sentences import card_terms
from serving.words import percent, prob
from tests.e2e.command import ROOT, RULES, Desk, make_desk
from training.book import OUTCOMES

MODEL = "models:/appetite@champion"
PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
EXACT = {"check_exact": False, "rtol": 1e-12, "atol": 0, "check_dtype": False}

ASK = """
import json, sys
import mlflow.pyfunc, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
rows = pd.read_parquet(sys.argv[2])
model.predict(rows).to_parquet(sys.argv[3])
import features, models
ours = [name for name in sys.modules if name.split(".")[0] in ("serving", "training", "sources")]
print(json.dumps({"code": [models.__file__, features.__file__], "ours": ours}))
"""


def strict_json(text: str):
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@dataclass(frozen=True)
class Trained:
    """A desk after `appetite train --json`."""

    desk: Desk
    said: dict
    stderr: str

    @property
    def run(self):
        return self.desk.client().get_run(self.said["run_id"])

    @property
    def artifacts(self) -> Path:
        return Path(self.run.info.artifact_uri.removeprefix("file://"))

    @property
    def published(self) -> pd.DataFrame:
        return pd.read_parquet(self.artifacts / "evaluation" / "published.parquet")

    @property
    def model(self) -> Path:
        """Folder of the logged model."""
        (folder,) = self.desk.folder.glob("mlruns/*/models/*/artifacts")
        return folder

    @property
    def rows(self) -> pd.DataFrame:
        """The rows that were logged as the model's example: the last ones of training."""
        from features import feature_matrix
        from sources import load_market

        made = feature_matrix(load_market(self.desk.market)).rename_axis("session").reset_index()
        schema = yaml.safe_load((self.model / "MLmodel").read_text())["signature"]["inputs"]
        return made[[column["name"] for column in json.loads(schema)]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    desk = make_desk(tmp_path_factory.mktemp("trained"))
    before = set(ROOT.iterdir())
    done = desk.run("train", *desk.study(), "--rules", RULES, "--name", "first", "--json")
    assert done.returncode == 0, done.stderr
    assert set(ROOT.iterdir()) == before, "a training left something in the project"
    return Trained(desk, strict_json(done.stdout), done.stderr)


@pytest.fixture(scope="module")
def rows(trained) -> pd.DataFrame:
    return trained.rows


def test_training_leaves_a_finished_run_with_config_and_tags(trained):
    run = trained.run
    assert (run.info.status, run.info.run_name) == ("FINISHED", "first")
    params = run.data.params
    assert (params["config.seed"], params["config.walk.min_history"], params["config.assets"]) == ("0", "504", "['BTC', 'ALT']")
    assert all(name.startswith("config.") for name in params)
    tags = run.data.tags
    assert (tags["market"], tags["simulated"], tags["regime.kind"], tags["job"]) == ("sample", "true", "hmm", "train")
    assert "planted effect" in tags["market.note"]
    assert len(tags["data.fingerprint"]) == 64
    assert tags["data.last_session"] == "2024-12-31"
    locked = pd.read_parquet(trained.artifacts / "evaluation" / "lockbox.parquet")
    assert tags["oos.end"] < f"{locked['session'].min():%Y-%m-%d}"
    assert tags["code.commit"]
    assert "appetite.error" not in tags


def test_training_logs_metrics_as_steps(trained):
    client, run = trained.desk.client(), trained.run
    refits = int(run.data.metrics["refits"])
    assert refits == 12
    shares = client.get_metric_history(run.info.run_id, "refit_share_risk_on")
    assert [each.step for each in sorted(shares, key=lambda each: each.step)] == list(range(refits))
    assert len(client.get_metric_history(run.info.run_id, "p_risk_on")) >= 300
    assert {"crps_skill_BTC_5", "r2_oos_ALT_21", "coverage_80_mean", "cells_beating_baseline"} <= set(run.data.metrics)


def test_metrics_say_how_settled_the_regime_is(trained):
    metrics, published = trained.run.data.metrics, pd.read_parquet(trained.artifacts / "evaluation" / "published.parquet")
    said = published[published["p_risk_on"].notna()]
    last = len(said) - 1  # it is answered with evidence that the walk did not have: its name may be another
    assert metrics["named_share"] == pytest.approx((said["regime"] != "unidentified").mean(), abs=1.5 / last)
    assert metrics["ambiguous_share"] == pytest.approx(said["ambiguous"].astype(float).mean())
    assert 0.0 <= metrics["churn_median"] <= 1.0
    steps = {
        name: [each.value for each in trained.desk.client().get_metric_history(trained.run.info.run_id, f"refit_{name}")]
        for name in ("churn", "revision", "renamed", "order_prob", "gain_z", "sd_ratio")
    }
    assert (len(steps["churn"]), len(steps["revision"]), len(steps["sd_ratio"])) == (11, 11, 12)
    assert metrics["revision_median"] == pytest.approx(np.median(steps["revision"]))


def test_json_says_what_became_of_the_labels(trained):
    assert " sessions published (" in trained.said["labels"]


def test_training_leaves_its_files(trained):
    found = {str(path.relative_to(trained.artifacts)) for path in trained.artifacts.rglob("*") if path.is_file()}
    tables = {
        f"evaluation/{name}"
        for name in (
            "oos_losses.parquet",
            "lockbox.parquet",
            "strategy.parquet",
            "skill.csv",
            "published.parquet",
            "events.csv",
            "config.json",
            "card.json",
        )
    }
    assert tables | {"report.html"} <= found
    assert any(name.startswith("plots/") and name.endswith(".svg") for name in found)
    report = trained.desk.folder / trained.said["report"]
    assert report.read_bytes() == (trained.artifacts / "report.html").read_bytes()
    page = report.read_text(encoding="utf-8").lower()
    assert "simulated" in page
    assert trained.said["run_id"] in page


def test_losses_are_out_of_sample_by_date_and_rung(trained):
    losses = pd.read_parquet(trained.artifacts / "evaluation" / "oos_losses.parquet")
    assert not losses.duplicated(["asset", "horizon", "rung", "session"]).any()
    assert {"B0", "M0", "served"} <= set(losses["rung"])
    assert trained.run.data.tags["oos.rows"] == str(losses.loc[losses["outer"], "session"].nunique())


def test_lockbox_is_a_file_of_its_own_and_its_outcomes_stand_nowhere_else(trained):
    losses, locked = (pd.read_parquet(trained.artifacts / "evaluation" / f"{name}.parquet") for name in ("oos_losses", "lockbox"))
    inside = losses["lockbox"]
    assert 0.1 < inside.mean() < 0.4
    assert not (inside & losses["outer"]).any()
    assert losses.loc[inside, list(OUTCOMES)].isna().all(axis=None)
    key = ["asset", "horizon", "rung", "session"]
    pd.testing.assert_frame_equal(locked[[*key, "mean", "sd"]], losses.loc[inside, [*key, "mean", "sd"]].reset_index(drop=True))
    assert locked["crps"].notna().mean() > 0.5
    assert locked["session"].min() > losses.loc[losses["outer"], "session"].max()


def test_calibrated_intervals_are_answered_and_published(trained):
    published = trained.published
    for asset, horizon in (("BTC", 5), ("ALT", 21)):
        low, high = (published[f"{asset}_{horizon}_{end}90_conformal"] for end in ("lo", "hi"))
        assert low.notna().sum() > 300
        assert not np.isinf(low.to_numpy()).any()
        assert (low < published[f"{asset}_{horizon}_median"])[low.notna()].all()
        assert (high.notna() == low.notna()).all()


def test_first_sound_model_is_champion_and_the_reason_is_said(trained):
    assert (trained.said["version"], trained.said["promoted"], trained.said["reason"]) == ("1", True, "the first sound model")
    version = trained.desk.client().get_model_version_by_alias("appetite", "champion")
    assert (str(version.version), version.run_id, version.tags["promotion"]) == ("1", trained.said["run_id"], "the first sound model")


def test_progress_is_on_standard_error_alone(trained):
    assert "Traceback" not in trained.stderr
    assert "walk-forward" not in trained.stderr  # --json is quiet


def test_artefact_holds_no_pickle(trained):
    for path in trained.model.rglob("*"):
        if not path.is_file() or path.suffix in (".py", ".yaml", ".txt", ".typed"):
            continue
        assert path.suffix in (".json", ".npz", ".parquet") or path.name in ("MLmodel", "registered_model_meta"), path
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as stored:
                assert all(stored[name].dtype != object for name in stored.files)
        assert not path.read_bytes().startswith(PICKLES), path
    flavor = yaml.safe_load((trained.model / "MLmodel").read_text())["flavors"]["python_function"]
    assert Path(flavor["model_code_path"]).name == "pyfunc_model.py"
    assert "python_model" not in flavor


def test_scores_of_a_file_equal_what_was_published(trained):
    desk, published = trained.desk, trained.published
    done = desk.run("score", "--market", desk.market, "--out", "scores.parquet", "--json")
    assert done.returncode == 0, done.stderr
    answer = strict_json(done.stdout)
    scores = pd.read_parquet(desk.folder / "scores.parquet")
    pd.testing.assert_frame_equal(scores, published, **EXACT)
    assert answer["rows"] == len(published)
    last = published.iloc[-1]
    for name, value in answer["last"].items():
        expected = f"{last[name]:%Y-%m-%d}" if name == "session" else last[name]
        assert value == (
            None if pd.isna(expected) else pytest.approx(expected, rel=1e-12, abs=0) if isinstance(expected, float) else expected
        ), name
    assert answer["card"]["regime"] == trained.said["card"]["regime"]
    assert answer["card"]["forecast"] == trained.said["card"]["forecast"]


def test_now_shows_the_same_numbers_on_the_screen_as_json_and_in_the_report(trained):
    desk = trained.desk
    done = desk.run("now", "--market", desk.market, "--json")
    assert done.returncode == 0, done.stderr
    card = strict_json(done.stdout)
    of_training = trained.said["card"]
    assert set(of_training) < set(card)
    for name in ("regime", "forecast", "history", "claims", "lag", "skill", "lockbox", "breakout", "against", "ages"):
        assert card[name] == of_training[name], name
    assert (card["clock"]["behind"] > 0, card["trials"]["family"], card["trials"]["rungs"]) == (True, 1, 28)
    shown = desk.invoke("now", "--market", desk.market, PYTHONPATH=str(ROOT))
    assert shown.exit_code == 0, shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 100
    assert "\x1b" not in shown.stdout
    text, page = " ".join(shown.stdout.split()), " ".join(unescape((trained.artifacts / "report.html").read_text(encoding="utf-8")).split())
    assert "the market is simulated: it has an end, and no today" in text
    for each in card["forecast"]:
        interval = f"{'' if each['interval'] == 'calibrated' else '~'}[{percent(each['log_lo'])}, {percent(each['log_hi'])}]"
        assert f"{percent(each['log_median'])} {interval} {prob(each['p_up'])} {prob(each['base_up'])}" in text
        assert all(f">{cell}<" in page for cell in (percent(each["log_median"]), interval, prob(each["p_up"]), prob(each["base_up"])))
    for term in ("Lag", "History"):
        for sentence in card_terms(card)[term]:
            assert sentence in text
            assert sentence in page
    assert any(each["interval"] == "calibrated" for each in card["forecast"])


def test_strategy_is_recorded_on_judged_sessions_alone(trained):
    evaluation = trained.artifacts / "evaluation"
    returns, losses = (pd.read_parquet(evaluation / f"{name}.parquet") for name in ("strategy", "oos_losses"))
    assert list(returns) == ["session", "asset", "horizon", "series", "delay", "cost_bp", "weight", "ret"]
    assert returns["session"].max() < losses.loc[losses["lockbox"], "session"].min()
    assert not returns.duplicated(["session", "asset", "horizon", "series", "delay", "cost_bp"]).any()
    assert (set(returns["delay"]), set(returns["cost_bp"]), set(returns["horizon"])) == ({0, 1}, {10.0, 25.0}, {5, 21})
    assert returns["ret"].notna().all()


def test_another_draw_of_the_simulated_market_is_refused(trained):
    desk = trained.desk
    (desk.folder / "shorter.yaml").write_text(desk.market.read_text().replace("years: 8", "years: 7"))
    done = desk.invoke("score", "--market", "shorter.yaml", PYTHONPATH=str(ROOT))
    assert done.exit_code == 2
    assert "another draw of the simulated market" in done.stderr
    assert "it ended 2024-12-31" in done.stderr


def test_scores_as_text_equal_what_was_published(trained):
    desk = trained.desk
    done = desk.invoke("score", "--market", desk.market, "--out", "scores.csv", PYTHONPATH=str(ROOT))
    assert done.exit_code == 0, done.stderr
    scores = pd.read_csv(desk.folder / "scores.csv", parse_dates=["session"])
    pd.testing.assert_frame_equal(scores, trained.published, **EXACT)
    for word in (
        "SIMULATED",
        "REGIME",
        "FORECAST",
        "AGAINST",
        "SKILL",
        f"model {MODEL}, trained to 2024-12-31",
        "2012 rows written to scores.csv",
    ):
        assert word in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_python_gives_the_same_with_the_code_that_was_logged(trained, rows, tmp_path):
    rows.to_parquet(tmp_path / "rows.parquet")
    environment = trained.desk.environment(code=False, MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false")
    command = [sys.executable, "-W", "ignore", "-c", ASK, MODEL, str(tmp_path / "rows.parquet"), str(tmp_path / "answers.parquet")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "answers.parquet"), trained.published, **EXACT)
    said = json.loads(done.stdout)
    for file in said["code"]:
        assert Path(file).is_relative_to(trained.model / "code")
    assert said["ours"] == []


def test_server_started_in_an_empty_folder_gives_the_same(trained, rows, tmp_path):
    port = _free_port()
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mlflow",
        "models",
        "serve",
        "-m",
        MODEL,
        "--env-manager",
        "local",
        "--host",
        "127.0.0.1",
    ]
    with (tmp_path.parent / f"{tmp_path.name}.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=tmp_path,
            env=trained.desk.environment(code=False),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait(server, port, Path(log.name))
            last = rows.iloc[[-1]].assign(session=rows["session"].iloc[-1].strftime("%Y-%m-%d"))
            answer = _ask(port, last)
            with pytest.raises(urllib.error.HTTPError) as refused:
                _ask(port, last.assign(session="2025-01-06"))
            complaint = refused.value.read().decode()
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
    published = trained.published.iloc[-1]
    (given,) = answer["predictions"]
    assert set(given) == set(published.index)
    for name, value in given.items():
        if name == "session":
            assert value.startswith("2024-12-31")
        elif isinstance(published[name], float):
            assert value == pytest.approx(published[name], rel=1e-12, abs=0)
        else:
            assert value == published[name]
    assert refused.value.code == 400
    told = strict_json(complaint)
    assert told["error_code"] == "INVALID_PARAMETER_VALUE"
    assert "Error: session 2025-01-02 is missing (the row there is 2025-01-06)" in told["message"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: subprocess.Popen, port: int, log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the server does not answer: {log.read_text()}")


def _ask(port: int, frame: pd.DataFrame) -> dict:
    body = json.dumps({"dataframe_split": json.loads(frame.to_json(orient="split", index=False, double_precision=15))}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return strict_json(reply.read().decode())


def test_dry_run_says_the_plan_and_opens_no_run(trained):
    desk, before = trained.desk, len(trained.desk.runs())
    done = desk.run("train", *desk.study(), "--rules", RULES, "--seed", "7", "--dry-run")
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in (
        "seed 7",
        "walk.min_history 504",
        "assets ['BTC', 'ALT']",
        "momentum 2012",
        "forecasts 4 of asset and horizon, 11 rungs each",
    ):
        assert line in lines
    assert any(line.startswith("regime refits 12, 2019-01-03 to ") and "22 on resampled history" in line for line in lines)
    (expected,) = [line for line in lines if line.startswith("expected time")]
    assert 5 < float(expected.split()[2]) < 120
    assert "SIMULATED" in lines[0]
    assert len(desk.runs()) == before


def test_dry_run_gives_its_plan_as_json(trained):
    desk = trained.desk
    done = desk.invoke("train", *desk.study(), "--rules", RULES, "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    plan = strict_json(done.stdout)
    assert (plan["config"]["walk.start"], plan["refits"], plan["market"]["simulated"]) == ("2010-01-04", 12, True)


def test_second_run_is_ranked_beside_the_first_and_the_baselines(trained):
    desk = trained.desk
    tree = yaml.safe_load(desk.config.read_text())
    tree["regime"]["kappa"] = 10
    (desk.folder / "kappa.yaml").write_text(yaml.safe_dump(tree))
    done = desk.run("backtest", "--market", desk.market, "--config", "kappa.yaml")
    assert done.returncode == 0, done.stderr
    assert "regimes: walk-forward refits: 12/12" in done.stderr
    assert "model " not in done.stdout.splitlines()[-4]
    second = next(run for run in desk.runs() if run.info.run_name == "sample hmm 2 seed 0")
    assert (second.info.status, second.data.tags["job"]) == ("FINISHED", "backtest")
    assert len(desk.client().search_model_versions("name='appetite'")) == 1

    done = desk.invoke("compare", "--out", "ranking", "--json")
    assert done.exit_code == 0, done.stderr
    answer = strict_json(done.stdout)
    trials = [run for run in desk.runs() if run.data.tags.get("job") in ("train", "backtest")]
    table = pd.DataFrame(answer["runs"])
    assert {"first", "sample hmm 2 seed 0", *(f"baseline {rung}" for rung in BASELINES)} == set(table["name"])
    assert (answer["missing"], answer["n_trials"]) == ([], len(trials))
    assert table["crps_ratio"].is_monotonic_increasing
    assert table.loc[table["name"] == "baseline M0", "crps_ratio"].item() == pytest.approx(1.0, rel=1e-12)
    for ending in (".csv", ".html"):
        assert (desk.folder / f"ranking{ending}").is_file()


def test_run_is_reproduced_to_rounding_and_says_so_on_the_run(trained):
    done = trained.desk.run("reproduce", "first", "--json")
    assert done.returncode == 0, done.stderr
    said = strict_json(done.stdout)
    assert said["run_id"] == trained.said["run_id"]
    assert said["inputs"] == []
    assert {each["name"] for each in said["outputs"]} >= {
        "metrics",
        "oos_losses.parquet",
        "strategy.parquet",
        "published.parquet",
        "skill.csv",
        "card.json",
    }
    # the kernels' last bits may hang on whether a process compiled them or loaded them
    assert {each["verdict"] for each in said["outputs"]} <= {"identical", "equal"}
    assert trained.desk.client().get_run(said["run_id"]).data.tags["reproduced"].endswith(said["verdict"])


def test_reproduction_names_the_data_that_changed(trained, tmp_path):
    other = tmp_path / "market.yaml"
    other.write_text(trained.desk.market.read_text() + "effect: 0.001\n")
    done = trained.desk.invoke("reproduce", trained.said["run_id"][:8], "--market", other, "--inputs-only", "--json")
    assert done.exit_code == 1
    said = strict_json(done.stdout)
    assert (said["verdict"], said["outputs"]) == ("differs", [])
    assert any(line.startswith("data, coins BTC: other values") for line in said["inputs"])
    assert not any(line.startswith(("data, prices", "code", "package")) for line in said["inputs"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("no-such-run",), "'no-such-run' in experiment 'appetite' is no run there"),
        (("first", "--experiment", "other"), "in experiment 'other' is no run there"),
        (("first", "--market", "gone.yaml"), "gone.yaml"),
    ],
)
def test_reproduction_of_what_is_not_there_is_told(trained, words, told):
    done = trained.desk.invoke("reproduce", *words)
    assert done.exit_code == 2
    assert told in done.stderr


def test_promote_dry_run_says_its_decision_as_json_and_moves_nothing(trained):
    desk = trained.desk
    done = desk.invoke("promote", "--rules", RULES, "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    assert strict_json(done.stdout) == {
        "version": "1",
        "promoted": False,
        "reason": "version 1 is the champion already",
        "dry_run": True,
        "labels": None,
        "checks": [],
    }
    assert str(desk.client().get_model_version_by_alias("appetite", "champion").version) == "1"


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_stopped_training_is_killed_and_leaves_registry_and_alias(trained, number):
    desk = trained.desk
    process = desk.start("train", *desk.study(), "--rules", RULES, "--name", f"stopped by {number.name}")
    try:
        for line in process.stderr:  # the run is open once its refits begin
            if line.startswith("regimes: walk-forward"):
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, "")
    assert f"stopped by {number.name}" in err.splitlines()[-1]
    assert "Traceback" not in err
    (run,) = [run for run in desk.runs() if run.info.run_name == f"stopped by {number.name}"]
    assert (run.info.status, run.data.tags["appetite.error"]) == ("KILLED", f"stopped by {number.name}")
    (version,) = desk.client().search_model_versions("name='appetite'")
    assert str(version.version) == str(desk.client().get_model_version_by_alias("appetite", "champion").version) == "1"
