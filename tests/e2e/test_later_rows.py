"""A model trained on a market as it was known earlier goes on over the sessions that came since."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from features import feature_matrix
from models.errors import ScoringError
from models.scoring import SCORED, Scorer
from sources import simulate_market
from tests.e2e.command import small_config
from training.artefact import make_scorer
from training.config import TrainConfig
from training.study import make_table, run_study

LATER = 40
EXACT = {"check_exact": False, "rtol": 1e-12, "atol": 0}


@pytest.fixture(scope="module")
def market():
    return simulate_market(years=8, n_stocks=40)


@pytest.fixture(scope="module")
def scorer(market) -> Scorer:
    """Train on the market as it was known `LATER` sessions before its end."""
    known = market.as_of((market.sessions[-LATER - 1] + pd.Timedelta(days=1)).tz_localize("UTC"))
    tree = small_config()
    tree["walk"]["start"] = pd.Timestamp(tree["walk"]["start"]).date()
    config = TrainConfig.model_validate(tree)
    scorer = make_scorer(run_study(make_table(known, config, lambda *_: None), config, lambda *_: None), config)
    # the book of verdicts decides which rung is served; continuing must work for the richest one
    return dataclasses.replace(scorer, cells=tuple(dataclasses.replace(cell, rung="M6") for cell in scorer.cells))


@pytest.fixture(scope="module")
def rows(market) -> pd.DataFrame:
    return feature_matrix(market).rename_axis("session").reset_index()


def test_training_ended_where_it_should(scorer, rows):
    assert scorer.trained_to == rows["session"].iloc[-LATER - 1]


def test_past_rows_are_as_published_and_later_ones_are_scored(scorer, rows):
    answers = scorer.score(rows)
    assert answers["session"].tolist() == rows["session"].tolist()
    pd.testing.assert_frame_equal(answers.iloc[:-LATER].reset_index(drop=True), scorer.published, **EXACT)
    later = answers.iloc[-LATER:]
    assert set(later["status"]) == {SCORED}
    assert later.filter(regex="^p_|_median$").notna().all().all()


def test_later_rows_in_one_request_equal_growing_requests(scorer, rows):
    later = rows.iloc[-LATER:]
    at_once = scorer.score(later)
    grown = pd.concat([scorer.score(later.iloc[: n + 1]).iloc[[-1]] for n in range(LATER)], ignore_index=True)
    pd.testing.assert_frame_equal(grown, at_once, **EXACT)
    with_past = scorer.score(rows).iloc[-LATER:].reset_index(drop=True)
    pd.testing.assert_frame_equal(with_past, at_once, **EXACT)


def test_later_probabilities_equal_filtering_everything_in_one_go(scorer, rows):
    model = scorer.regime
    start = int(rows["session"].searchsorted(scorer.published["session"].iloc[0]))
    states = model.filter_states(rows.iloc[start:])
    np.testing.assert_allclose(states[-LATER - 1], scorer.last_state, rtol=1e-9)
    whole = model.proba(states)
    answers = scorer.score(rows.iloc[-LATER:])[[f"p_{name}" for name in scorer.names]]
    np.testing.assert_allclose(answers.to_numpy(), whole[-LATER:], rtol=1e-9, atol=1e-300)


def test_order_of_the_rows_does_not_matter(scorer, rows):
    later = rows.iloc[-LATER:]
    pd.testing.assert_frame_equal(scorer.score(later.sample(frac=1, random_state=0)), scorer.score(later), **EXACT)


def test_later_row_needs_no_value(scorer, rows):
    later = rows.iloc[-LATER:].copy()
    later.loc[later.index[1], list(scorer.columns)] = np.nan
    answers = scorer.score(later)
    assert answers["p_risk_on"].notna().all()
    assert answers.iloc[0].equals(scorer.score(later.iloc[:1]).iloc[0])


@pytest.mark.parametrize("gone", [0, 1, 17])
def test_gap_names_the_missing_session(scorer, rows, gone):
    later = rows.iloc[-LATER:].reset_index(drop=True)
    missing = f"{later['session'].iloc[gone]:%Y-%m-%d}"
    with pytest.raises(ScoringError, match=f"session {missing} is missing"):
        scorer.score(later.drop(index=gone))


def test_row_on_no_session_is_named(scorer, rows):
    later = rows.iloc[-LATER:].copy()
    holiday = pd.Timestamp("2024-12-25")
    with pytest.raises(ScoringError, match=r"2024-12-2\d is missing \(the row there is 2024-12-25\)"):
        scorer.score(pd.concat([later, later.iloc[[-1]].assign(session=holiday)]))
    with pytest.raises(ScoringError, match="2023-12-25 was no session in training"):
        scorer.score(later.iloc[[0]].assign(session=pd.Timestamp("2023-12-25")))
