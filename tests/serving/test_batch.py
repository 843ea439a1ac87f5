import json
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from models.errors import ScoringError
from serving import batch
from serving.errors import ServingError

ROWS = pd.DataFrame({"session": pd.to_datetime(["2024-01-02", "2024-01-03"]), "p_risk_on": [0.25, 1 / 3], "regime": ["risk_off", None]})


def market(simulated=True, note="seed 0", name="sample"):
    return SimpleNamespace(simulated=simulated, note=note, name=name)


def facts(**changes):
    return {"market": {"simulated": True, "note": "seed 0", "name": "sample"} | changes}


def test_same_market_is_accepted():
    batch._same_market(facts(), market())
    batch._same_market(facts(simulated=False, note="vintage of May"), market(simulated=False, note="vintage of June"))


@pytest.mark.parametrize(
    ("trained", "given", "words"),
    [
        (facts(), market(simulated=False, name="files"), ["a simulated market ('sample')", "a real market ('files')"]),
        (facts(simulated=False, name="files"), market(), ["a real market ('files')", "a simulated market ('sample')"]),
        (facts(), market(note="seed 1"), ["another simulated market (seed 0)", "(seed 1)"]),
    ],
)
def test_other_market_is_refused_with_both_names(trained, given, words):
    with pytest.raises(ServingError) as error:
        batch._same_market(trained, given)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("name", ["table.parquet", "table.csv"])
def test_rows_and_card_are_written(tmp_path, monkeypatch, name):
    monkeypatch.setattr(batch, "score_market", lambda model, market: (ROWS, facts() | {"given": facts()["market"]}))
    monkeypatch.setattr("serving.card.build_card", lambda facts, rows, model: {"model": model})
    assert batch.main(["models:/m/1", "market.yaml", str(tmp_path / name), str(tmp_path / "answer.json"), "models:/m"]) == 0
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    assert read(tmp_path / name)["p_risk_on"].tolist() == ROWS["p_risk_on"].tolist()
    answer = json.loads((tmp_path / "answer.json").read_text(), parse_constant=pytest.fail)
    assert (answer["card"], answer["rows"], answer["last"]["regime"]) == ({"model": "models:/m"}, 2, None)
    assert answer["labels"] == {
        "trained": facts()["market"],
        "given": facts()["market"],
        "rows": [
            {"session": "2024-01-02", "p_risk_on": 0.25, "regime": "risk_off"},
            {"session": "2024-01-03", "p_risk_on": 1 / 3, "regime": None},
        ],
    }


def test_fault_is_one_line_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    def refuse(model, market):
        raise ScoringError("session 2024-01-04\n is missing")

    monkeypatch.setattr(batch, "score_market", refuse)
    assert batch.main(["m", "x", str(tmp_path / "t.csv"), str(tmp_path / "a.json"), "m"]) == 2
    assert capsys.readouterr().err == "session 2024-01-04 is missing\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("code", "stderr", "message"),
    [
        (2, "noise\nsession 2024-01-04 is missing\n", "session 2024-01-04 is missing"),
        (1, "Traceback\nKeyError: 'x'\n", "scoring failed: KeyError: 'x'"),
        (-9, "", "scoring failed: no word"),
    ],
)
def test_failure_of_the_other_process_is_told_in_its_last_line(tmp_path, monkeypatch, code, stderr, message):
    monkeypatch.setattr(batch.subprocess, "run", lambda *words, **options: subprocess.CompletedProcess(words, code, "", stderr))
    with pytest.raises(ServingError) as error:
        batch.score_in_fresh_process("m", "x", tmp_path / "t.csv")
    assert str(error.value) == message
    assert not list(tmp_path.iterdir())


def test_output_is_refused_before_a_process_is_started(tmp_path, monkeypatch):
    monkeypatch.setattr(batch.subprocess, "run", lambda *words, **options: pytest.fail("a process was started"))
    with pytest.raises(ServingError, match="does not exist"):
        batch.score_in_fresh_process("m", "x", tmp_path / "no" / "t.csv")


def test_module_brings_neither_features_nor_models():
    """What it shares with the logged code must come from there, so nothing of it may be imported before."""
    code = "import sys, serving.batch; print([m for m in sys.modules if m.split('.')[0] in ('features', 'models', 'sources', 'training')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=batch.__file__.rsplit("/", 2)[0])
    assert done.stdout.strip() == "[]"
