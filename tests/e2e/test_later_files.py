"""A market of files that grows after training: the command line goes on from the stored state, and says what was revised."""

import json

import pandas as pd
import pytest
import yaml

from features.market import Market
from sources import simulate_market
from tests.e2e.command import RULES, Desk, make_desk, small_config
from tests.e2e.files_market import write_closes, write_market
from tests.store import put_store

LATER = 30


def write_files(desk: Desk, market: Market) -> None:
    """Write the series, and a market of training that ends `LATER` sessions before them."""
    write_closes(desk.folder, market)
    write_market(desk.folder / "whole.yaml")
    write_market(desk.folder / "then.yaml", market.sessions[-1 - LATER])


@pytest.fixture(scope="module")
def market() -> Market:
    return simulate_market(years=8, n_stocks=10)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, market) -> Desk:
    """Train on the files as they were then."""
    folder = tmp_path_factory.mktemp("later")
    put_store(folder)
    desk = make_desk(folder)
    write_files(desk, market)
    tree = small_config() | {"assets": ["BTC"], "horizons": [5]}
    tree["regime"] |= {"columns": ["momentum__ret_1", "momentum__log_vol_21"], "bootstrap": 4}
    tree["forecast"]["features"] = ["momentum__mom_63", "momentum__dd"]
    desk.config.write_text(yaml.safe_dump(tree), encoding="utf-8")
    done = desk.run("train", "--market", "then.yaml", "--config", desk.config, "--rules", RULES, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["promoted"]
    return desk


def test_later_sessions_are_scored_and_earlier_ones_answered_as_published(desk, market):
    done = desk.run("score", "--market", "whole.yaml", "--out", "whole.parquet")
    assert done.returncode == 0, done.stderr
    assert desk.run("score", "--market", "then.yaml", "--out", "then.parquet").returncode == 0
    whole, then = (pd.read_parquet(desk.folder / f"{name}.parquet") for name in ("whole", "then"))
    assert whole["session"].iloc[-1] == market.sessions[-1]
    assert (whole["status"] == "scored").sum() == LATER
    pd.testing.assert_frame_equal(whole.iloc[:-LATER], then, check_exact=False, rtol=1e-12, atol=0)
    assert whole["p_risk_on"].iloc[-LATER:].between(0, 1).all()
    text = " ".join(done.stdout.split())
    assert f"as of {market.sessions[-1]:%a}" in text
    assert f"trained to {then['session'].iloc[-1]:%Y-%m-%d} · data age in sessions: prices 0" in text
    assert "BREAKOUT Russell 2000:" in text  # of the newest session, not of training's last
    assert "reads otherwise" not in text


@pytest.mark.slow
def test_earlier_market_gets_the_card_of_its_own_last_session(desk, market):
    early = market.sessions[-1 - 4 * LATER]
    write_market(desk.folder / "early.yaml", early)
    done = desk.run("score", "--market", "early.yaml", "--json")
    assert done.returncode == 0, done.stderr
    card = json.loads(done.stdout)["card"]
    assert card["session"] == f"{early:%Y-%m-%d}"
    assert card["breakout"] is not None


def test_revised_past_is_said_and_changes_no_published_answer(desk, market):
    path = desk.folder / "r2000.csv"
    before = path.read_text()
    rows = pd.read_csv(path)
    at = rows.index[rows["date"] == f"{market.sessions[-1 - LATER]:%Y-%m-%d}"][0]
    rows.loc[at, "close"] *= 1.01
    rows.to_csv(path, index=False)
    try:
        done = desk.run("score", "--market", "then.yaml", "--out", "revised.parquet")
    finally:
        path.write_text(before)
    assert done.returncode == 0, done.stderr
    assert "on its last training session this market reads otherwise now: momentum__" in " ".join(done.stdout.split())
    (published,) = desk.folder.glob("mlruns/*/*/artifacts/evaluation/published.parquet")
    revised = pd.read_parquet(desk.folder / "revised.parquet")
    assert (revised["status"] == "published, on other values").to_numpy().nonzero()[0].tolist() == [len(revised) - 1]
    pd.testing.assert_frame_equal(revised.drop(columns="status"), pd.read_parquet(published).drop(columns="status"))


@pytest.mark.slow
def test_session_without_a_print_is_scored_on_what_is_known(desk, market):
    gone = f"{market.sessions[-10]:%Y-%m-%d}"
    path = desk.folder / "r2000.csv"
    before = path.read_text()
    rows = pd.read_csv(path)
    rows[rows["date"] != gone].to_csv(path, index=False)
    try:
        done = desk.run("score", "--market", "whole.yaml", "--out", "gap.parquet")
    finally:
        path.write_text(before)
    # a session without a print is a missing value, which the model leaves out of the evidence
    assert done.returncode == 0, done.stderr
    scores = pd.read_parquet(desk.folder / "gap.parquet")
    assert scores["session"].iloc[-1] == market.sessions[-1]
    assert scores["p_risk_on"].notna().iloc[-LATER:].all()
