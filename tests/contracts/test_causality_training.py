"""What the walk-forward published stays: regimes, forecasts and choices ignore what became known later (METHODS A1, A12)."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hmmlearn.hmm import GaussianHMM

import training.refit
from features.market import Market
from features.momentum import LONGEST_WINDOW
from models.average import RegimeAverage
from models.degenerate import DegenerateFitWarning
from models.forecast import RUNGS
from models.inference import Array
from models.jump import row_losses
from models.jump_path import cheapest_path
from models.regime import RegimeHMM
from models.regime_jump import RegimeJump
from models.regime_tvtp import RegimeTVTP
from sources import simulate_market
from tests.contracts.harness import ALTERATIONS, assert_causal
from training.book import SERVED, Book
from training.config import TrainConfig, load_config
from training.study import Study, make_table, run_study

CONFIG = Path(__file__).resolve().parents[2] / "conf" / "train.yaml"
MIN_HISTORY = 504
SAID = ["mean", "sd", "p_up", "lo80", "median", "hi80", "chosen", "refit", "outer"]
"""What a forecast says; `y`, `crps` and `pit` are its outcome."""


def config_of(**changes: object) -> TrainConfig:
    small = {
        "assets": ["BTC"],
        "horizons": [5, 21],
        "walk.min_history": MIN_HISTORY,
        "forecast.min_rows": 200,
        "regime.bootstrap": 0,
        "regime.n_init": 2,
    }
    return load_config(CONFIG, **(small | changes))


def quiet(what: str, done: int, of: int) -> None:
    """Say nothing of progress."""


def study_of(market: Market, config: TrainConfig) -> Study:
    return run_study(make_table(market, config, quiet), config, quiet)


def said(study: Study) -> pd.DataFrame:
    """Everything published, keyed by session: the regimes, and each forecast of each rung."""
    regimes = study.regimes.published.assign(asset="", horizon=0, rung="regime")
    forecasts = study.forecasts.losses.set_index("session")[["asset", "horizon", "rung", *SAID]]
    table = pd.concat([regimes, forecasts.rename(columns={"refit": "forecast_refit"})])
    return table.set_index(table.index.rename("session")).sort_index(kind="stable")


def published(market: Market) -> pd.DataFrame:
    return said(study_of(market, config_of()))


def classified(market: Market) -> pd.DataFrame:
    return said(study_of(market, config_of(**{"regime.kind": "classifier", "horizons": [5]})))


def driven(market: Market) -> pd.DataFrame:
    changes = {"regime.kind": "tvtp", "regime.drivers": ["liquidity__vix", "breadth__panel_pct_above_200"], "regime.evidence": 2}
    return said(study_of(market, config_of(**changes, horizons=[5])))


def jumped(market: Market, penalty: float = 50.0) -> pd.DataFrame:
    changes = {"regime.kind": "jump", "regime.jump_continuous": True, "regime.jump_penalty": penalty}
    return said(study_of(market, config_of(**changes, horizons=[5])))


def cuts_of(market: Market, n: int, seed: int = 5) -> list[pd.Timestamp]:
    """Sessions after the first refit, the day of a refit and the last but one included."""
    first = int(market.sessions.searchsorted(pd.Timestamp(config_of().walk.start))) + MIN_HISTORY - 1
    rng = np.random.default_rng(seed)
    middle = rng.choice(np.arange(max(first + 1, LONGEST_WINDOW), len(market.sessions) - 2), n - 2, replace=False)
    refit = first + 63 * ((len(market.sessions) - 1 - first) // 63)
    return [market.sessions[i] for i in sorted({*middle.tolist(), refit, len(market.sessions) - 2})]


@pytest.fixture(scope="module")
def market() -> Market:
    return simulate_market(years=5, n_stocks=20, effect=0.01, seed=4)


@pytest.fixture(autouse=True)
def short_history_may_be_degenerate() -> Iterator[None]:
    """Two years are few for two regimes: whether a fit is good is not the question here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateFitWarning)
        yield


def test_published_regimes_and_forecasts_ignore_what_is_known_later(market):
    assert_causal(published, market, cuts_of(market, 3))


def test_published_classes_ignore_what_is_known_later(market):
    assert_causal(classified, market, cuts_of(market, 2), {"noise": ALTERATIONS["noise"]})


@pytest.mark.parametrize("published_by", [driven, jumped])
def test_published_regimes_of_other_kinds_ignore_what_is_known_later(market, published_by):
    assert_causal(published_by, market, cuts_of(market, 2), {"noise": ALTERATIONS["noise"]})


@pytest.mark.slow
@pytest.mark.parametrize("published_by", [driven, jumped])
def test_published_regimes_of_other_kinds_ignore_what_is_known_later_at_10_cuts(market, published_by):
    assert_causal(published_by, market, cuts_of(market, 10))


@pytest.mark.slow
def test_published_regimes_and_forecasts_ignore_what_is_known_later_at_25_cuts(market):
    assert_causal(published, market, cuts_of(market, 25))


def test_contract_covers_forecasts_of_every_rung_and_choices(market):
    """That the tables above are not empty: regimes, rungs, quantiles and choices have values on hundreds of rows."""
    table = published(market)
    counts = table.groupby("rung")["mean"].count()
    assert counts[SERVED] > 500
    assert counts.nunique() == 2  # none for the regimes, and all rungs alike
    assert table["p_risk_on"].notna().sum() > 500
    assert table.loc[table["rung"] == SERVED, "lo80"].notna().all()
    assert table["chosen"].nunique() > 1


def smoothed(model: RegimeHMM | RegimeAverage, frame: pd.DataFrame) -> Array:
    """hmmlearn's own probabilities: of each row given the whole sequence."""
    if isinstance(model, RegimeAverage):
        return np.stack([smoothed(each, frame) for each in model.members], axis=1)
    other = GaussianHMM(model.n_states, covariance_type="diag")
    other.startprob_, other.transmat_, other.means_ = model.params.start, model.params.trans, model.params.means
    other.covars_ = model.params.variances
    X = model.standardise(frame)
    return other.predict_proba(np.where(np.isnan(X), 0.0, X))


def test_smoothed_probabilities_fail_the_contract(market, monkeypatch):
    monkeypatch.setattr(training.refit, "filter_regimes", smoothed)
    with pytest.raises(AssertionError, match=r"changed column 'p_risk_on'"):
        assert_causal(published, market, cuts_of(market, 3))


def test_drivers_of_the_day_after_fail_the_contract(market, monkeypatch):
    """The move into a day driven by the day after it: a shift the wrong way."""
    honest = RegimeTVTP.driven_by

    def early(self: RegimeTVTP, frame: pd.DataFrame) -> Array:
        return np.roll(honest(self, frame), -2, axis=0)

    monkeypatch.setattr(RegimeTVTP, "driven_by", early)
    with pytest.raises(AssertionError, match=r"changed column 'p_risk_on'"):
        assert_causal(driven, market, cuts_of(market, 2), {"noise": ALTERATIONS["noise"]})


def test_cheapest_path_of_all_rows_fails_the_contract(market, monkeypatch):
    """What a jump model's own fit ends with; where switches are dear it bends long before a change."""

    def looking_back(self: RegimeJump, frame: pd.DataFrame, last: Array | None = None) -> Array:
        path, _ = cheapest_path(row_losses(self.standardise(frame), self.params), self.params.moves)
        return 1.0 - np.eye(len(self.params.vectors))[path]  # least cost where the path is

    dear, cuts, noise = partial(jumped, penalty=400.0), cuts_of(market, 3), {"noise": ALTERATIONS["noise"]}
    assert_causal(dear, market, cuts, noise)
    monkeypatch.setattr(RegimeJump, "filter_states", looking_back)
    with pytest.raises(AssertionError, match=r"changed column 'p_risk_on'"):
        assert_causal(dear, market, cuts, noise)


def test_choice_by_outcomes_that_are_not_known_yet_fails_the_contract(market, monkeypatch):
    """Rows that were forecast before the refit and end after it."""

    def peeking(self: Book, newest: int) -> tuple[str, str]:
        open_ = self.crps[:, max(newest + 1, 0) :]
        open_ = open_[:, ~np.isnan(open_).any(axis=0)]
        best = list(RUNGS)[int(open_.mean(axis=1).argmin())] if open_.size else "M0"
        return best, "M0"

    monkeypatch.setattr(Book, "choose", peeking)
    with pytest.raises(AssertionError, match=r"changed column"):
        assert_causal(published, market, cuts_of(market, 3), {"noise": ALTERATIONS["noise"]})


def test_unpurged_training_rows_fail_the_contract(market, monkeypatch):
    """Labels that end after the refit are known only because the market goes on."""
    import training.forecasts

    honest = training.forecasts._fit_cell

    def leaky(X, y, asset, horizon, refit, first, rows, config):
        return honest(X, y, asset, horizon, refit, first, np.arange(first, refit.position + 1), config)

    monkeypatch.setattr(training.forecasts, "_fit_cell", leaky)
    with pytest.raises(AssertionError, match=r"changed column 'mean'"):
        assert_causal(published, market, cuts_of(market, 3))


def test_refit_on_the_whole_history_fails_the_contract(market, monkeypatch):
    """One fit for all time, the usual mistake."""
    import training.regimes

    honest = training.regimes.make_refit

    def hindsight(X, price, first, position, end, *rest):
        late = honest(X, price, first, len(X) - 1, len(X), *rest)
        return replace(late, position=position, end=end)

    monkeypatch.setattr(training.regimes, "make_refit", hindsight)
    with pytest.raises(AssertionError, match=r"changed column 'p_risk_on'"):
        assert_causal(published, market, cuts_of(market, 3))
