"""Many models: against arch's own SPA, StepM and MCS on the same resamples, against loops, and their level where none is better."""

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import MCS, SPA, StepM
from scipy.stats import ttest_1samp

from training.evaluation.confidence_set import confidence_set_p
from training.evaluation.identical import merge_identical
from training.evaluation.many import model_confidence_set, spa, step_m
from training.evaluation.offsets import MIN_ROWS
from training.evaluation.resampling import REPS, block_length, drawn_counts, independent_null, max_p, overlapping_null, step_down_p

SEED = 3


def losses_of(n: int = 600, k: int = 8, better: float = 0.0, seed: int = 0, names: str = "abcdefghijklmnop") -> pd.DataFrame:
    """A baseline and k models that share a part of their losses; the last is better by `better`, and they differ in scale."""
    rng = np.random.default_rng(seed)
    own = rng.gamma(2.0, size=(n, k + 1)) * np.linspace(0.5, 2.0, k + 1) + rng.normal(size=(n, 1))
    own[:, 1:] += own[:, :1].mean() - own[:, 1:].mean(axis=0) + 0.1 * rng.normal(size=k)
    own[:, -1] -= better
    return pd.DataFrame(own, columns=["base", *names[:k]])


def standardised(losses: pd.DataFrame, block: int) -> pd.DataFrame:
    """Gains over their standard errors: arch takes the maximum of plain means, though it speaks of studentising."""
    gains = losses[["base"]].to_numpy() - losses.drop(columns="base")
    return gains / (drawn_counts(len(gains), block, SEED) @ gains.to_numpy() / len(gains)).std(axis=0)


@pytest.mark.parametrize("better", [0.0, 0.2, 0.6])
def test_spa_equals_arch_on_the_same_resamples(better):
    losses = losses_of(better=better)
    block = block_length(600, 5)
    gains = standardised(losses, block)
    theirs = SPA(np.zeros(600), -gains, block_size=block, reps=REPS, nested=True, seed=SEED)
    theirs.compute()
    got = spa(losses, "base", 5, SEED)
    assert got.p_overlap * (REPS + 1) - 1 == pytest.approx(theirs.pvalues["consistent"] * REPS, abs=1e-8)  # theirs counts # / reps
    assert (got.n, got.refused, got.models) == (120, "", tuple("abcdefgh"))


@pytest.mark.parametrize("size", [0.05, 0.10])
@pytest.mark.parametrize("seed", range(6))
def test_adjusted_p_values_decide_as_arch_s_step_m(size, seed):
    losses = losses_of(better=0.35, seed=seed)
    losses["g"] -= 0.25
    block = block_length(600, 5)
    theirs = StepM(np.zeros(600), -standardised(losses, block), size=size, block_size=block, reps=REPS, nested=True, seed=SEED)
    theirs.compute()
    table = step_m(losses, "base", 5, SEED)
    assert sorted(table.index[table["p_adjusted_overlap"] <= size]) == sorted(theirs.superior_models)


def test_step_down_equals_its_definition():
    rng = np.random.default_rng(0)
    t, null = rng.normal(1.0, 1.0, 6), rng.normal(size=(199, 6))
    got = step_down_p(t, null)
    left, floor = set(range(6)), 0.0
    while left:
        first = max(left, key=lambda j: t[j])
        beaten = sum(max(row[j] for j in left) >= t[first] for row in null)
        floor = max(floor, (1 + beaten) / 200)
        assert got[first] == pytest.approx(floor, rel=1e-12)
        left.remove(first)
    assert got.min() == max_p(t, null)


@pytest.mark.parametrize("seed", range(4))
def test_confidence_set_equals_arch(seed):
    losses = losses_of(better=0.5, seed=seed)
    theirs = MCS(losses, 0.1, reps=REPS, block_size=10, method="R", seed=SEED)
    theirs.compute()
    expected = theirs.pvalues["Pvalue"].reindex(losses.columns).to_numpy()
    got = confidence_set_p(losses.to_numpy(), drawn_counts(600, 10, SEED))
    np.testing.assert_allclose(got * (REPS + 1) - 1, np.where(expected == 1.0, REPS, expected * REPS), atol=1e-8)
    table = model_confidence_set(losses, 5, SEED)
    assert table.index[table["p_overlap"] > 0.1].tolist() == sorted(theirs.included, key=losses.columns.get_loc)


def test_resampled_means_equal_those_of_arch_s_samples():
    from arch.bootstrap import StationaryBootstrap

    values = np.random.default_rng(0).normal(size=(300, 3))
    theirs = StationaryBootstrap(7, values, seed=SEED).apply(lambda sample: sample.mean(axis=0), 50)
    np.testing.assert_allclose(drawn_counts(300, 7, SEED, 50) @ values / 300, theirs, rtol=1e-8)


def test_identical_columns_are_merged_and_change_nothing():
    losses = losses_of(better=0.4)
    more = losses.assign(twin=losses["c"], shadow=losses["base"] * (1 + 1e-13), again=losses["c"])
    kept, same_as = merge_identical(more)
    assert (list(kept), same_as) == (list(losses), {"twin": "c", "shadow": "base", "again": "c"})
    plain, merged = step_m(losses, "base", 5, SEED), step_m(more, "base", 5, SEED)
    pd.testing.assert_frame_equal(merged.loc[plain.index], plain)
    assert merged.loc["twin", "p_adjusted"] == plain.loc["c", "p_adjusted"]
    assert np.isnan(merged.loc["shadow", "p_adjusted"])
    assert merged.loc["shadow", "refused"] == "same losses as base"
    assert spa(more, "base", 5, SEED).p == spa(losses, "base", 5, SEED).p
    assert spa(more, "base", 5, SEED).same_as == same_as
    pd.testing.assert_frame_equal(model_confidence_set(more, 5, SEED).loc[losses.columns], model_confidence_set(losses, 5, SEED))
    assert model_confidence_set(more, 5, SEED).loc["again", "same_as"] == "c"


def test_columns_that_differ_on_one_row_are_not_merged():
    losses = losses_of()
    losses["h"] = losses["g"]
    losses.loc[17, "h"] *= 1.0 + 1e-7
    assert merge_identical(losses)[1] == {}


def test_what_cannot_be_tested_is_refused_in_words():
    losses = losses_of(n=MIN_ROWS * 21 - 1)
    words = "fewer than 30 rows that do not overlap"
    assert (spa(losses, "base", 21, SEED).refused, set(step_m(losses, "base", 21, SEED)["refused"])) == (words, {words})
    assert np.isnan(spa(losses, "base", 21, SEED).p)
    table = model_confidence_set(losses, 21, SEED)
    assert (set(table["refused"]), table["p"].isna().all(), table["inside"].all()) == ({words}, True, True)
    alike = pd.DataFrame({"base": losses["base"], "a": losses["base"]})
    assert spa(alike, "base", 1, SEED).refused == "every model has the same losses as base"
    assert model_confidence_set(alike, 1, SEED)["refused"].unique().tolist() == ["every model has the same losses as base"]
    with pytest.raises(ValueError, match="got 'z'; there are base, a"):
        spa(alike, "z", 1, SEED)
    with pytest.raises(ValueError, match="1 of 629 rows"):
        spa(losses.mask(losses.index.to_series() == 4), "base", 1, SEED)


def test_order_of_columns_and_repetition_change_nothing():
    losses = losses_of(better=0.3)
    table, turned = step_m(losses, "base", 5, SEED), step_m(losses[losses.columns[::-1]], "base", 5, SEED)
    pd.testing.assert_frame_equal(turned.loc[table.index], table)
    pd.testing.assert_frame_equal(step_m(losses, "base", 5, SEED), table)


def test_adjusted_p_values_are_no_smaller_in_a_larger_family():
    losses = losses_of(k=14, better=0.3)
    few, many = step_m(losses[["base", "m", "n"]], "base", 5, SEED), step_m(losses, "base", 5, SEED)
    assert (many.loc[["m", "n"], "p_adjusted"] >= few["p_adjusted"]).all()


def overlapping_losses(rng: np.random.Generator, n: int, k: int, horizon: int) -> pd.DataFrame:
    """No model is better, and neighbouring rows share h - 1 of their h shocks."""
    shocks = rng.standard_normal((n + horizon - 1, k)) + rng.standard_normal((n + horizon - 1, 1))
    sums = np.concatenate([np.zeros((1, k)), shocks.cumsum(axis=0)])
    return pd.DataFrame(sums[horizon:] - sums[:-horizon], columns=[f"m{j}" for j in range(k)]).assign(base=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [5, 21])
def test_levels_of_many_models_without_skill(horizon):
    """20 models, 1500 rows, 200 worlds, nominal .05: on rows that do not overlap at most .10, on all rows reported (METHODS 3.4)."""
    rng = np.random.default_rng(horizon)
    found = [spa(overlapping_losses(rng, 1500, 20, horizon), "base", horizon, SEED) for _ in range(200)]
    level, beside = np.mean([each.p <= 0.05 for each in found]), np.mean([each.p_overlap <= 0.05 for each in found])
    print(f"SPA of 20 at nominal .05, h = {horizon}: rows apart {level:.3f}, all rows {beside:.3f}")  # noqa: T201
    assert level <= 0.10


def test_null_of_a_clearly_worse_model_hardly_counts():
    gains = np.random.default_rng(0).normal(size=(500, 2)) - [0.0, 2.0]
    _, null = overlapping_null(gains, drawn_counts(500, 5, SEED))
    assert null[:, 1].max() < null[:, 0].min()


def test_statistics_of_rows_apart_equal_a_loop_over_samples():
    from arch.bootstrap import StationaryBootstrap

    gains = np.random.default_rng(0).normal(0.1, 1.0, (90, 3))
    gains[:, 2] -= 2.0  # far below: not recentred
    t, null = independent_null(gains, drawn_counts(90, 1, SEED, 20))
    samples = [sample[0] for sample, _ in StationaryBootstrap(1, gains, seed=SEED).bootstrap(20)]
    for column in range(3):
        own = gains[:, column]
        assert t[column] == pytest.approx(ttest_1samp(own, 0.0).statistic, rel=1e-8)
        centre = 0.0 if column == 2 else own.mean()
        expected = [ttest_1samp(sample[:, column], centre).statistic for sample in samples]
        np.testing.assert_allclose(null[:, column], expected, rtol=1e-8)
