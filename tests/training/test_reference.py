"""Reference classifiers: what they say, that they know no future, and that their score is the score."""

import numpy as np
import pandas as pd
import pytest

from training.reference import (
    CONSTANT,
    MIN_KNOWN,
    MODEL,
    MODEL_RAW,
    hit_rates,
    label_gain,
    reference_probabilities,
    reference_signals,
    reference_table,
)
from training.targets import calm_rise

HORIZON, DRAWDOWN = 21, 0.05
N = 900


@pytest.fixture
def world():
    rng = np.random.default_rng(3)
    index = pd.bdate_range("2015-01-01", periods=N, name="session")
    price = pd.Series(np.exp(np.cumsum(rng.normal(0.0004, 0.01, N))), index=index)
    features = pd.DataFrame(
        {
            "momentum__hi52": price / price.rolling(252, min_periods=1).max(),
            "momentum__above_sma200": (price > price.rolling(200).mean()).astype(float).where(price.rolling(200).mean().notna()),
            "liquidity__vix": 18.0 + 4.0 * rng.standard_normal(N),
        },
        index=index,
    )
    p_risk_on = pd.Series(rng.uniform(size=N), index=index)
    p_risk_on.iloc[:100] = np.nan
    return features, p_risk_on, price


def probabilities(features, p_risk_on, price):
    return reference_probabilities(features, p_risk_on, calm_rise(price, HORIZON, DRAWDOWN), HORIZON)


@pytest.mark.parametrize("cut", [420, 555, 700, 850])
def test_probabilities_ignore_what_comes_after(world, cut):
    features, p_risk_on, price = world
    whole = probabilities(features, p_risk_on, price)
    rng = np.random.default_rng(cut)
    other = features.copy(), p_risk_on.copy(), price.copy()
    other[0].iloc[cut + 1 :] = rng.uniform(size=other[0].iloc[cut + 1 :].shape) * 30
    other[1].iloc[cut + 1 :] = rng.uniform(size=N - cut - 1)
    other[2].iloc[cut + 1 :] = rng.uniform(1, 9, size=N - cut - 1)
    altered = probabilities(*other)
    pd.testing.assert_frame_equal(altered.iloc[: cut + 1], whole.iloc[: cut + 1], check_exact=True)
    assert not altered.iloc[cut + 1 :].equals(whole.iloc[cut + 1 :])


def test_probabilities_follow_the_newest_label_that_is_known(world):
    features, p_risk_on, price = world
    label = calm_rise(price, HORIZON, DRAWDOWN)
    flipped = label.copy()
    flipped.iloc[500] = 1.0 - flipped.iloc[500]
    before = reference_probabilities(features, p_risk_on, label, HORIZON)[CONSTANT]
    after = reference_probabilities(features, p_risk_on, flipped, HORIZON)[CONSTANT]
    changed = np.flatnonzero((before != after) & before.notna())
    assert changed[0] == 500 + HORIZON


def test_hit_rates_count_by_hand():
    signal = pd.Series([1.0, 0.0, 1.0, np.nan, 1.0, 0.0, 1.0])
    label = pd.Series([1.0, 1.0, 0.0, 1.0, np.nan, 0.0, 1.0])
    prob, known = hit_rates(signal, label, horizon=2)
    # (hits + 1) / (n + 2) over the same answers two rows back and earlier
    np.testing.assert_allclose(prob, [1 / 2, 1 / 2, 2 / 3, np.nan, 2 / 4, 2 / 3, 2 / 4])
    assert known.tolist() == [0, 0, 1, 2, 3, 3, 3]


def test_signals_say_what_their_rules_say(world):
    features, p_risk_on, _ = world
    at = features.index[300:303]
    features, p_risk_on = features.loc[at].copy(), p_risk_on.loc[at].copy()
    features["momentum__hi52"] = [0.951, 0.95, np.nan]
    features["liquidity__vix"] = [19.9, 20.0, np.nan]
    p_risk_on[:] = [0.51, 0.5, np.nan]
    said = reference_signals(features, p_risk_on)
    for name in (MODEL, "within 5% of the 52-week high", "VIX below 20"):
        np.testing.assert_array_equal(said[name], [1.0, 0.0, np.nan])
    assert (said[CONSTANT] == 0.0).all()


def test_table_scores_agree_with_a_plain_loop(world):
    features, p_risk_on, price = world
    label = calm_rise(price, HORIZON, DRAWDOWN)
    table = reference_table(features, p_risk_on, label, HORIZON).set_index("classifier")
    calm, truth = features["liquidity__vix"].to_numpy() < 20, label.to_numpy()
    losses, base = [], []
    for t in range(N):
        known = [s for s in range(100, t - HORIZON + 1) if not np.isnan(truth[s])]
        # the 200-day average speaks from row 199 on, and its rate needs as many known labels as every other
        if sum(s >= 199 for s in known) < MIN_KNOWN or np.isnan(truth[t]):
            continue
        same = [s for s in known if calm[s] == calm[t]]
        losses.append(((truth[same].sum() + 1) / (len(same) + 2) - truth[t]) ** 2)
        base.append(((truth[known].sum() + 1) / (len(known) + 2) - truth[t]) ** 2)
    assert table.loc["VIX below 20", "n"] == len(losses)
    assert table.loc["VIX below 20", "brier"] == pytest.approx(np.mean(losses), rel=1e-12)
    assert table.loc["VIX below 20", "gain"] == pytest.approx(np.mean(base) - np.mean(losses), rel=1e-9)
    assert table.loc[CONSTANT, "gain"] == 0.0


def test_table_rewards_a_model_that_knows(world):
    features, _, price = world
    label = calm_rise(price, HORIZON, DRAWDOWN)
    oracle = (0.1 + 0.8 * label).fillna(0.5)
    table = reference_table(features, oracle, label, HORIZON).set_index("classifier")
    assert table["brier"].idxmin() in (MODEL, MODEL_RAW)
    assert table.loc[MODEL_RAW, "brier"] == pytest.approx(0.01)
    assert table.loc[MODEL, "gain"] > 5 * table.loc[MODEL, "gain_se"]


def test_label_gain_is_the_share_of_the_base_rates_brier_score_saved(world):
    features, p_risk_on, price = world
    label = calm_rise(price, HORIZON, DRAWDOWN)
    oracle = (0.1 + 0.8 * label).fillna(0.5)
    table = reference_table(features, oracle, label, HORIZON).set_index("classifier")
    assert label_gain(features, oracle, label) == pytest.approx(1 - table.loc[MODEL_RAW, "brier"] / table.loc[CONSTANT, "brier"])
    assert label_gain(features, 1 - oracle, label) < 0
    assert np.isnan(label_gain(features, p_risk_on * np.nan, label))


def test_table_leaves_out_a_classifier_without_data(world):
    features, p_risk_on, price = world
    label = calm_rise(price, HORIZON, DRAWDOWN)
    table = reference_table(features.assign(liquidity__vix=np.nan), p_risk_on, label, HORIZON)
    assert "VIX below 20" not in set(table["classifier"])
    assert len(table) == 5


def test_table_is_empty_before_anything_was_published(world):
    features, p_risk_on, price = world
    assert reference_table(features, p_risk_on * np.nan, calm_rise(price, HORIZON, DRAWDOWN), HORIZON).empty
