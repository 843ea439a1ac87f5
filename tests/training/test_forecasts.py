"""The walk of the forecasts: what stands beside each row, and a lock-box that changes nothing but what is judged."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.conformal import ENDS
from sources import simulate_market
from training.book import OUTCOMES, SERVED
from training.config import load_config
from training.forecasts import ForecastWalk, volatility_column, walk_forecasts
from training.regimes import RegimeWalk, walk_regimes
from training.study import Table, make_table
from training.window import judged_window, priced_sessions

CONFIG = Path(__file__).resolve().parents[2] / "conf" / "train.yaml"
SMALL = {
    "assets": ["BTC"],
    "horizons": [5, 21],
    "walk.min_history": 504,
    "forecast.min_rows": 200,
    "regime.bootstrap": 0,
    "regime.evidence": 0,
    "regime.n_init": 1,
    "regime.specifications": [],
}


def quiet(what: str, done: int, of: int) -> None:
    """Say nothing of progress."""


def config_of(lockbox: float):
    return load_config(CONFIG, **(SMALL | {"walk.lockbox": lockbox}))


@pytest.fixture(scope="module")
def table() -> Table:
    return make_table(simulate_market(years=6, n_stocks=20, seed=2), config_of(0.2), quiet)


@pytest.fixture(scope="module")
def regimes(table) -> RegimeWalk:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two years are few for two regimes
        return walk_regimes(table.features, table.small_caps, config_of(0.2), quiet)


@pytest.fixture(scope="module")
def walks(table, regimes) -> dict[float, ForecastWalk]:
    return {share: walk_forecasts(table.features, table.prices, regimes, config_of(share), quiet) for share in (0.0, 0.2)}


def test_lockbox_changes_nothing_but_what_is_judged(walks):
    whole, locked = walks[0.0].losses, walks[0.2].losses
    pd.testing.assert_frame_equal(locked.drop(columns=["outer", "lockbox"]), whole.drop(columns=["outer", "lockbox"]), check_exact=True)
    assert walks[0.0].last == walks[0.2].last
    assert not whole["lockbox"].any()


def test_rows_in_the_lockbox_and_those_whose_label_reaches_into_it_are_not_judged(table, walks):
    whole, locked = walks[0.0].losses, walks[0.2].losses
    window = judged_window(priced_sessions(table.prices, config_of(0.2)), config_of(0.2))
    np.testing.assert_array_equal(locked["lockbox"], locked["session"] >= window.lockbox)
    begin = table.features.index.get_loc(window.lockbox)
    end = table.features.index.get_indexer(locked["session"]) + locked["horizon"] + 1  # of the label that is entered a session later
    np.testing.assert_array_equal(locked["outer"], whole["outer"] & (end < begin))
    assert locked.groupby(["horizon", "rung"])["lockbox"].sum().nunique() == 1
    assert 0.1 < locked["lockbox"].sum() / (whole["outer"].sum()) < 0.35


def test_probability_and_rank_of_volatility_are_those_of_the_day(table, regimes, walks):
    losses = walks[0.2].losses
    row = losses[losses["rung"] == "M4"].iloc[[0, 100, -1]]
    vol = table.features[volatility_column("BTC")]
    for session, p_on, rank in row[["session", "p_on", "vol_rank"]].itertuples(index=False):
        assert p_on == regimes.published.loc[session, "p_risk_on"]
        past = vol.loc[:session].dropna()
        assert rank == pytest.approx(np.mean(past <= past.iloc[-1]), abs=1e-12)


def test_half_widths_that_are_served_are_those_of_the_last_row(walks):
    losses = walks[0.2].losses
    for (_, horizon), cell in walks[0.2].last.items():
        newest = losses[(losses["rung"] == SERVED) & (losses["horizon"] == horizon)].iloc[-1]
        for name, width in cell.half_width.items():
            assert newest[f"hi{name}_conformal"] == pytest.approx(newest["mean"] + width * newest["sd"], rel=1e-12)
        assert np.isfinite(list(cell.half_width.values())).all()


def test_outcomes_and_what_was_said_are_all_the_columns(walks):
    losses = walks[0.2].losses
    newest = losses[losses["session"] == losses["session"].max()]
    assert newest[list(OUTCOMES)].isna().all(axis=None)  # nothing is known of the last session's forecasts
    said = newest.loc[newest["rung"] == SERVED, [name for name in losses if name not in OUTCOMES]]
    assert said.notna().all(axis=None)
    assert newest.loc[newest["rung"] != SERVED, [*ENDS, "lo80", "chosen"]].isna().all(axis=None)
