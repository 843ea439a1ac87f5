"""From files into a store, a model trained out of it, and scored when more was fetched: published answers stay, later sessions go on."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from features.market import Market
from sources import simulate_market
from sources.store import Store
from tests.e2e.command import RULES, Desk, make_desk, small_config
from tests.store import put_store

pytestmark = pytest.mark.slow

LATER = 20
SPEC = {
    "kind": "files",
    "root": ".",
    "calendar": {"start": "2017-01-03"},
    "prices": {"R2000": {"path": "r2000.csv", "date": "date", "close": "close", "known_at": "session_close"}},
    "coins": [{"path": "BTC.csv", "date": "date", "asset": "BTC", "close": "close", "known_at": "end_of_utc_day"}],
}
PLAN = {"kind": "fetch", "store": "store", "files": {"market": "files.yaml"}}
MARKET = {"kind": "store", "root": "store", "name": "desk"}


def show(folder: Path, market: Market, later: int, revised: float = 1.0) -> None:
    """Write the series as a vendor shows them `later` sessions after training; a close of the past may be another one then."""
    last = market.sessions[-1 - LATER + later]
    prices, coins = (frame[frame["date"] <= last] for frame in (market.prices, market.coins))
    small_caps = prices.loc[prices["series"] == "R2000", ["date", "close"]].copy()
    small_caps.loc[small_caps["date"] == market.sessions[-1 - LATER], "close"] *= revised
    small_caps.to_csv(folder / "r2000.csv", index=False)
    coins.loc[coins["asset"] == "BTC", ["date", "close"]].to_csv(folder / "BTC.csv", index=False)


def fetch(desk: Desk) -> dict:
    done = desk.invoke("fetch", "--plan", "plan.yaml", "--json")
    assert done.exit_code == 0, done.output
    (source,) = json.loads(done.stdout)["sources"]
    return source


@pytest.fixture(scope="module")
def market() -> Market:
    return simulate_market(years=8, n_stocks=10)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, market: Market) -> Desk:
    """Fetch what is there, and train on it."""
    folder = tmp_path_factory.mktemp("fetched")
    put_store(folder)
    desk = make_desk(folder)
    for name, tree in (("files", SPEC), ("plan", PLAN), ("store-market", MARKET)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(tree))
    show(folder, market, 0)
    assert fetch(desk)["batches"] == [1]
    tree = small_config() | {"assets": ["BTC"], "horizons": [5]}
    tree["regime"] |= {"columns": ["momentum__ret_1", "momentum__log_vol_21"], "bootstrap": 4}
    tree["forecast"]["features"] = ["momentum__mom_63", "momentum__dd"]
    desk.config.write_text(yaml.safe_dump(tree))
    done = desk.run("train", "--market", "store-market.yaml", "--config", desk.config, "--rules", RULES, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["promoted"]
    return desk


def scored(desk: Desk, market: str, out: str) -> tuple[pd.DataFrame, str]:
    done = desk.run("score", "--market", market, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    return pd.read_parquet(desk.folder / out), json.dumps(json.loads(done.stdout))


def test_store_that_grew_is_scored_on_from_training_whatever_was_revised(desk: Desk, market: Market) -> None:
    then, _ = scored(desk, "store-market.yaml", "then.parquet")
    assert not then["status"].isin(["scored", "published, on other values"]).any()
    show(desk.folder, market, LATER, revised=1.02)
    grown = fetch(desk)
    assert grown["revised"] == 1
    assert grown["new"] > LATER
    again = fetch(desk)
    assert (again["new"], again["revised"], again["batches"]) == (0, 0, [])
    whole, told = scored(desk, "store-market.yaml", "whole.parquet")
    assert whole["session"].iloc[-1] == market.sessions[-1]
    assert (whole["status"] == "scored").sum() == LATER
    pd.testing.assert_frame_equal(whole.iloc[:-LATER], then, check_exact=True)
    assert "reads otherwise" not in told
    # the newest prints change a row of the past, and the answer says so
    (desk.folder / "newest.yaml").write_text(yaml.safe_dump(MARKET | {"prints": "newest"}))
    newest, told = scored(desk, "newest.yaml", "newest.parquet")
    assert Store.open(desk.folder / "store").verify() == []
    other = newest["status"] == "published, on other values"
    assert other.any()
    columns = [name for name in then if name != "status"]
    pd.testing.assert_frame_equal(newest.iloc[: len(then)][columns], then[columns], check_exact=True)
