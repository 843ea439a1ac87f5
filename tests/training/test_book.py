"""The book of forecasts: choices made of known outcomes alone, and a table that says what was written."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from models.conformal import LEVELS, delayed_aci
from models.distribution import NormalMixture
from models.forecast import BASELINES, RUNGS
from models.scores import crps
from training.book import INTERVALS, MIN_KNOWN, NEVER, OUTCOMES, PINBALL, SERVED, Book, lock_away
from training.evaluation.overlap import mean_of

N, HORIZON, BLOCK = 300, 5, 50


def forecasts_of(rng: np.random.Generator, n: int) -> dict[str, NormalMixture]:
    return {rung: NormalMixture(np.ones((n, 1)), rng.normal(0, 1, size=(n, 1)), rng.uniform(0.5, 2, size=(n, 1))) for rung in RUNGS}


def walked(y: np.ndarray, seed: int, n_blocks: int = N // BLOCK) -> tuple[Book, list[tuple[str, str]]]:
    """Fill a book block by block, as the walk does: the choice on row t may know outcomes of rows up to t - HORIZON."""
    rng = np.random.default_rng(seed)
    book, choices = Book(HORIZON, y, np.append(y[1:], np.nan)), []
    for number in range(n_blocks):
        block = np.arange(number * BLOCK, (number + 1) * BLOCK)
        rung, baseline = book.choose(int(block[0]) - HORIZON)
        choices.append((rung, baseline))
        book.write(block, forecasts_of(rng, BLOCK), rung, number, outer=number >= 2)
    return book, choices


@given(st.integers(0, 2000), st.integers(1, N // BLOCK - 1), st.floats(-50, 50))
def test_choice_does_not_change_with_outcomes_that_are_not_known_yet(seed, number, shift):
    """Outcomes of rows after t - HORIZON end after t: whatever they are, the choice on t stands."""
    y = np.random.default_rng(seed).normal(size=N)
    later = y.copy()
    later[number * BLOCK - HORIZON + 1 :] += shift
    assert walked(later, seed)[1][: number + 1] == walked(y, seed)[1][: number + 1]


def scored(scores: np.ndarray) -> Book:
    """A book that holds these scores and nothing else, (n_rungs, n_obs)."""
    book = Book(HORIZON, np.zeros(scores.shape[1]), np.zeros(scores.shape[1]))
    book.crps = scores
    return book


def test_choice_uses_the_newest_outcome_that_is_known_and_none_after_it():
    """Rungs alike on every row but a stretch: M3 is better up to the newest known row, M6 by far from the next one on."""
    scores = np.ones((len(RUNGS), N))
    newest, names = 150, list(RUNGS)
    scores[names.index("M3"), 140 : newest + 1] = 0.5
    scores[names.index("M6"), newest + 1 :] = 0.1
    assert scored(scores).choose(newest)[0] == "M3"
    assert scored(scores).choose(newest + 20)[0] == "M6"


def test_choice_waits_for_rows_that_do_not_overlap():
    scores = np.linspace(2, 1, len(RUNGS))[:, None] * np.ones(N)
    enough = MIN_KNOWN * HORIZON
    assert scored(scores).choose(enough - 2) == ("M0", "M0")
    assert scored(scores).choose(enough - 1) == (list(RUNGS)[-1], "M0")


def test_choice_is_the_least_mean_score_that_saves_more_than_its_standard_error():
    rng = np.random.default_rng(1)
    chosen = set()
    for gain in (0.0, 0.02, 0.2):
        scores = rng.normal(1, 0.3, size=(len(RUNGS), N))
        scores[list(RUNGS).index("M4")] -= gain
        newest = 200
        mean = {name: np.mean([scores[k, t] for t in range(newest + 1)]) for k, name in enumerate(RUNGS)}
        for place, candidates in enumerate((tuple(RUNGS), BASELINES)):
            best = min(candidates, key=mean.get)
            saved = mean_of((scores[list(RUNGS).index("M0")] - scores[list(RUNGS).index(best)])[: newest + 1], HORIZON)
            expected = best if saved.mean > saved.error else "M0"
            assert scored(scores).choose(newest)[place] == expected
            chosen.add(expected)
    assert {"M0", "M4"} <= chosen


def test_luck_does_not_leave_the_expanding_mean():
    """Rungs of equal worth and nothing in common, the hardest case: the least mean is hardly ever M0's."""
    rng = np.random.default_rng(2)
    home = [scored(rng.normal(1, 0.3, size=(len(RUNGS), N))).choose(N - 1)[0] == "M0" for _ in range(200)]
    assert np.mean(home) > 2 / len(RUNGS)  # 1 / len by least mean alone


def test_choice_compares_rungs_on_the_rows_on_which_all_have_spoken():
    scores = np.linspace(2, 1, len(RUNGS))[:, None] * np.ones(N)  # the last rung is the best ...
    scores[:, :100] = 10 * np.linspace(1, 2, len(RUNGS))[:, None]  # ... but on the first rows, where B0 is, by more
    assert scored(scores).choose(199)[0] == "B0"
    scores[list(RUNGS).index("M1"), :100] = np.nan
    assert scored(scores).choose(199)[0] == list(RUNGS)[-1]


@pytest.mark.parametrize("newest", [-HORIZON, -1])
def test_nothing_known_serves_the_expanding_mean(newest):
    book, _ = walked(np.random.default_rng(3).normal(size=N), 3)
    assert book.choose(newest) == ("M0", "M0")


def test_table_holds_every_rung_and_the_served_series_as_written():
    rng = np.random.default_rng(4)
    y = rng.normal(size=N)
    y[-HORIZON:] = np.nan
    book, choices = walked(y, 4, n_blocks=5)
    sessions = pd.bdate_range("2020-01-01", periods=N, name="session")
    table = book.table(sessions, "BTC", HORIZON)
    assert len(table) == (len(RUNGS) + 1) * 5 * BLOCK  # the last block was never forecast
    assert table["rung"].unique().tolist() == [*RUNGS, SERVED]
    assert not table.loc[table["session"] < sessions[2 * BLOCK], "outer"].any()
    assert table.loc[table["session"] >= sessions[2 * BLOCK], "outer"].all()
    served = table[table["rung"] == SERVED].set_index("session")
    assert served["chosen"].tolist() == [rung for rung, _ in choices for _ in range(BLOCK)]
    shared = ["mean", "sd", "p_up", *(name for name in OUTCOMES if not name.startswith("y"))]
    for session, row in served.iterrows():
        own = table[(table["session"] == session) & (table["rung"] == row["chosen"])].iloc[0]
        assert own[shared].equals(row[shared])
        assert row[["lo90", "lo80", "lo50", "median", "hi50", "hi80", "hi90"]].is_monotonic_increasing
        assert row["median"] == pytest.approx(row["mean"], abs=1e-12)  # these forecasts are symmetric
    assert (book.refit[5 * BLOCK :] == NEVER).all()


def test_quantiles_are_those_of_the_rung_that_was_chosen():
    book, _ = walked(np.random.default_rng(6).normal(size=N), 6)
    table = book.table(pd.bdate_range("2020-01-01", periods=N, name="session"), "BTC", HORIZON)
    served = table[table["rung"] == SERVED]
    for name, level in INTERVALS.items():  # forecasts of one part
        np.testing.assert_allclose(served[name], served["mean"] + served["sd"] * norm.ppf(level), rtol=0, atol=1e-12)


def test_scores_are_those_of_the_forecast_and_missing_while_the_outcome_is():
    y = np.array([0.3, np.nan])
    book = Book(HORIZON, y, y)
    made = forecasts_of(np.random.default_rng(5), 2)
    book.write(np.arange(2), made, "M3", 0, outer=True)
    table = book.table(pd.bdate_range("2020-01-01", periods=2, name="session"), "BTC", HORIZON).set_index("rung")
    for k, rung in enumerate(RUNGS):
        first, second = table.loc[rung].iloc[0], table.loc[rung].iloc[1]
        forecast, mean, sd = made[rung], made[rung].mean()[0], made[rung].sd()[0]
        assert book.crps[k, 0] == crps(y, forecast)[0] == first["crps"]
        assert second["p_up"] == 1 - forecast.cdf(np.zeros(2))[1]
        assert first["pit"] == forecast.cdf(y)[0]
        assert first["log_score"] == pytest.approx(-norm.logpdf(0.3, mean, sd), rel=1e-12)
        for name, level in PINBALL.items():
            gap = 0.3 - (mean + sd * norm.ppf(level))
            assert first[name] == pytest.approx(max(level * gap, (level - 1) * gap), abs=1e-12)
        assert second[list(OUTCOMES)].isna().all()


def test_score_at_equal_shape_differs_by_the_means_alone():
    """The shape of each rung about the expanding mean: of M0 itself its own CRPS, of any other the CRPS of N(mean of M0, its sd)."""
    y = np.random.default_rng(7).normal(size=N)
    book, _ = walked(y, 7)
    table = book.table(pd.bdate_range("2020-01-01", periods=N, name="session"), "BTC", HORIZON)
    home = table[table["rung"] == "M0"]
    np.testing.assert_allclose(home["crps_baseline_shape"], home["crps"], rtol=1e-12)
    for _, part in table.groupby("rung"):
        moved = NormalMixture(np.ones((N, 1)), home[["mean"]].to_numpy(), part[["sd"]].to_numpy())
        np.testing.assert_allclose(part["crps_baseline_shape"], crps(y, moved), rtol=1e-12)


def test_calibrated_intervals_follow_from_outcomes_known_on_their_day():
    y = np.random.default_rng(8).standard_t(4, size=N)
    book, _ = walked(y, 8)
    table = book.table(pd.bdate_range("2020-01-01", periods=N, name="session"), "BTC", HORIZON)
    served = table[table["rung"] == SERVED]
    miss = (np.abs(y - served["mean"]) / served["sd"]).to_numpy()
    for name, level in LEVELS.items():
        width = delayed_aci(miss, HORIZON, level).half_width
        np.testing.assert_array_equal(book.half_widths()[name], width)
        np.testing.assert_allclose(served[f"hi{name}_conformal"], served["mean"] + served["sd"] * width, rtol=1e-12)
        np.testing.assert_allclose(served[f"lo{name}_conformal"], served["mean"] - served["sd"] * width, rtol=1e-12)
    assert np.isinf(served["hi90_conformal"].iloc[: HORIZON + 8]).all()
    assert np.isfinite(served["hi90_conformal"].iloc[HORIZON + 8 :]).mean() > 0.9


@pytest.mark.parametrize("number", [2, 4])
def test_half_widths_do_not_change_with_outcomes_that_are_not_known_yet(number):
    y = np.random.default_rng(9).normal(size=N)
    later = y.copy()
    at = number * BLOCK
    later[at - HORIZON + 1 :] *= 10
    for name in LEVELS:
        one, other = walked(y, 9)[0].half_widths()[name], walked(later, 9)[0].half_widths()[name]
        np.testing.assert_array_equal(one[: at + 1], other[: at + 1])
        assert (one[at + 1 :] != other[at + 1 :]).any()


def test_lock_away_keeps_what_was_said_and_hides_what_became_of_it():
    y = np.random.default_rng(10).normal(size=N)
    book, _ = walked(y, 10)
    sessions = pd.bdate_range("2020-01-01", periods=N, name="session")
    table = book.table(sessions, "BTC", HORIZON)
    table["lockbox"] = table["session"] >= sessions[200]
    seen, locked = lock_away(table)
    inside = table["lockbox"]
    assert seen.loc[inside, list(OUTCOMES)].isna().all(axis=None)
    pd.testing.assert_frame_equal(seen[~inside], table[~inside])
    said = [name for name in table if name not in OUTCOMES]
    pd.testing.assert_frame_equal(seen[said], table[said])
    pd.testing.assert_frame_equal(locked, table[inside].reset_index(drop=True))
    assert table.loc[inside, "crps"].notna().any()  # the table itself stays as it is
