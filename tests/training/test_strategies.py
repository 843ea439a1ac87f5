"""Strategies of a run: the same positions by a plain loop, judged sessions alone, the late entry, and what is deflated by what."""

import numpy as np
import pandas as pd
import pytest

from models.forecast import BASELINES, RUNGS
from training.evaluation.deflation import deflated_sharpe, probabilistic_sharpe, sharpe
from training.evaluation.strategy import RISK_AVERSION, sharpe_test
from training.reports.earned import earned_section
from training.strategies import make_strategies

SESSIONS = pd.bdate_range("2020-01-01", periods=400, unit="us")
JUDGED = slice(100, 300)
HORIZON = 5


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    moves = np.random.default_rng(3).normal(0.0005, 0.02, len(SESSIONS))
    return pd.DataFrame({"BTC": np.exp(np.cumsum(moves))}, index=SESSIONS)


def losses_of(seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    outer = np.zeros(len(SESSIONS), dtype=bool)
    outer[JUDGED] = True
    shared = pd.DataFrame({"session": SESSIONS, "asset": "BTC", "horizon": HORIZON, "outer": outer})
    parts = [
        shared.assign(rung=rung, mean=rng.normal(0.004, 0.004, len(SESSIONS)), sd=rng.uniform(0.03, 0.06, len(SESSIONS)))
        for rung in (*RUNGS, "served")
    ]
    return pd.concat(parts, ignore_index=True)


def skill_of(horizon: int = HORIZON) -> pd.DataFrame:
    return pd.DataFrame([{"asset": "BTC", "horizon": horizon, "rung": "served", "best_baseline": "M0"}])


@pytest.fixture(scope="module")
def made(prices):
    return make_strategies(losses_of(), skill_of(), prices, 7)


def picked(table: pd.DataFrame, series: str, delay: int, cost_bp: float) -> pd.DataFrame:
    return table[(table["series"] == series) & (table["delay"] == delay) & (table["cost_bp"] == cost_bp)].set_index("session")


@pytest.mark.parametrize("series", ["served", "M0"])
@pytest.mark.parametrize("delay", [0, 1])
@pytest.mark.parametrize("cost_bp", [10.0, 25.0])
def test_returns_are_those_of_a_plain_loop(made, prices, series, delay, cost_bp):
    said = losses_of().query("rung == @series").set_index("session")
    own = picked(made.returns, series, delay, cost_bp)
    price, weights = prices["BTC"].to_numpy(), {}
    for t in range(JUDGED.start + 1 - delay, JUDGED.stop):  # either delay buys its first position for the first session that counts
        mean, sd = said["mean"].iloc[t] / HORIZON, said["sd"].iloc[t] / np.sqrt(HORIZON)
        weights[t + 1 + delay] = min(max(mean / (RISK_AVERSION * sd**2), 0.0), 1.0)
    for t in range(JUDGED.start + 2, JUDGED.stop):
        traded = abs(weights.get(t, 0.0) - weights.get(t - 1, 0.0))
        expected = weights.get(t, 0.0) * (price[t] / price[t - 1] - 1.0) - traded * cost_bp / 1e4
        assert own.loc[SESSIONS[t], "ret"] == pytest.approx(expected, abs=1e-12)
    assert list(own.index) == list(SESSIONS[JUDGED.start + 2 : JUDGED.stop])


def test_what_is_not_judged_changes_nothing(made, prices):
    losses, later = losses_of(), prices.copy()
    hidden = ~losses["outer"]
    losses.loc[hidden, ["mean", "sd"]] = 9.0
    later.iloc[JUDGED.stop :] *= 7.0
    again = make_strategies(losses, skill_of(), later, 7)
    pd.testing.assert_frame_equal(again.returns, made.returns)
    pd.testing.assert_frame_equal(again.summary, made.summary)


def test_deflated_ratio_allows_for_the_family_and_the_spread_of_the_rungs(made, prices):
    row = made.summary.query("series == 'served' and delay == 0 and cost_bp == 25").iloc[0]
    net, base = (picked(made.returns, series, 0, 25.0)["ret"].to_numpy() for series in ("served", "M0"))
    rungs = [rung for rung in RUNGS if rung not in BASELINES]
    spread = []
    for rung in rungs:  # each as if it had been served
        swapped = losses_of().query("rung != 'served'")
        own = swapped[swapped["rung"] == rung].assign(rung="served")
        other = make_strategies(pd.concat([swapped, own]), skill_of(), prices, 1)
        spread.append(sharpe(picked(other.returns, "served", 0, 25.0)["ret"].to_numpy() - base))
    assert row["deflated"] == pytest.approx(deflated_sharpe(net - base, np.array(spread), 7), rel=1e-12)
    assert row["sharpe"] == pytest.approx(net.mean() / net.std() * np.sqrt(252), rel=1e-12)
    alone = make_strategies(losses_of(), skill_of(), prices, 1).summary.query("series == 'served' and delay == 0 and cost_bp == 25").iloc[0]
    assert row["deflated"] < alone["deflated"] == pytest.approx(probabilistic_sharpe(net - base))
    assert made.summary.query("series == 'M0'")["deflated"].isna().all()


def test_turnover_is_what_the_two_venues_differ_by(made):
    cheap, dear = (picked(made.returns, "served", 0, cost)["ret"] for cost in (10.0, 25.0))
    traded = (cheap - dear) / 15e-4
    row = made.summary.query("series == 'served' and delay == 0 and cost_bp == 10").iloc[0]
    assert row["turnover"] == pytest.approx(traded.mean() * 252, rel=1e-9)


@pytest.mark.parametrize("delay", [0, 1])
def test_whoever_buys_once_pays_once_whatever_the_delay(prices, delay):
    losses = losses_of().assign(mean=9.0)
    own = picked(make_strategies(losses, skill_of(), prices, 1).returns, "served", delay, 25.0)
    moves = prices["BTC"].pct_change().reindex(own.index)
    cost = moves - own["ret"]
    assert (own["weight"] == 1.0).all()
    assert cost.iloc[0] == pytest.approx(25e-4, abs=1e-12)
    assert cost.iloc[1:].abs().max() < 1e-12


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_a_few_judged_rows_are_traded_without_a_ratio(prices, rows):
    losses = losses_of()
    losses["outer"] = losses["session"].isin(SESSIONS[100 : 100 + rows])
    made = make_strategies(losses, skill_of(), prices, 7)
    assert set(made.summary["n"]) == {max(rows - 2, 0)}
    assert made.summary[["sharpe", "error", "p", "p_gain"]].isna().all(axis=None)
    if rows < 4:
        assert made.summary[["psr", "deflated"]].isna().all(axis=None)
    assert earned_section(made) is not None


def test_gain_over_the_baseline_is_tested_by_the_difference(made):
    own, base = (picked(made.returns, series, 1, 10.0)["ret"].to_numpy() for series in ("served", "M0"))
    row = made.summary.query("delay == 1 and cost_bp == 10").set_index("series")
    assert row.loc["served", "p_gain"] == sharpe_test(own - base).p
    assert np.isnan(row.loc["M0", "p_gain"])  # it is the baseline
    assert row.loc["served", "p"] == sharpe_test(own).p


def test_nothing_held_has_no_ratio(prices):
    losses = losses_of()
    losses.loc[losses["rung"] == "served", "mean"] = -0.01
    row = make_strategies(losses, skill_of(), prices, 3).summary.query("series == 'served'")
    assert row[["sharpe", "error", "p", "psr"]].isna().all(axis=None)
    assert (row["turnover"] == 0.0).all()


def test_horizons_that_are_not_tested_are_not_traded(prices):
    losses = losses_of().assign(horizon=63)
    made = make_strategies(losses, skill_of(63), prices, 3)
    assert made.returns.empty
    assert made.summary.empty
    assert make_strategies(losses, pd.DataFrame(), prices, 3).summary.empty
