"""Kinds of regime model that are not the configured one, from the command line to the answer."""

import json

import pandas as pd
import pytest
import yaml

from tests.e2e.command import RULES, Desk, make_desk

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path) -> Desk:
    return make_desk(tmp_path)


def configure(desk: Desk, **regime: object) -> None:
    tree = yaml.safe_load(desk.config.read_text(encoding="utf-8"))
    tree["regime"] |= regime
    desk.config.write_text(yaml.safe_dump(tree), encoding="utf-8")


def trained_and_scored(desk: Desk) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    """Facts of training, what it published, and what the registered model answers on the same market."""
    done = desk.run("train", *desk.study(), "--rules", RULES)
    assert done.returncode == 0, done.stderr
    (published,) = desk.folder.glob("mlruns/*/*/artifacts/evaluation/published.parquet")
    (facts,) = desk.folder.glob("mlruns/*/models/*/artifacts/**/facts.json")
    (folder,) = desk.folder.glob("mlruns/*/models/*/artifacts")
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]
    done = desk.run(
        "score", "--market", desk.market, "--model", "models:/appetite/1", "--out", "s.parquet", MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false"
    )
    assert done.returncode == 0, done.stderr
    return json.loads(facts.read_text(encoding="utf-8")), pd.read_parquet(published), pd.read_parquet(desk.folder / "s.parquet")


def test_driven_transitions_train_register_and_score(desk):
    configure(desk, kind="tvtp", drivers=["liquidity__vix", "breadth__panel_pct_above_200"])
    facts, published, scores = trained_and_scored(desk)
    pd.testing.assert_frame_equal(scores, published, check_exact=False, rtol=1e-12, atol=0)
    assert scores["p_risk_on"].iloc[-1] > 0
    assert facts["regime"]["kind"] == "tvtp"
    told = [(each["driver"], each["from"], each["to"]) for each in facts["regime"]["drivers"]]
    assert told == [
        (driver, *move)
        for driver in ("liquidity__vix", "breadth__panel_pct_above_200")
        for move in (("risk_on", "risk_off"), ("risk_off", "risk_on"))
    ]
    assert any(each["log_odds"] != 0.0 for each in facts["regime"]["drivers"])
    assert len(facts["regime"]["dwell"]) == 2
    assert facts["regime"]["moved"]["families"]


def test_continuous_jump_model_trains_registers_and_scores(desk):
    configure(desk, kind="jump", jump_continuous=True)
    _, published, scores = trained_and_scored(desk)
    pd.testing.assert_frame_equal(scores, published, check_exact=False, rtol=1e-12, atol=0)
    said = scores["p_risk_on"].dropna()
    assert ((said > 0.0) & (said < 1.0)).any()  # vectors between the states, which a discrete model does not have
    assert (said * 20).round(9).mod(1.0).eq(0.0).all()


def test_column_that_no_market_has_is_refused_as_a_driver(desk):
    configure(desk, kind="tvtp", drivers=["liquidity__fear"])
    done = desk.invoke("train", *desk.study(), "--rules", RULES)
    assert done.exit_code == 2
    assert "config key 'regime.drivers': column 'liquidity__fear' does not exist; of its family there are liquidity__" in done.output
