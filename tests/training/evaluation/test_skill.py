"""The skill table: against loops over its rows, its family, what it refuses, and its speed on a full grid."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from models.distribution import NormalMixture
from models.forecast import BASELINES, RUNGS
from serving.card import LONGEST_CONFIRMED
from serving.words import BEATS, DESCRIPTIVE, INCONCLUSIVE, INFORMED, TOO_FEW
from training.book import SERVED, Book
from training.evaluation.forecast_tests import adjusted_gain, clark_west, smaller_loss
from training.evaluation.offsets import MIN_ROWS, cauchy_combined
from training.evaluation.overlap import mean_of
from training.evaluation.skill import LONGEST_TESTED, _verdict, skill_table


def row(**changes: object) -> pd.Series:
    return pd.Series({"n_independent": 100, "horizon": 5, "p_adjusted": 0.01, "p_gain": 0.02} | changes)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, BEATS),
        ({"p_adjusted": 0.05}, BEATS),
        ({"p_adjusted": 0.051}, INCONCLUSIVE),
        ({"p_gain": 0.051}, INFORMED),  # it knows something, and still costs as much
        ({"p_gain": float("nan")}, INFORMED),
        ({"p_adjusted": float("nan")}, INCONCLUSIVE),
        ({"p_adjusted": 0.051, "p_gain": 0.001}, INCONCLUSIVE),
        ({"n_independent": MIN_ROWS - 1}, TOO_FEW),
        ({"horizon": LONGEST_CONFIRMED}, BEATS),
        ({"horizon": LONGEST_CONFIRMED + 1}, DESCRIPTIVE),
        ({"horizon": LONGEST_TESTED}, DESCRIPTIVE),
        ({"horizon": LONGEST_TESTED + 1}, TOO_FEW),
    ],
)
def test_verdict_needs_information_and_smaller_losses(changes, verdict):
    assert _verdict(row(**changes)) == verdict


def losses_of(signal: float, n: int = 1200, horizon: int = 5, silent: tuple[str, slice] | None = None) -> pd.DataFrame:
    """A book whose M4 knows `signal` of the outcome's mean, and whose other rungs know nothing; M4 is served."""
    rng = np.random.default_rng(0)
    drift = rng.normal(size=n)
    y = np.append(signal * drift + rng.normal(size=n), np.full(horizon, np.nan))[: n + horizon]
    drift = np.append(drift, np.zeros(horizon))
    book = Book(horizon, y, np.append(y[1:], np.nan))
    means = {rung: np.zeros(n + horizon) for rung in RUNGS} | {"M0": np.full(n + horizon, 0.05), "M4": signal * drift}
    if silent is not None:
        means[silent[0]][silent[1]] = np.nan
    made = {rung: NormalMixture(np.ones((n + horizon, 1)), means[rung][:, None], np.ones((n + horizon, 1))) for rung in RUNGS}
    book.write(np.arange(n + horizon), made, "M4", 0, outer=True)
    return book.table(pd.bdate_range("2015-01-01", periods=n + horizon, name="session"), "BTC", horizon)


def test_forecast_that_sees_the_next_session_is_betrayed_by_entering_a_session_later():
    """A feature shifted by one day into the past knows the first of the five returns; entered a session late, nothing is left of it."""
    n, horizon = 1500, 5
    returns = np.random.default_rng(4).normal(0.0, 0.03, n + horizon + 2)
    level = np.concatenate([[0.0], np.cumsum(returns)])
    y = level[horizon : horizon + n] - level[:n]
    late = level[horizon + 1 : horizon + 1 + n] - level[1 : n + 1]
    book = Book(horizon, y, late)
    sd = np.full((n, 1), 0.03 * np.sqrt(horizon))
    means = {rung: np.zeros(n) for rung in RUNGS} | {"M4": returns[:n]}
    book.write(np.arange(n), {rung: NormalMixture(np.ones((n, 1)), means[rung][:, None], sd) for rung in RUNGS}, "M4", 0, outer=True)
    leaking = skill_table(book.table(pd.bdate_range("2015-01-01", periods=n, name="session"), "BTC", horizon)).set_index("rung").loc["M4"]
    assert leaking["p"] < 1e-6
    assert leaking["p_delay1"] > 0.2


def test_skill_table_says_what_a_loop_over_its_rows_says():
    losses = losses_of(signal=0.3)
    table = skill_table(losses).set_index("rung")
    assert table.index.tolist() == [*RUNGS, SERVED]
    known = losses[losses["crps"].notna()]
    own, zero, mean = (known[known["rung"] == rung] for rung in ("M4", "B0", "M0"))
    assert table.loc["M4", "n"] == len(own) == 1200
    assert table.loc["M4", "n_independent"] == 240
    assert table.loc["M4", "best_baseline"] == "B0"
    assert table.loc["M4", "crps_skill"] == pytest.approx(1 - own["crps"].mean() / zero["crps"].mean())
    assert table.loc["M4", "brier"] == pytest.approx(np.mean([(p - (y > 0)) ** 2 for p, y in zip(own["p_up"], own["y"], strict=True)]))
    assert table.loc["M4", "coverage_80"] == pytest.approx(np.mean([0.1 <= u <= 0.9 for u in own["pit"]]))
    errors = [sum((y - m) ** 2 for y, m in zip(part["y"], part["mean"], strict=True)) for part in (own, mean)]
    assert table.loc["M4", "r2_oos"] == pytest.approx(1 - errors[0] / errors[1])
    bases = [known[known["rung"] == rung] for rung in BASELINES]
    against = [clark_west(own["y"].to_numpy(), base["mean"].to_numpy(), own["mean"].to_numpy(), 5) for base in bases]
    assert table.loc["M4", "p"] == max(each.p for each in against)  # a win counts against the best baseline
    assert table.loc["M4", "cw_t"] == min(each.t for each in against)
    gains = [adjusted_gain(own["y"].to_numpy(), base["mean"].to_numpy(), own["mean"].to_numpy()) for base in bases]
    assert table.loc["M4", "p_overlap"] == max(mean_of(each, 5).p for each in gains)
    cheaper = [smaller_loss(base["crps"].to_numpy(), own["crps"].to_numpy(), 5) for base in bases]
    assert table.loc["M4", "p_gain"] == max(each.p for each in cheaper)
    pit = own["pit"].to_numpy()
    assert table.loc["M4", "ks_p"] == pytest.approx(
        cauchy_combined(np.array([kstest(pit[k::5], "uniform").pvalue for k in range(5)])), abs=1e-3
    )
    served = known[known["rung"] == SERVED]
    missed = [max(lo - y, y - hi, 0) for y, lo, hi in zip(served["y"], served["lo80"], served["hi80"], strict=True)]
    assert table.loc[SERVED, "interval_score"] == pytest.approx((served["hi80"] - served["lo80"]).mean() + 10 * np.mean(missed))
    assert table.loc[list(BASELINES), ["p", "p_gain", "p_overlap"]].isna().all(axis=None)
    assert table.loc[SERVED, "p"] == table.loc["M4", "p"]
    assert table.loc[SERVED, "p_adjusted"] == 0.001  # a family of one, the least of 999 resamples
    assert table.loc["M1", ["p", "note"]].isna().tolist() == [True, False]
    assert table.loc["M1", "note"] == "same as B0"


def test_skill_is_found_where_it_is_and_not_where_it_is_not():
    found = skill_table(losses_of(signal=0.3)).set_index("rung")
    none = skill_table(losses_of(signal=0.0)).set_index("rung")
    assert found.loc[SERVED, "verdict"] == BEATS
    assert none.loc[SERVED, "verdict"] == INCONCLUSIVE
    assert set(found.drop(index=SERVED)["verdict"]) == {""}


def test_family_is_every_served_cell_of_the_table():
    one = losses_of(signal=0.3)
    two = pd.concat([one, one.assign(asset="ETH"), losses_of(signal=0.01).assign(asset="ALT")])
    table = skill_table(two)
    served = table[table["rung"] == SERVED].set_index("asset")
    assert served["p_adjusted"].notna().all()
    assert (served["p_adjusted"] >= served["p"]).all()
    assert served.loc["BTC", "p_adjusted"] == served.loc["ETH", "p_adjusted"] == 0.001  # twins cost each other nothing
    assert table[table["rung"] != SERVED]["p_adjusted"].isna().all()
    assert np.isnan(skill_table(pd.concat([one, one.assign(horizon=63)])).set_index(["horizon", "rung"]).loc[(63, SERVED), "p_adjusted"])


def test_statistics_are_not_computed_on_identical_losses_or_few_rows():
    same = skill_table(losses_of(signal=0.0).assign(crps=1.0)).set_index("rung")
    assert set(same.drop(index=list(BASELINES))["note"]) == {"same as B0"}
    assert same[["cw_t", "p", "p_overlap", "p_delay1", "p_gain", "p_adjusted"]].isna().all(axis=None)
    few = skill_table(losses_of(signal=0.3, n=MIN_ROWS * 5 - 1)).set_index("rung")
    assert few.loc[SERVED, "note"] == "fewer than 30 rows that do not overlap"
    assert few.loc[["M4", SERVED], ["p", "p_gain", "p_overlap", "ks_p", "berkowitz_p", "p_adjusted"]].isna().all(axis=None)
    assert few.loc[SERVED, "verdict"] == TOO_FEW


def test_scores_that_the_losses_hold_are_averaged_and_others_are_missing():
    losses = losses_of(signal=0.3)
    without = losses.drop(columns=[c for c in losses if c.startswith("pinball") or c == "log_score"])
    assert skill_table(without)[["log_score", "pinball"]].isna().all(axis=None)
    with_them = without.assign(log_score=2.0, pinball_05=0.1, pinball_25=0.2, pinball_50=0.3, pinball_75=0.4, pinball_95=0.5)
    table = skill_table(with_them)
    assert set(table["log_score"]) == {2.0}
    assert table["pinball"].tolist() == pytest.approx([0.3] * len(table))


def test_whole_grid_takes_less_than_five_seconds():
    """12 cells, 12 rungs and the served series, 3000 rows each: CPU time, arch imported before."""
    import arch.bootstrap  # noqa: F401

    rng, sessions = np.random.default_rng(0), pd.bdate_range("2012-01-01", periods=3000, name="session")
    rungs = [*RUNGS, *(f"X{k}" for k in range(12 - len(RUNGS))), SERVED]
    parts = []
    for asset in ("BTC", "ETH", "ALT"):
        for horizon in (5, 21, 63, 126):
            y = rng.normal(size=3000)
            cell = {"session": sessions, "asset": asset, "horizon": horizon, "y": y, "y_delay1": np.append(y[1:], np.nan), "outer": True}
            own = [{"rung": rung, "mean": rng.normal(size=3000), "crps": rng.gamma(2.0, size=3000)} for rung in rungs]
            chances = {"pit": rng.random(3000), "p_up": 0.5, "lo80": -1.3, "hi80": 1.3}
            parts += [pd.DataFrame(cell | each | chances) for each in own]
    losses, start = pd.concat(parts), time.process_time()
    table = skill_table(losses)
    spent = time.process_time() - start
    print(f"skill of {len(table)} cells and rungs: {spent:.1f} CPU s")  # noqa: T201
    assert len(table) == 12 * 13
    assert spent < 5


def test_rungs_are_compared_on_the_rows_on_which_all_have_spoken():
    silent = slice(100, 300)
    table = skill_table(losses_of(signal=0.3, silent=("M1", silent))).set_index("rung")
    assert set(table["n"]) == {1000}
    losses = losses_of(signal=0.3)
    sessions = losses["session"].unique()
    kept = skill_table(losses[~losses["session"].isin(sessions[silent])]).set_index("rung")
    assert table.loc[SERVED, "p"] == kept.loc[SERVED, "p"]


def test_rows_of_the_inner_walk_are_not_judged():
    losses = losses_of(signal=0.3)
    assert skill_table(losses.assign(outer=False)).empty
    half = losses["session"].unique()[600]
    table = skill_table(losses.assign(outer=losses["session"] >= half)).set_index("rung")
    assert table.loc[SERVED, "n"] == 600


def test_long_horizons_get_no_p_value():
    losses = losses_of(signal=0.3).assign(horizon=126)
    served = skill_table(losses).set_index("rung").loc[SERVED]
    assert np.isnan(served["p"])
    assert np.isnan(served["p_adjusted"])
    assert served["verdict"] == TOO_FEW
