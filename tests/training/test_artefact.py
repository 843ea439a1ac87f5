"""Which rung is served, and what is said of it."""

from types import SimpleNamespace

import numpy as np
import pytest

from serving.words import BEATS, INCONCLUSIVE, INFORMED
from training.artefact import served_rung


def cell(rung: str = "M3", baseline: str = "M0"):
    return SimpleNamespace(rung=rung, baseline=baseline)


def test_rung_that_beat_its_baseline_is_served():
    rung, why = served_rung(cell(), BEATS, own_p=0.01)
    assert rung == "M3"
    assert why.endswith("beat the best baseline out of sample")


@pytest.mark.parametrize("own_p", [0.051, np.nan])
def test_win_of_the_walks_choices_is_not_lent_to_a_rung_without_one_of_its_own(own_p):
    rung, why = served_rung(cell(), BEATS, own_p)
    assert rung == "M0"
    assert "the walk's choices beat it, the newest, M3, has not by itself" in why


@pytest.mark.parametrize("verdict", [INCONCLUSIVE, INFORMED])
def test_without_a_win_the_baseline_is_served_with_the_verdict(verdict):
    assert served_rung(cell(baseline="B0"), verdict, own_p=0.001) == ("B0", f"baseline B0 (no drift): {verdict}")


def test_baseline_chosen_by_the_inner_walk_is_served_whatever_the_verdict():
    assert served_rung(cell(rung="M0"), BEATS)[1] == "baseline M0 (expanding mean): the inner walk chose it"
    assert served_rung(cell(), "")[1] == "baseline M0 (expanding mean): no out-of-sample rows yet"
