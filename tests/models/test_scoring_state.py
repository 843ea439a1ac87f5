"""One observation is one update: stored between any two, the state goes on to the bit, and what is no state is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.errors import ScoringError
from models.rows import take
from models.scoring import Scorer
from models.scoring_state import ScoringState
from tests.models.test_scoring import DAYS, N_PUBLISHED, REGIMES, feature_rows, hmm_regime, scorer_of

LATER = DAYS[N_PUBLISHED:].to_numpy()


def one_by_one(scorer: Scorer, values: np.ndarray) -> tuple[pd.DataFrame, ScoringState]:
    state, answers = scorer.begin, []
    for session, row in zip(LATER, values, strict=True):
        told, newest = scorer.observe(state, session, row)
        state = scorer.begin.from_bytes(newest.to_bytes())
        answers.append(pd.DataFrame(told))
    return pd.concat(answers, ignore_index=True), state


@pytest.mark.parametrize("kind", REGIMES)
@pytest.mark.parametrize("with_ensemble", [False, True])
def test_observations_one_by_one_through_storage_are_the_scores_of_all_rows(kind, with_ensemble):
    scorer = scorer_of(REGIMES[kind](), with_ensemble)
    rows = feature_rows().iloc[N_PUBLISHED:]
    answers, state = one_by_one(scorer, take(rows, scorer.columns))
    exact = kind != "classifier"  # scikit-learn's matrix product rounds one row otherwise than many, in the last bit
    expected = scorer.score(rows)
    pd.testing.assert_frame_equal(
        answers[list(expected)], expected, **({"check_exact": True} if exact else {"rtol": 1e-13, "atol": 0}), check_dtype=False
    )
    assert state.n_after == len(LATER)


def test_missing_values_are_observations():
    scorer = scorer_of(hmm_regime())
    rows = feature_rows().iloc[N_PUBLISHED:].reset_index(drop=True)
    rows.loc[2:5, ["ret", "breadth"]] = np.nan
    answers, _ = one_by_one(scorer, take(rows, scorer.columns))
    pd.testing.assert_frame_equal(answers[list(scorer.published)], scorer.score(rows), check_exact=True, check_dtype=False)


def test_session_that_is_not_the_next_is_refused():
    scorer = scorer_of(hmm_regime())
    values = take(feature_rows(), scorer.columns)
    with pytest.raises(ScoringError, match=rf"session {DAYS[N_PUBLISHED]:%Y-%m-%d} is missing"):
        scorer.observe(scorer.begin, LATER[1], values[1])
    _, state = scorer.observe(scorer.begin, LATER[0], values[0])
    with pytest.raises(ScoringError, match=rf"session {DAYS[N_PUBLISHED + 1]:%Y-%m-%d} is missing"):
        scorer.observe(state, LATER[0], values[0])
    with pytest.raises(ScoringError, match="end of the calendar"):
        scorer.observe(replace(state, n_after=len(LATER)), LATER[0], values[0])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda kept: kept[:-1],
        lambda kept: kept + b"0",
        lambda kept: b"{}" + kept,
        lambda kept: b"",
        lambda kept: kept.replace(b'"format": 1', b'"format": 2'),
    ],
    ids=["cut short", "too long", "no head", "empty", "another format"],
)
def test_bytes_that_are_no_state_are_refused(spoil):
    begin = scorer_of(hmm_regime()).begin
    with pytest.raises(ScoringError, match="kept as format 1"):
        begin.from_bytes(spoil(begin.to_bytes()))


def test_state_of_a_model_of_another_shape_is_refused():
    with_refits, without = scorer_of(hmm_regime()).begin, scorer_of(hmm_regime(), with_ensemble=False).begin
    with pytest.raises(ScoringError, match="with arrays"):
        without.from_bytes(with_refits.to_bytes())
