"""What refits take back of what was published, against plain loops, and on what their names rest."""

import warnings
from dataclasses import replace

import mlflow
import numpy as np
import pandas as pd
import pytest

from models.answers import range_columns
from models.average import RegimeAverage
from models.degenerate import DegenerateFitWarning
from models.identity import UnsureMatchWarning
from models.scoring import UNIDENTIFIED
from tests.training.test_regimes import IDENTITY, SESSIONS, config, model
from training.record import log_warnings, regime_numbers
from training.refit import Refit
from training.refit_history import refit_history, renamed_share
from training.regimes import RegimeWalk, publish

BOUNDS = ((5, 12), (12, 20), (20, 30))
ENTER, LEAVE = 0.6, 0.4


def history_of(refits: list[Refit]) -> tuple[RegimeWalk, pd.DataFrame]:
    published, held = publish(SESSIONS, 2, refits, config())
    walk = RegimeWalk(2, tuple(refits), published, held)
    return walk, refit_history(walk, ENTER, LEAVE)


def wandering(seed: int = 0) -> list[Refit]:
    """Three refits of one walk that begins on row 2, each with a mind of its own."""
    rng = np.random.default_rng(seed)
    out = []
    for position, end in BOUNDS:
        p = rng.uniform(size=end - 2)
        probs = np.column_stack([p, 1.0 - p])
        out.append(Refit(position, end, model((0.1, -0.1), (1.0, 2.0)), probs, probs, (), (), churn=0.1))
    return out


def test_revision_and_renaming_agree_with_a_plain_loop():
    refits = wandering()
    walk, history = history_of(refits)
    assert history.index.tolist() == [SESSIONS[position] for position, _ in BOUNDS]
    assert np.isnan(history["revision"].iloc[0])
    assert np.isnan(history["renamed"].iloc[0])
    for k in (1, 2):
        moved, changed, held = [], [], False
        for row in range(BOUNDS[0][0], BOUNDS[k][0]):
            p = refits[k].probs[row - 2, 0]
            held = p >= LEAVE if held else p > ENTER
            moved.append(abs(p - walk.published["p_risk_on"].iloc[row]))
            changed.append(walk.published["regime"].iloc[row] != ("risk_on" if held else "risk_off"))
        assert history["revision"].iloc[k] == pytest.approx(np.mean(moved), abs=1e-12)
        assert history["renamed"].iloc[k] == pytest.approx(np.mean(changed), abs=1e-12)
        assert 0.0 < history["renamed"].iloc[k] < 1.0


def test_refit_that_repeats_what_was_published_takes_nothing_back():
    p = np.random.default_rng(1).uniform(size=28)
    probs = np.column_stack([p, 1.0 - p])
    same = [replace(each, probs=probs[: each.end - 2], states=probs[: each.end - 2]) for each in wandering()]
    _, history = history_of(same)
    assert history["revision"].tolist()[1:] == [0.0, 0.0]
    assert history["renamed"].tolist()[1:] == [0.0, 0.0]


def test_sessions_without_a_name_cannot_be_renamed():
    published = ["risk_on", UNIDENTIFIED, "risk_off", UNIDENTIFIED]
    assert renamed_share(published, ["risk_off"] * 4, ("risk_on", "risk_off")) == 0.5
    assert np.isnan(renamed_share([UNIDENTIFIED], ["risk_on"], ("risk_on", "risk_off")))


def test_history_says_on_what_names_rest_of_an_average_what_its_first_member_says():
    unsure = replace(IDENTITY, order_prob=0.9, gain_z=1.0, sd_ratio=1.1, mean_passed=False)
    lead = replace(model((0.1, -0.1), (1.0, 2.0)), identity=unsure)
    both = RegimeAverage(("one", "other"), (lead, model((0.1, -0.1), (1.0, 2.0))))
    states = np.stack([np.tile([0.7, 0.3], (28, 1)), np.tile([0.2, 0.8], (28, 1))], axis=1)
    states[-4:, 1] = [0.9, 0.1]  # agrees on the last four of the eighteen rows that are published
    made = Refit(12, 30, both, states, states.mean(axis=1), (), (), churn=0.0, margin=0.03)
    _, history = history_of([made])
    (row,) = history.to_dict("records")
    assert (row["order_prob"], row["gain_z"], row["sd_ratio"], row["failed"]) == (0.9, 1.0, 1.1, ("apart", "order", "gain"))
    assert (row["identified"], row["inverted"], row["margin"]) == (False, False, 0.03)
    assert row["ambiguous"] == pytest.approx(14 / 18)


def test_headline_numbers_are_those_of_the_published_sessions():
    refits = wandering()
    refits[1] = replace(refits[1], inverted=True)
    walk, history = history_of(refits)
    numbers = regime_numbers(history, walk.published)
    assert numbers["named_share"] == pytest.approx(17 / 25)  # 8 of 25 were published while names were swapped
    assert numbers["revision_median"] == pytest.approx(np.mean(history["revision"].iloc[1:]))
    assert np.isnan(numbers["ambiguous_share"])  # one specification cannot disagree with itself
    ranges = pd.DataFrame(range_columns("risk_on", None, np.tile([[[0.4], [0.6]]], (30, 1, 1)), 30), index=SESSIONS)
    averaged = walk.published.assign(**{name: ranges[name] for name in ranges})
    assert regime_numbers(history, averaged)["ambiguous_share"] == 1.0


def test_warnings_kept_with_a_run_are_those_of_fits_and_of_names(monkeypatch):
    kept = {}
    monkeypatch.setattr(mlflow, "log_text", lambda text, name: kept.update({name: text}))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for category, words in ((UnsureMatchWarning, "unsure"), (DegenerateFitWarning, "bad fit"), (UserWarning, "another's affair")):
            warnings.warn(words, category, stacklevel=1)
    log_warnings(caught)
    assert kept == {"warnings.txt": "bad fit\nunsure"}
