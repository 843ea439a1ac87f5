"""The family of the grid: its definition, assets of different age, and its level and power beside Holm's."""

import numpy as np
import pandas as pd
import pytest

from tests.training.evaluation.worlds import grids
from training.evaluation.family import SEED, family_wise
from training.evaluation.forecast_tests import adjusted_gain, clark_west
from training.evaluation.resampling import block_length, drawn_counts


def noise(k: int, n: int = 900, mean: float = 0.06) -> dict[int, pd.DataFrame]:
    rng, calendar = np.random.default_rng(0), pd.bdate_range("2015-01-01", periods=n)
    return {each: pd.DataFrame({"M0": rng.normal(mean, 1.0, n)}, index=calendar) for each in range(k)}


def test_family_pays_for_its_size_and_joins_assets_of_different_age():
    gains = noise(5)
    gains[9] = gains.pop(4).iloc[500:]
    p = pd.Series(0.0, index=range(10))
    alone, all_of_them = family_wise(p, {0: gains[0]}, 5), family_wise(p, gains, 5)
    assert all_of_them[0] > alone[0]
    assert all_of_them.notna().to_numpy().nonzero()[0].tolist() == [0, 1, 2, 3, 9]
    assert family_wise(p + 0.9, gains, 5)[0] == 0.9  # never below the test on rows apart
    assert family_wise(p, {}, 5).isna().all()


def test_mean_of_a_young_asset_is_over_its_own_rows():
    """A loop over samples: the rows of each that the asset has."""
    gains = {0: noise(1)[0].iloc[300:], 1: noise(1)[0] * 0.5}
    together = pd.concat(gains, axis=1, sort=True).to_numpy()
    counts = drawn_counts(900, block_length(900, 5), SEED)
    means = []
    for drawn in counts:
        sample = np.repeat(np.arange(900), drawn.astype(int))
        means.append([np.nanmean(together[sample, k]) for k in range(2)])
    error, mean = np.std(means, axis=0), np.nanmean(together, axis=0)
    null, t = (np.array(means) - mean) / error, mean / error
    first, second = np.argsort(-t)
    expected = {first: (1 + np.sum(null.max(axis=1) >= t[first])) / 1000, second: (1 + np.sum(null[:, second] >= t[second])) / 1000}
    expected[second] = max(expected.values())
    got = family_wise(pd.Series(0.0, index=range(2)), gains, 5)
    assert got.tolist() == pytest.approx([expected[0], expected[1]], rel=1e-8)


def test_step_down_is_done_against_each_baseline_and_the_largest_p_counts():
    """Each of four tests is hard pressed by another baseline: one step-down of the hardest alone gives other p-values."""
    rng, calendar = np.random.default_rng(3), pd.bdate_range("2015-01-01", periods=900)
    means = rng.uniform(0.05, 0.12, (4, 3))
    gains = {k: pd.DataFrame(rng.normal(means[k], 1.0, (900, 3)), index=calendar, columns=list("abc")) for k in range(4)}
    counts = drawn_counts(900, block_length(900, 5), SEED)
    expected = []
    for base in "abc":
        values = np.column_stack([gains[k][base] for k in range(4)])
        drawn = np.array([row @ values / row.sum() for row in counts])
        error = drawn.std(axis=0)
        t, null = values.mean(axis=0) / error, (drawn - values.mean(axis=0)) / error
        adjusted, largest = np.empty(4), 0.0
        for place, k in enumerate(np.argsort(-t)):
            left = np.argsort(-t)[place:]
            largest = max(largest, (1 + np.sum(null[:, left].max(axis=1) >= t[k])) / 1000)
            adjusted[k] = largest
        expected.append(adjusted)
    got = family_wise(pd.Series(0.0, index=range(4)), gains, 5)
    np.testing.assert_allclose(got, np.max(expected, axis=0), rtol=1e-8)
    hardest = {k: gains[k][[gains[k].mean().idxmin()]].set_axis(["M0"], axis=1) for k in range(4)}
    assert not np.allclose(family_wise(pd.Series(0.0, index=range(4)), hardest, 5), got)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_family_keeps_its_level_and_finds_more_than_holm(shared):
    """METHODS 3.4: six cells, 150 worlds; any of them found at .05, by the family and by Holm (1979) of another library."""
    from statsmodels.stats.multitest import multipletests

    found = {}
    for effect in (0.0, 0.05):
        cells, any_of_them = grids(150, effect, shared), []
        for world in range(150):
            own = [(horizon, [series[world] for series in (c.y, c.mean, c.fitted)]) for (_, horizon), c in cells.items()]
            p = pd.Series([clark_west(*each, horizon).p for horizon, each in own])
            joint = family_wise(p, {k: pd.DataFrame({"M0": adjusted_gain(*each)}) for k, (_, each) in enumerate(own)}, 21)
            any_of_them.append([joint.min() <= 0.05, multipletests(p, method="holm")[1].min() <= 0.05])
        found[effect] = np.mean(any_of_them, axis=0)
        print(f"shared {shared}, effect {effect}: any of six found, family {found[effect][0]:.3f}, Holm {found[effect][1]:.3f}")  # noqa: T201
    assert found[0.0][0] <= 0.10
    assert found[0.05][0] >= found[0.05][1]
