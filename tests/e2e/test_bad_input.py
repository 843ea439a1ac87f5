"""What bad input gets: exit code 2, one line that names things, no run, nothing half-written."""

import json
from pathlib import Path

import pytest
import yaml

from tests.e2e.command import ROOT, RULES, Desk, make_desk, small_config
from tests.store import put_store, store_in

MARKET = ("--market", "market.yaml")
TRAIN = ("train", "--rules", str(RULES), *MARKET)


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Desk:
    """Lay out a desk with an empty store and one bad file of each kind."""
    folder = tmp_path_factory.mktemp("bad")
    put_store(folder)
    desk = make_desk(folder)
    files = {
        "bad-market.yaml": desk.market.read_text() + "foo: 1\n",
        "short-market.yaml": "kind: simulated\nyears: 2\nn_stocks: 10\n",
        "no-data.yaml": "kind: files\nroot: nowhere\ncalendar: {start: 2020-01-01}\n"
        "prices: {R2000: {path: a.csv, close: c, known_at: session_close}}\n",
        "key.yaml": yaml.safe_dump(small_config() | {"nonsense": 1}),
        "asset.yaml": yaml.safe_dump(small_config() | {"assets": ["DOGE"]}),
        "file": "",
    }
    column = small_config()
    column["regime"]["columns"] = ["momentum__ret_1", "momentum__nope"]
    files["column.yaml"] = yaml.safe_dump(column)
    short = small_config()
    short["walk"]["min_history"] = 5000
    files["short.yaml"] = yaml.safe_dump(short)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return desk


def contents(desk: Desk) -> set[Path]:
    return {path for path in desk.folder.rglob("*") if not path.name.startswith("mlflow.db")}


BAD = {
    "missing market file": ((*TRAIN[:3], "--market", "nowhere.yaml", "--config", "train.yaml"), ["'nowhere.yaml'", "does not exist"]),
    "unknown market key": ((*TRAIN[:3], "--market", "bad-market.yaml", "--config", "train.yaml"), ["bad-market.yaml", "'foo'", "n_stocks"]),
    "missing data folder": ((*TRAIN[:3], "--market", "no-data.yaml", "--config", "train.yaml"), ["nowhere", "does not exist"]),
    "market too short": ((*TRAIN[:3], "--market", "short-market.yaml", "--config", "train.yaml"), ["'R2000'", "at least 567"]),
    "missing config": ((*TRAIN, "--config", "nowhere.yaml"), ["'nowhere.yaml'"]),
    "unknown config key": ((*TRAIN, "--config", "key.yaml"), ["'key.yaml'", "'nonsense'", "unknown"]),
    "unknown asset": ((*TRAIN, "--config", "asset.yaml"), ["'asset.yaml'", "'DOGE'", "'ETH'"]),
    "unknown column": ((*TRAIN, "--config", "column.yaml"), ["'momentum__nope'", "momentum__ret_1"]),
    "series too short": ((*TRAIN, "--config", "short.yaml"), ["2012 sessions", "walk.min_history is 5000"]),
    "unknown kind": (
        (*TRAIN, "--config", "train.yaml", "--kind", "tree"),
        ["option --kind", "'hmm', 'tvtp', 'jump' or 'classifier'", "'tree'"],
    ),
    "too many regimes": ((*TRAIN, "--config", "train.yaml", "--n-components", "9"), ["option --n-components", "(it is 9)"]),
    "reports in a file": ((*TRAIN, "--config", "train.yaml", "--reports", "file/x"), ["'file/x'", "is a file"]),
    "missing rules": (("train", "--rules", "nowhere.yaml", *MARKET, "--config", "train.yaml"), ["'nowhere.yaml'"]),
    "backtest of a missing market": (("backtest", "--market", "nowhere.yaml", "--config", "train.yaml"), ["'nowhere.yaml'"]),
    "out in no folder": (("score", *MARKET, "--out", "no/scores.csv"), ["'no/scores.csv'", "does not exist"]),
    "out of unknown ending": (("score", *MARKET, "--out", "scores.txt"), ["'.txt'", ".parquet, .csv"]),
    "out in a file": (("score", *MARKET, "--out", "file/scores.csv"), ["file/scores.csv"]),
    "score of a missing market": (("score", "--market", "nowhere.yaml"), ["'nowhere.yaml'"]),
    "no experiment": (("compare", "--experiment", "nowhere"), ["'nowhere'", "Default"]),
    "comparison in no folder": (("compare", "--out", "no/x"), ["'no/x'"]),
    "no version": (("promote", "--rules", RULES), ["no version of 'appetite'", "appetite train"]),
    "unknown version": (("promote", "--rules", RULES, "--version", "9"), ["'9'"]),
    "unknown series": (("events", *MARKET, "--series", "NOPE"), ["'NOPE'", "R2000"]),
    "events in no folder": (("events", *MARKET, "--out", "no/x"), ["'no/x'"]),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_line_exit_code_2_and_no_run(desk, what):
    words, parts = BAD[what]
    before = contents(desk)
    done = desk.invoke(*words)
    assert done.exit_code == 2, done.stderr
    assert done.stdout == ""
    progress, fault = done.stderr.splitlines()[:-1], done.stderr.splitlines()[-1]
    assert fault.startswith("appetite: ")
    assert not [line for line in progress if not line.startswith(("reading the market", "computing features", "scoring"))]
    for part in parts:
        assert part in fault
    assert desk.runs() == []
    assert contents(desk) == before


def test_number_that_is_none_is_refused(desk):
    done = desk.invoke(*TRAIN, "--config", "train.yaml", "--seed", "x")
    assert done.exit_code == 2
    assert "'x' is no whole number" in done.stderr
    assert desk.runs() == []


def test_store_in_no_folder_is_refused(desk):
    done = desk.invoke("compare", MLFLOW_TRACKING_URI=f"sqlite:///{desk.folder}/nowhere/mlflow.db")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "nowhere" in done.stderr


def test_model_that_does_not_exist_is_refused_in_one_line(desk):
    before = contents(desk)
    done = desk.invoke("score", *MARKET, "--model", "models:/appetite/99", "--out", "scores.csv", PYTHONPATH=str(ROOT))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0].startswith("scoring")
    assert "'models:/appetite/99' cannot be loaded" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert contents(desk) == before


def test_without_a_champion_the_baseline_answers_and_says_so(desk):
    done = desk.invoke("score", *MARKET, "--json")
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout, parse_constant=pytest.fail)
    assert answer["card"]["model"] is None
    assert answer["card"]["market"]["simulated"] is True
    assert {each["served_by"] for each in answer["card"]["forecast"]} == {"baseline M0 (expanding mean): there is no champion"}
    text = desk.invoke("score", *MARKET).stdout
    assert "no champion" in " ".join(text.split())
    assert desk.runs() == []


def test_events_are_printed_as_json(desk):
    done = desk.invoke("events", *MARKET, "--json", "--out", "breakouts")
    assert done.exit_code == 0, done.stderr
    assert isinstance(json.loads(done.stdout, parse_constant=pytest.fail), list)
    assert (desk.folder / "breakouts.csv").is_file()
    (desk.folder / "breakouts.csv").unlink()


def test_fault_under_mlflow_run_fails_the_run_that_is_open(tmp_path):
    with store_in(tmp_path) as uri:
        from mlflow import MlflowClient

        client = MlflowClient(uri, uri)
        desk = make_desk(tmp_path)
        for words, message in (
            (("train", "--rules", RULES, "--market", "nowhere.yaml", "--config", "train.yaml"), "does not exist"),
            ((*TRAIN, "--config", "train.yaml", "--seed", "x"), "no whole number"),
        ):
            run_id = client.create_run("0").info.run_id
            assert desk.invoke(*words, MLFLOW_RUN_ID=run_id).exit_code == 2
            run = client.get_run(run_id)
            assert run.info.status == "FAILED"
            assert message in run.data.tags["appetite.error"]
        assert client.search_registered_models() == []
