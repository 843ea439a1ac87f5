"""What specifications say apart from their average, and where the spread of refits comes from, against plain loops."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.answers import range_columns
from training.config import RegimeConfig, SpecificationConfig
from training.specifications import differs, newest_spread, other_days

BASE = RegimeConfig(columns=["momentum__ret_1"], score_column="momentum__ret_1", kappa=100.0)


@given(arrays(np.float64, (6, 3), elements=st.floats(0, 1, width=16)))
def test_a_day_is_ambiguous_where_some_member_is_on_the_other_side_of_the_average(members):
    apart = [[(p >= 0.5) != (np.mean(row) >= 0.5) for p in row] for row in members]
    np.testing.assert_allclose(other_days(members), np.mean(apart, axis=0))
    ambiguous = range_columns("risk_on", None, members[:, :, None], len(members))["ambiguous"]
    assert ambiguous.tolist() == [any(row) for row in apart]


def refits(means: list[float], sd: float, n: int = 40) -> SimpleNamespace:
    """A study whose newest session has `n` refits around the mean of each specification."""
    noise = np.tile([-sd, sd], n // 2)
    newest = np.concatenate([mean + noise for mean in means])
    states = np.stack([np.full((2, len(newest)), 0.5), np.stack([newest, 1.0 - newest])], axis=0).transpose(0, 2, 1)
    return SimpleNamespace(ensemble=SimpleNamespace(names=tuple(np.repeat(["a", "b"], n)[: len(newest)])), ensemble_states=states)


@pytest.mark.parametrize(("means", "sd", "between"), [([0.5, 0.5], 0.1, 0.0), ([0.4, 0.6], 0.0, 1.0), ([0.4, 0.6], 0.1, 0.5)])
def test_spread_is_parted_as_it_was_made(means, sd, between):
    told = newest_spread(refits(means, sd))
    assert told["specification"] == pytest.approx(between, abs=1e-12)
    assert told["parameters"] == pytest.approx(1.0 - between, abs=1e-12)
    assert told["sd"] == pytest.approx(np.hypot(0.1 if means[0] != means[1] else 0.0, sd))


def test_spread_of_one_specification_or_of_refits_that_agree_is_not_parted():
    assert newest_spread(refits([0.5], 0.1)) is None
    assert newest_spread(refits([0.5, 0.5], 0.001)) is None
    assert newest_spread(SimpleNamespace(ensemble=None, ensemble_states=None)) is None


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({}, "Gaussian, all history, staying put weighs 100"),
        ({"emission": "student"}, "heavy tails (Student-t)"),
        ({"emission": "gaussian", "window": 2520, "kappa": 100.0}, "fitted on the newest 2520 sessions"),
        ({"kappa": 300.0, "clip": 3.0}, "staying put weighs 300 in place of 100, values beyond 3 sd read as 3"),
    ],
)
def test_specification_says_what_it_has_of_its_own(own, words):
    assert differs(SpecificationConfig(name="x", **own), BASE) == words
