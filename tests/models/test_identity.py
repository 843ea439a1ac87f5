"""What a state is called, and whether it may be."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from models.identity import (
    CRITERIA,
    MIN_MARGIN,
    Identity,
    UnsureMatchWarning,
    hellinger,
    hysteresis,
    identify,
    label_churn,
    match,
    match_margin,
    order_probability,
    revision,
    warn_if_unsure,
)
from models.inference import HMMParams
from tests.models.worlds import random_params

NAMED = Identity((0.08, -0.05), (0.001, -0.001), (0.01, 0.02), sd_ratio=2.0, mean_passed=True, order_prob=0.99)


def two_states(means: tuple[float, float], sds: tuple[float, float]) -> HMMParams:
    return HMMParams(np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.1, 0.9]]), np.array(means)[:, None], np.array(sds)[:, None] ** 2)


def named(params: HMMParams, days: tuple[float, float], center: float = 0.0, scale: float = 1.0) -> tuple[np.ndarray, Identity]:
    probs = np.array([[1.0, 0.0]] * int(days[0]) + [[0.0, 1.0]] * int(days[1]))
    return identify(probs, params, center, scale, 0)


def test_states_are_ordered_by_mean_over_standard_deviation_in_the_columns_own_unit():
    # standardised means say the first state is better; in the own unit (center -.004, scale .02) the second one is: -.05 against -.08
    order, identity = named(two_states((0.1, 0.0), (1.25, 4.0)), (300, 200), center=-0.004, scale=0.02)
    assert order.tolist() == [1, 0]
    np.testing.assert_allclose(identity.means, [-0.004, -0.002])
    np.testing.assert_allclose(identity.sds, [0.08, 0.025])
    np.testing.assert_allclose(identity.scores, [-0.05, -0.08])
    assert identity.sd_ratio == pytest.approx(0.025 / 0.08)


def test_naming_does_not_care_for_the_order_in_which_em_left_the_states():
    params = two_states((0.05, -0.1), (1.0, 2.0))
    one, other = named(params, (300, 100)), named(params.reordered(np.array([1, 0])), (100, 300))
    assert one[0].tolist() == [0, 1]
    assert other[0].tolist() == [1, 0]
    assert one[1].to_dict() == other[1].to_dict()


@pytest.mark.parametrize(("z", "passed"), [(1.95, False), (1.97, True)])
def test_mean_test_passes_at_two_sided_five_percent(z, passed):
    """The line is at 1.96 standard errors of a difference of two means, each with the days of its state."""
    error = np.sqrt(1.0**2 / 400 + 2.0**2 / 100)
    _, identity = named(two_states((z * error, 0.0), (1.0, 2.0)), (400, 100))
    assert identity.mean_passed is passed


@pytest.mark.parametrize(
    ("change", "identified"),
    [
        ({}, True),
        ({"mean_passed": False}, True),  # variance tells the states apart
        ({"mean_passed": False, "sd_ratio": 1.3}, True),
        ({"mean_passed": False, "sd_ratio": 1.29}, False),
        ({"sd_ratio": 1.0}, True),  # the mean does
        ({"order_prob": 0.975}, True),
        ({"order_prob": 0.97}, False),
        ({"order_prob": float("nan")}, True),  # no bootstrap was run
        ({"order_prob": float("nan"), "mean_passed": False, "sd_ratio": 0.5}, False),  # turbulent days named risk-on need a mean
        ({"gain_z": 1.65}, True),
        ({"gain_z": 1.64}, False),  # one state foretells the column as well
        ({"gain_z": 9.0, "order_prob": 0.97}, False),
    ],
)
def test_identified_needs_a_difference_and_a_stable_order(change, identified):
    assert replace(NAMED, **change).identified is identified


@pytest.mark.parametrize(("z", "seed"), [(0.0, 0), (1.0, 1), (1.96, 2), (3.0, 3)])
def test_order_probability_is_that_of_a_normal_difference(z, seed):
    """Against the law that the scores were drawn from; 4,000 draws know z to .03 and a little more where it is large."""
    scores = np.random.default_rng(seed).normal([z * 0.01 * np.sqrt(2), 0.0], 0.01, size=(4000, 2))
    assert norm.ppf(order_probability(scores)) == pytest.approx(z, abs=0.1)
    assert order_probability(scores) == pytest.approx((scores[:, 0] > scores[:, 1]).mean(), abs=0.02)


def test_order_probability_is_that_of_the_least_sure_pair():
    rng = np.random.default_rng(1)
    scores = rng.normal([3.0, 0.2, 0.0], 1.0, size=(500, 3))
    assert order_probability(scores) == pytest.approx(order_probability(scores[:, 1:]), rel=1e-12)
    assert order_probability(scores) < 0.7 < 0.95 < order_probability(scores[:, [0, 2]])


@pytest.mark.parametrize(("gap", "prob"), [(0.1, 1.0), (-0.1, 0.0)])
def test_order_that_never_varies_is_certain(gap, prob):
    assert order_probability(np.tile([gap, 0.0], (3, 1))) == prob


def test_identity_stored_before_there_was_a_gain_is_read():
    values = NAMED.to_dict()
    del values["gain_z"]
    assert Identity.from_dict(values).identified


@pytest.mark.parametrize("gain_z", [-2.0, 3.0, float("nan")])
@pytest.mark.parametrize("order_prob", [0.99, float("nan")])
def test_identity_survives_json(order_prob, gain_z):
    identity = replace(NAMED, order_prob=order_prob, gain_z=gain_z)
    again = Identity.from_dict(json.loads(json.dumps(identity.to_dict(), allow_nan=False)))
    assert again.to_dict() == identity.to_dict()
    assert again.identified == identity.identified
    json.dumps(again.identified)  # a plain bool, which goes into the stored model


@pytest.mark.parametrize("seed", range(3))
def test_hellinger_equals_numerical_integration(seed):
    rng = np.random.default_rng(seed)
    a, b = random_params(rng, 2, 1), random_params(rng, 3, 1)
    got = hellinger(a, b)
    assert got.shape == (2, 3)
    for i, j in itertools.product(range(2), range(3)):
        p, q = norm(a.means[i, 0], np.sqrt(a.variances[i, 0])), norm(b.means[j, 0], np.sqrt(b.variances[j, 0]))
        overlap = quad(lambda x, p=p, q=q: np.sqrt(p.pdf(x) * q.pdf(x)), -25, 25, limit=200)[0]
        assert got[i, j] == pytest.approx(np.sqrt(1.0 - overlap), abs=1e-6)


def test_hellinger_of_independent_columns_multiplies_their_overlaps():
    rng = np.random.default_rng(4)
    a, b = random_params(rng, 2, 3), random_params(rng, 2, 3)
    overlap = np.ones((2, 2))
    for column in range(3):
        pick = [HMMParams(p.start, p.trans, p.means[:, [column]], p.variances[:, [column]]) for p in (a, b)]
        overlap *= 1.0 - hellinger(*pick) ** 2
    np.testing.assert_allclose(hellinger(a, b), np.sqrt(1.0 - overlap), atol=1e-12)
    # the square root turns the rounding of 1 - 1 into 1e-8
    np.testing.assert_allclose(np.diag(hellinger(a, a)), 0.0, atol=3e-8)


def test_match_finds_the_permutation_of_a_refit():
    rng = np.random.default_rng(5)
    params = random_params(rng, 4, 2)
    for _ in range(5):
        order = rng.permutation(4)
        moved = params.reordered(order)
        nudged = HMMParams(moved.start, moved.trans, moved.means + 0.01 * rng.normal(size=moved.means.shape), moved.variances * 1.02)
        np.testing.assert_array_equal(order[match(params, nudged)], np.arange(4))


def test_match_is_the_assignment_of_least_total_distance():
    rng = np.random.default_rng(6)
    a, b = random_params(rng, 3, 1), random_params(rng, 3, 1)
    cost = hellinger(a, b)
    best = min(itertools.permutations(range(3)), key=lambda order: sum(cost[i, j] for i, j in enumerate(order)))
    assert tuple(match(a, b)) == best


def test_margin_is_by_how_much_every_other_partner_is_farther():
    rng = np.random.default_rng(8)
    for _ in range(20):
        a, b = random_params(rng, 3, 2), random_params(rng, 3, 2)
        cost, partner = hellinger(a, b), match(a, b)
        ways = [cost[i, j] - cost[i, partner[i]] for i in range(3) for j in range(3) if j != partner[i]]
        ways += [cost[j, partner[i]] - cost[i, partner[i]] for i in range(3) for j in range(3) if j != i]
        assert match_margin(a, b) == pytest.approx(min(ways), abs=1e-12)
        assert match_margin(a, b) == pytest.approx(match_margin(b, a), abs=1e-12)


def test_margin_of_one_state_is_without_bound():
    one = random_params(np.random.default_rng(0), 1, 2)
    assert match_margin(one, one) == np.inf


@pytest.mark.parametrize(("sd", "unsure"), [(2.0, False), (1.05, True)])
def test_states_too_alike_to_be_told_apart_are_matched_unsurely(sd, unsure):
    params = two_states((0.0, 0.0), (1.0, sd))
    assert (match_margin(params, params) < MIN_MARGIN) is unsure


def test_unsure_matches_are_warned_of_once_with_their_number_and_the_least():
    margins = {"2020-01-02": 0.4, "2020-04-02": 0.05, "2020-07-02": -0.02, "2020-10-02": MIN_MARGIN}
    with pytest.warns(UnsureMatchWarning) as caught:
        assert warn_if_unsure(margins, "refits") == ["2020-04-02", "2020-07-02"]
    (said,) = (str(each.message) for each in caught)
    assert said.startswith("refits: 2 of 4 matched with a margin as low as -0.020 (2020-07-02); rule: at least 0.1.")
    assert "use fewer states, or columns" in said
    assert warn_if_unsure({"2020-01-02": 0.4}, "refits") == warn_if_unsure({}, "refits") == []


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, ()),
        ({"sd_ratio": 1.2}, ("apart",)),
        ({"sd_ratio": 1.2, "mean_passed": True}, ()),
        ({"order_prob": 0.97, "gain_z": 1.6}, ("order", "gain")),
        ({"order_prob": np.nan, "gain_z": np.nan}, ()),
        ({"sd_ratio": 1.0, "order_prob": 0.5, "gain_z": -1.0}, CRITERIA),
    ],
)
def test_names_are_refused_for_each_criterion_that_is_not_met(changes, failed):
    sound = Identity((0.1, 0.0), (0.01, 0.0), (0.1, 0.2), sd_ratio=2.0, mean_passed=False, order_prob=0.99, gain_z=3.0)
    changed = replace(sound, **changes)
    assert changed.failed == failed
    assert changed.identified is not bool(failed)


def test_churn_counts_changed_labels_of_the_rows_both_have():
    before, after = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]]), np.array([[0.6, 0.4], [0.7, 0.3], [0.9, 0.1], [0.0, 1.0]])
    assert label_churn(before, after) == label_churn(after, before) == pytest.approx(1 / 3)
    assert label_churn(before, before) == 0.0


def test_revision_is_the_mean_distance_from_what_was_published():
    assert revision(np.array([0.9, np.nan, 0.5, 0.2]), np.array([0.8, 0.3, 0.5, np.nan])) == pytest.approx(0.05)


def test_hysteresis_enters_above_one_line_and_leaves_below_the_other():
    prob = np.array([0.5, 0.6, 0.61, 0.5, 0.4, 0.39, 0.5, 0.7, np.nan, 0.41, np.nan, 0.1, np.nan])
    held = [False, False, True, True, True, False, False, True, True, True, True, False, False]
    assert hysteresis(prob, 0.6, 0.4).tolist() == held


@pytest.mark.parametrize("before", [True, False])
def test_hysteresis_goes_on_from_what_was_held(before):
    prob = np.random.default_rng(7).random(200)
    whole = hysteresis(prob, 0.6, 0.4, before)
    for cut in (1, 50, 199):
        np.testing.assert_array_equal(hysteresis(prob[cut:], 0.6, 0.4, bool(whole[cut - 1])), whole[cut:])
    assert hysteresis(np.array([0.5]), 0.6, 0.4, before).tolist() == [before]
