"""Numbers as people read them."""

import numpy as np
import pytest

from serving import words


@pytest.mark.parametrize(
    ("log_return", "written"),
    [
        (None, "n/a"),
        (0.0, "0.0%"),
        (-1e-9, "0.0%"),
        (0.004, "+0.4%"),
        (np.log(1.09), "+9.0%"),
        (np.log(1.3), "+30%"),
        (np.log(0.5), "-50%"),
        (np.log(4.8), "+380%"),
    ],
)
def test_percent_turns_a_log_return_into_a_simple_one(log_return, written):
    assert words.percent(log_return) == written


@pytest.mark.parametrize(
    ("value", "written"), [(None, "n/a"), (0.0, "<.01"), (0.004, "<.01"), (0.5, ".50"), (0.714, ".71"), (0.996, ">.99"), (1.0, ">.99")]
)
def test_prob_never_says_certain(value, written):
    assert words.prob(value) == written


@pytest.mark.parametrize(("value", "written"), [(None, "n/a"), (0.0002, "under .001"), (0.0234, ".023"), (0.1, ".10"), (0.44, ".44")])
def test_p_value_keeps_the_digits_that_matter(value, written):
    assert words.p_value(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [(None, "no end"), (np.inf, "no end"), (4099861653.0, "no end"), (10_000.0, "10000"), (1.0, "1"), (89.6, "90")]
)
def test_stay_without_an_end_is_told_from_one_that_ends(value, written):
    assert words.stay(value) == written
    assert words.ends(value) is (written != "no end")
