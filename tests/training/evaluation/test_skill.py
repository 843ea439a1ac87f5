"""Tests of skill: against a loop, against another library, and their size where there is no skill."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control
from scipy.stats import t as student

from models.distribution import NormalMixture
from models.forecast import BASELINES, RUNGS
from serving.card import LONGEST_CONFIRMED
from serving.words import BEATS, DESCRIPTIVE, INCONCLUSIVE, INFORMED, TOO_FEW
from training.book import SERVED, Book
from training.evaluation.skill import LONGEST_TESTED, MIN_ROWS, _verdict, clark_west, holm, skill_table, smaller_loss


def plain_clark_west(y: list[float], baseline: list[float], forecast: list[float], horizon: int) -> tuple[float, float]:
    """The statistic and its p-value, written out row by row."""
    f = []
    for outcome, small, large in zip(y, baseline, forecast, strict=True):
        f.append((outcome - small) ** 2 - ((outcome - large) ** 2 - (small - large) ** 2))
    n, df = len(f), max(4, len(f) // (2 * horizon))
    squares = []
    for j in range(1, df + 1):
        cosine = sum(value * math.cos(math.pi * j * (t + 0.5) / n) for t, value in enumerate(f)) * math.sqrt(2 / n)
        squares.append(cosine**2)
    statistic = sum(f) / n / math.sqrt(sum(squares) / df / n)
    return statistic, float(student.sf(statistic, df))


@pytest.mark.parametrize("horizon", [1, 5, 21])
def test_clark_west_equals_a_loop(horizon):
    rng = np.random.default_rng(horizon)
    y, baseline, forecast = rng.normal(size=(3, 1000))
    got = clark_west(y, baseline, forecast, horizon)
    statistic, p = plain_clark_west(y.tolist(), baseline.tolist(), forecast.tolist(), horizon)
    assert got.t == pytest.approx(statistic, rel=1e-9)
    assert got.p == pytest.approx(p, rel=1e-9)
    assert got.n == 1000 // horizon


def test_clark_west_of_one_session_is_close_to_the_published_form():
    """Clark and West (2007, p. 294): regress f on a constant and use the t-statistic; cosines of white noise estimate the same variance."""
    rng = np.random.default_rng(0)
    y, baseline, forecast = rng.normal(size=(3, 20_000))
    f = (y - baseline) ** 2 - (y - forecast) ** 2 + (baseline - forecast) ** 2
    assert clark_west(y, baseline, forecast, 1).t == pytest.approx(f.mean() / (f.std(ddof=1) / np.sqrt(20_000)), rel=0.03)


def test_clark_west_needs_enough_independent_rows():
    rng = np.random.default_rng(0)
    short = rng.normal(size=(3, MIN_ROWS * 21 - 1))
    assert np.isnan(clark_west(*short, 21).p)
    assert not np.isnan(clark_west(*rng.normal(size=(3, MIN_ROWS * 21)), 21).p)


def test_forecast_that_never_differs_has_no_skill():
    y = np.random.default_rng(0).normal(size=300)
    got = clark_west(y, y * 0 + 0.1, y * 0 + 0.1, 5)
    assert (got.t, got.p) == (0.0, 1.0)


def overlapping_worlds(horizon: int, reps: int, effect: float, n_obs: int = 2500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcome, expanding mean and expanding regression on a persistent predictor, (reps, out-of-sample rows) each.

    Refitted every 63 rows on labels known by then; out of sample from row 1000 on.
    """
    rng = np.random.default_rng(horizon)
    shocks = rng.standard_normal((reps, n_obs))
    x = np.empty_like(shocks)
    x[:, 0] = shocks[:, 0]
    for t in range(1, n_obs):
        x[:, t] = 0.98 * x[:, t - 1] + np.sqrt(1 - 0.98**2) * shocks[:, t]
    returns = effect * np.roll(x, 1, axis=1) + rng.standard_normal((reps, n_obs))
    level = np.concatenate([np.zeros((reps, 1)), np.cumsum(returns[:, 1:], axis=1)], axis=1)
    y = level[:, horizon:] - level[:, :-horizon]
    x = x[:, : y.shape[1]]
    mean, fitted = np.empty_like(y), np.empty_like(y)
    for row in range(1000, y.shape[1], 63):
        past, block = slice(0, row - horizon + 1), slice(row, row + 63)
        x_bar, y_bar = x[:, past].mean(axis=1, keepdims=True), y[:, past].mean(axis=1, keepdims=True)
        apart = x[:, past] - x_bar
        slope = (apart * y[:, past]).sum(axis=1, keepdims=True) / (apart**2).sum(axis=1, keepdims=True)
        mean[:, block] = y_bar
        fitted[:, block] = y_bar + slope * (x[:, block] - x_bar)
    return y[:, 1000:], mean[:, 1000:], fitted[:, 1000:]


def rejections(horizon: int, effect: float, reps: int = 400) -> float:
    return float(np.mean([clark_west(*world, horizon).p <= 0.05 for world in zip(*overlapping_worlds(horizon, reps, effect), strict=True)]))


@pytest.mark.parametrize("horizon", [5, 21])
def test_clark_west_keeps_its_level_on_overlapping_targets(horizon):
    """METHODS A6: at most .085 at nominal .05 (standard error .011 with 400 worlds); a t-test that takes rows for independent fails it."""
    size = rejections(horizon, effect=0.0)
    print(f"size at nominal .05, h={horizon}: {size:.4f}")  # noqa: T201
    assert size <= 0.085
    y, mean, fitted = overlapping_worlds(horizon, 400, 0.0)
    f = (y - mean) ** 2 - (y - fitted) ** 2 + (mean - fitted) ** 2
    naive = f.mean(axis=1) / (f.std(axis=1) / np.sqrt(f.shape[1]))
    assert np.mean(naive > 1.645) > 0.12  # the negative control


@pytest.mark.parametrize(("horizon", "least"), [(5, 0.9), (21, 0.7)])
def test_clark_west_finds_an_effect_that_is_there(horizon, least):
    """A slope of .1 standard deviations a session on a persistent predictor: some 4% of the variance over 5 sessions."""
    assert rejections(horizon, effect=0.1, reps=100) >= least


@pytest.mark.parametrize("seed", range(5))
def test_holm_equals_its_definition(seed):
    rng = np.random.default_rng(seed)
    p = pd.Series(rng.random(9) ** 3, index=list("abcdefghi"))
    p.iloc[[2, 5]] = np.nan
    got = holm(p)
    family = p.dropna()
    for name, value in family.items():
        # adjusted p of a hypothesis: the largest of (m - rank + 1) * p over those ranked up to it
        expected = max(min(1.0, q * int((family >= q).sum())) for q in family if q <= value)
        assert got[name] == pytest.approx(expected, rel=1e-12)
    assert got.isna().equals(p.isna())


def test_holm_by_hand():
    assert holm(pd.Series([0.01, 0.04, 0.03, 0.005])).round(10).tolist() == [0.03, 0.06, 0.06, 0.02]  # Wikipedia's example of 4 hypotheses
    assert holm(pd.Series([np.nan, np.nan])).isna().all()


def test_holm_is_no_laxer_than_a_procedure_of_lesser_control():
    p = np.random.default_rng(7).random(20) ** 4
    assert (holm(pd.Series(p)).to_numpy() >= false_discovery_control(p) - 1e-12).all()


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
    against = [clark_west(own["y"].to_numpy(), base["mean"].to_numpy(), own["mean"].to_numpy(), 5) for base in (zero, mean)]
    assert table.loc["M4", "p"] == max(each.p for each in against)  # a win counts against the better baseline
    assert table.loc["M4", "cw_t"] == min(each.t for each in against)
    cheaper = [smaller_loss(base["crps"].to_numpy(), own["crps"].to_numpy(), 5) for base in (zero, mean)]
    assert table.loc["M4", "p_gain"] == max(each.p for each in cheaper)
    assert table.loc[list(BASELINES), ["p", "p_gain"]].isna().all(axis=None)
    assert table.loc[SERVED, "p_adjusted"] == table.loc[SERVED, "p"] == table.loc["M4", "p"]  # a family of one


def test_skill_is_found_where_it_is_and_not_where_it_is_not():
    found = skill_table(losses_of(signal=0.3)).set_index("rung")
    none = skill_table(losses_of(signal=0.0)).set_index("rung")
    assert found.loc[SERVED, "verdict"] == BEATS
    assert none.loc[SERVED, "verdict"] == INCONCLUSIVE
    assert set(found.drop(index=SERVED)["verdict"]) == {""}


def test_family_is_every_served_cell_of_the_table():
    one = losses_of(signal=0.3)
    two = pd.concat([one, one.assign(asset="ETH"), losses_of(signal=0.0).assign(asset="ALT")])
    table = skill_table(two)
    served = table[table["rung"] == SERVED].set_index("asset")
    expected = holm(served["p"])
    pd.testing.assert_series_equal(served["p_adjusted"], expected, check_names=False)
    assert served.loc["BTC", "p_adjusted"] == pytest.approx(3 * served.loc["BTC", "p"])


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
