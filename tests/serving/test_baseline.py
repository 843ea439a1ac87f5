import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from features import asset_prices
from models.conformal import ENDS
from serving.baseline import ASSETS, HORIZONS, baseline_rows, score_baseline
from serving.errors import ServingError
from serving.screen import render_screen


@pytest.fixture(scope="module")
def row(sample_market) -> pd.Series:
    (only,) = baseline_rows(sample_market).to_dict("records")
    return pd.Series(only)


def test_baseline_says_what_it_is_on_every_forecast(row):
    assert (row["status"], row["regime"]) == ("baseline", "unidentified")
    for asset in ASSETS:
        for horizon in HORIZONS:
            assert "no champion" in row[f"{asset}_{horizon}_served_by"]


def test_baseline_knows_no_regime(row):
    assert row[["p_risk_on", "p_risk_off", "p_risk_on_lo", "p_risk_on_hi"]].isna().all()


def test_baseline_is_centred_on_the_mean_of_known_returns(sample_market, row):
    price = np.log(asset_prices(sample_market)["BTC"])
    known = (price.shift(-5) - price).iloc[21:].dropna()  # sessions with a volatility
    assert row["BTC_5_median"] == pytest.approx(known.mean(), abs=2e-3)


def test_baseline_has_the_columns_of_calibrated_intervals_and_nothing_calibrated(row):
    assert row[[f"ETH_21_{end}" for end in ENDS]].isna().all()


def test_intervals_hold_about_what_they_promise(sample_market, row):
    price = np.log(asset_prices(sample_market)["BTC"])
    for horizon in (5, 21):
        y = (price.shift(-horizon) - price).dropna()
        assert row[f"BTC_{horizon}_lo80"] < row[f"BTC_{horizon}_median"] < row[f"BTC_{horizon}_hi80"]
        inside = y.between(row[f"BTC_{horizon}_lo80"], row[f"BTC_{horizon}_hi80"]).mean()
        assert 0.6 < inside < 0.95


def test_baseline_knows_nothing_after_its_instant(sample_market):
    at = sample_market.sessions[-130]
    cut = sample_market.as_of((at + pd.Timedelta(days=1)).tz_localize("UTC"))
    later = dataclasses.replace(sample_market, coins=sample_market.coins.assign(close=sample_market.coins["close"]))
    before = baseline_rows(cut)
    assert before["session"].item() == at
    assert before["BTC_5_median"].item() != baseline_rows(later)["BTC_5_median"].item()


def test_asset_without_prices_is_left_out_and_none_is_an_error(sample_market):
    coins = sample_market.coins
    btc = dataclasses.replace(sample_market, coins=coins[coins["asset"] == "BTC"].reset_index(drop=True))
    columns = baseline_rows(btc).columns
    assert "BTC_5_median" in columns
    assert "ETH_5_median" not in columns
    with pytest.raises(ServingError, match="nothing can be forecast"):
        baseline_rows(dataclasses.replace(sample_market, coins=coins.iloc[:0]))


def test_answer_is_a_card_that_says_there_is_no_champion_and_that_the_market_is_simulated(tmp_path):
    market = tmp_path / "market.yaml"
    market.write_text("kind: simulated\nyears: 5\nn_stocks: 10\n")
    answer = score_baseline(str(market), tmp_path / "scores.csv")
    json.dumps(answer, allow_nan=False)
    text = render_screen(answer["card"])
    assert "no champion" in " ".join(text.split())
    assert text.startswith("SIMULATED")
    assert pd.read_csv(tmp_path / "scores.csv")["BTC_5_median"].item() == answer["last"]["BTC_5_median"]
