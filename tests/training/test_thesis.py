"""What the card says of the thesis is what `appetite claims` says."""

import dataclasses

import numpy as np
import pytest

from training.claims.register import CLAIMS
from training.claims.timing import days_of
from training.claims.trial import hold_trial
from training.claims.values import as_values, looks_of
from training.thesis import thesis_of


def nothing(_word, _done, _all):
    return None


@pytest.fixture(scope="module")
def trial(sample_market):
    return hold_trial(sample_market, nothing)


@pytest.fixture(scope="module")
def thesis(sample_market):
    return thesis_of(sample_market, ["BTC", "ALT"], nothing)


def test_claims_have_the_verdicts_and_figures_of_the_trial(trial, thesis):
    told = {each["name"]: each for each in as_values(trial)["claims"]}
    assert [each["name"] for each in thesis["claims"]] == [*(claim.name for claim in CLAIMS), "C6", "C7"]
    for own in thesis["claims"]:
        assert own["verdict"] == told[own["name"]]["verdict"]
    for own, judged in zip(thesis["claims"], trial.judged, strict=False):
        figures = (judged.cell.shift.n, judged.cell.shift.p_above, judged.cell.adjusted[0], judged.cell.base.up)
        np.testing.assert_array_equal([own["n"], own["p"], own["p_adjusted"], own["base_up"]], figures)
        assert own["log_returns"] == list(judged.cell.returns)
    assert (thesis["looks"], thesis["draws"]) == (looks_of(trial), trial.draws)


def test_history_is_of_the_events_that_count(trial, thesis):
    events = trial.events[(trial.events["series"] == "R2000") & (trial.events["state"] == "breakout_confirmed")]
    counted = events[events["counted"].astype(bool)]
    assert len(counted) > 0
    for each in thesis["history"]:
        assert each["n"] + each["before_prices"] + len(each["not_over"]) == len(counted)
        assert len(each["dates"]) == len(each["log_returns"]) == each["n"]
    assert {each["asset"] for each in thesis["history"]} == {"BTC", "ALT"}


def test_lag_is_that_of_the_trial_in_days(trial, thesis):
    for told, timing in zip(thesis["lag"], trial.timing, strict=True):
        assert (told["asset"], told["leads"], told["p_adjusted"]) == (timing.asset, timing.leads, timing.p_lead)
        for way, profile in zip(told["conventions"], timing.profiles.values(), strict=True):
            assert (way["same_day"], way["p"], way["best"]) == (profile.at(0), profile.p, profile.best)
            assert way["best_days"] == (None if profile.best is None else days_of(profile.best))


def test_market_without_small_caps_is_not_judged(sample_market):
    closes = sample_market.prices
    other = dataclasses.replace(sample_market, prices=closes[closes["series"] != "R2000"])
    assert thesis_of(other, ["BTC"], nothing) is None
