"""The service as it is run: killed, given a new champion, a bad one, no registry; what it tells is what the scoring function says."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import requests
import yaml

from models.scoring import Scorer
from serving.service.settings import TOKENS
from serving.service.tokens import WRITE, TokenFile
from tests.e2e.command import ROOT
from tests.models.test_scoring import N_PUBLISHED, feature_rows, hmm_regime, scorer_of
from tests.serving.service.desk import engine_of
from tests.serving.service.test_app import frame
from tests.serving.service.test_keeper import SESSIONS, expected, known, later_trained
from tests.store import store_in

PATIENCE_S = 60


@dataclass
class Desk:
    """A folder with a registry of three versions and the settings of a service.

    Attributes
    ----------
    uri : of the registry
    scorer : of version 1; version 2 was trained two sessions on, version 3 answers its example wrongly
    """

    folder: Path
    uri: str
    scorer: Scorer
    secret: str = ""
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"MLFLOW_TRACKING_URI": self.uri, "PYTHONPATH": str(ROOT)}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-W", "ignore", "-m", "appetite", *words, "--config", str(self.folder / "serve.yaml")]

    def run(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*words), env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=60)

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, headers={"Authorization": f"Bearer {self.secret}", "Connection": "close"}, timeout=20)

    def observe(self, place: int) -> requests.Response:
        body = {"session": SESSIONS[place], "values": known(place)}
        return requests.post(self.url + "/v1/observations", json=body, headers={"Authorization": f"Bearer {self.secret}"}, timeout=20)

    def champion(self, version: int) -> None:
        import mlflow

        mlflow.MlflowClient(self.uri, self.uri).set_registered_model_alias("appetite", "champion", str(version))

    @contextlib.contextmanager
    def serving(self) -> Iterator[subprocess.Popen]:
        with subprocess.Popen(
            self.command("serve"), env=self.environment, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as parent:
            try:
                self.url = parent.stdout.readline().strip()
                until(lambda: self.get("/readyz").status_code in (200, 503))
                yield parent
            finally:
                if parent.poll() is None:
                    parent.terminate()
                    parent.wait(30)


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.RequestException):
            if reached():
                return
        time.sleep(0.1)
    raise TimeoutError(f"not reached in {PATIENCE_S} s")


def workers(parent: int) -> list[int]:
    told = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False).stdout
    return [int(each) for each in told.split()]


def register(scorer: Scorer, *, spoilt: bool = False) -> None:
    import mlflow

    from training import logged_model

    rows = feature_rows().iloc[: len(scorer.published)].set_index("session")
    known = mlflow.MlflowClient().get_experiment_by_name("serve")  # by name: tests before may have left another one active
    own = known.experiment_id if known else mlflow.create_experiment("serve")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"), mlflow.start_run(experiment_id=own):
        patch.setattr(logged_model, "check_in_fresh_process", lambda *_: None)  # the worker asks for the example itself
        if spoilt:
            write = logged_model.write_example
            other = lambda folder, given, answers: write(folder, given, answers.assign(p_risk_on=1 - answers["p_risk_on"]))  # noqa: E731
            patch.setattr(logged_model, "write_example", other)
        facts = engine_of(scorer).facts | {"trained_to": f"{scorer.trained_to:%Y-%m-%d}"}
        mlflow.register_model(logged_model.log_model(scorer, facts, rows), "appetite")


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> Desk:
    folder = tmp_path_factory.mktemp("serve")
    scorer = scorer_of(hmm_regime())
    with store_in(folder) as uri:
        for each, spoilt in ((scorer, False), (later_trained(scorer, 2), False), (scorer, True)):
            register(each, spoilt=spoilt)
    return Desk(folder, uri, scorer)


@pytest.fixture
def desk(registry, tmp_path) -> Desk:
    settings = {"port": 0, "state": str(tmp_path / "state"), "watch_s": 0.3, "drain_s": 5, "limits": {"per_minute": 1e6, "burst": 1e6}}
    (registry.folder / "serve.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    registry.champion(1)
    registry.secret = TokenFile(tmp_path / "state" / TOKENS).add("feed", WRITE)
    return registry


def assert_kept(desk: Desk, n: int, first: int = 0) -> None:
    rows = desk.get("/v1/regime/history").json()["rows"][-(n - first) :]
    scores = expected(desk.scorer, [known(place) for place in range(n)]).iloc[first:]
    assert [row["session"] for row in rows] == SESSIONS[first:n]
    assert [row["p_risk_on"] for row in rows] == pytest.approx(scores["p_risk_on"].tolist(), rel=1e-12)


def test_killed_workers_and_parents_lose_nothing(desk):
    with desk.serving() as parent:
        assert [desk.observe(place).status_code for place in range(3)] == [201] * 3
        (worker,) = workers(parent.pid)
        os.kill(worker, signal.SIGKILL)
        assert desk.observe(3).status_code == 201  # waits at the socket until another worker is there
        assert_kept(desk, 4)
        (worker,) = workers(parent.pid)
        parent.kill()
        parent.wait()
        until(lambda: not Path(f"/proc/{worker}").exists())
    with desk.serving():
        assert_kept(desk, 4)
        assert desk.observe(3).status_code == 200
        assert desk.observe(4).status_code == 201
        assert_kept(desk, 5)


def test_new_champion_takes_over_without_a_pause_and_a_bad_one_never(desk):
    with desk.serving() as parent:
        for place in range(4):
            desk.observe(place)
        codes, stop = [], threading.Event()

        def ask() -> None:
            while not stop.is_set():
                try:
                    codes.append(desk.get("/v1/regime").status_code)
                except requests.RequestException as error:
                    codes.append(str(error))
                time.sleep(0.01)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            desk.champion(2)
            until(lambda: desk.get("/version").json()["model"]["version"] == "2")
            until(lambda: len(workers(parent.pid)) == 1)
            desk.champion(3)
            until(lambda: desk.get("/readyz").status_code == 503)
        finally:
            stop.set()
            asking.join()
        assert set(codes) == {200}
        told = desk.get("/readyz").json()
        assert "version 3 is champion and may not take over" in told["why"][0]
        assert "otherwise than when it was logged ('p_risk_on' and 0 more)" in told["why"][0]
        assert told["model"]["version"] == "2"
        assert_kept(desk, 4, first=2)
        desk.champion(2)
        until(lambda: desk.get("/readyz").status_code == 200)


def test_without_its_registry_it_goes_on_and_says_so(desk):
    database, away = desk.folder / "mlflow.db", desk.folder / "away.db"
    with desk.serving():
        desk.observe(0)
        database.rename(away)
        try:
            until(lambda: desk.get("/readyz").status_code == 503)
            assert "registry: no database" in desk.get("/readyz").json()["why"][0]
            assert desk.observe(1).status_code == 201
        finally:
            away.rename(database)
        until(lambda: desk.get("/readyz").status_code == 200)
    database.rename(away)
    try:
        with desk.serving():
            assert "version 1 goes on, the last good one" in desk.get("/readyz").json()["why"][0]
            assert_kept(desk, 2)
            assert not database.exists()
    finally:
        away.rename(database)


def test_scores_over_http_are_those_of_the_logged_model(desk):
    import mlflow.pyfunc

    table = feature_rows().iloc[N_PUBLISHED - 2 : N_PUBLISHED + 6][["session", *desk.scorer.columns]]
    rows = [{**row, "session": f"{row['session']:%Y-%m-%d}"} for row in table.to_dict("records")]
    with desk.serving():
        given = requests.post(desk.url + "/v1/score", json={"rows": rows}, headers={"Authorization": f"Bearer {desk.secret}"}, timeout=20)
    mlflow.set_tracking_uri(desk.uri)
    with warnings.catch_warnings(action="ignore"):
        answers = mlflow.pyfunc.load_model("models:/appetite/1").predict(table)
    pd.testing.assert_frame_equal(frame(given.json()["rows"]), answers, check_exact=True, check_dtype=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0", "--no-auth"], "rule: --no-auth is for loopback"),
        (["--host", "0.0.0.0"], "there is no token, so nobody could ask; make one with `appetite token add"),
        ([], "there is no token"),
    ],
)
def test_strangers_are_not_answered(registry, tmp_path, words, said):
    (registry.folder / "serve.yaml").write_text(yaml.safe_dump({"port": 0, "state": str(tmp_path / "state")}), encoding="utf-8")
    done = registry.run("serve", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
