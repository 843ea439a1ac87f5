"""METHODS A10, A11, A14 and world H: what each model recovers of states whose truth is known, out of sample."""

import numpy as np
import pandas as pd
import pytest

from tests.recovery.naming import many
from tests.recovery.recovery import TRUE, recover, recovery_table, reliability
from tests.recovery.worlds import STATED

N_WORLDS = 20


@pytest.fixture(scope="module")
def recovered() -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = many(recover, [(name, seed) for name in STATED for seed in range(N_WORLDS)])
    table, each = recovery_table(rows)
    print(f"medians of {N_WORLDS} worlds, 1000 rows after 3000 to fit:\n{table.to_string()}")  # noqa: T201
    return table, each


def gap(each: pd.DataFrame, world: str, model: str, what: str = "accuracy_gap") -> np.ndarray:
    return each.loc[world].xs(model, level="model")[what].to_numpy()


@pytest.mark.slow
def test_normal_regimes_are_recovered_as_well_as_with_the_true_parameters(recovered):
    """A10: the gap is at most .03 in 95% of worlds; in mild worlds on average, where random starts fail."""
    table, each = recovered
    assert (gap(each, "clear", "GaussianHMM, sticky") <= 0.03).mean() >= 0.95
    assert gap(each, "clear", "GaussianHMM, sticky", "log_loss_gap").mean() <= 0.02
    assert 0.85 <= table.loc[("clear", TRUE), "accuracy"] <= 0.92
    assert gap(each, "mild", "GaussianHMM, sticky").mean() <= 0.03
    assert gap(each, "mild", "hmmlearn, random starts").mean() > 0.05  # negative control


@pytest.mark.slow
def test_heavy_tailed_regimes_are_recovered_by_student_t_states(recovered):
    """A11: within .03 of the filter that knows the parameters, and at most 1.5 times its switches; Gaussian states are not."""
    table, each = recovered
    assert gap(each, "t5", "StudentTHMM, sticky").mean() <= 0.03
    assert table.loc[("t5", "StudentTHMM, sticky"), "switch_ratio"] <= 1.5
    assert gap(each, "t5", "hmmlearn, random starts").mean() > gap(each, "t5", "StudentTHMM, sticky").mean() + 0.03


@pytest.mark.slow
def test_world_h_is_recovered_by_student_t_states_and_not_by_gaussian_ones(recovered):
    table, _ = recovered
    best = table.loc[("H", "StudentTHMM, sticky")]
    assert best["accuracy_gap"] <= 0.02
    assert best["switch_ratio"] <= 1.5
    assert table.loc[("H", TRUE), "accuracy"] == pytest.approx(0.96, abs=0.015)
    assert table.loc[("H", "hmmlearn, random starts"), "accuracy_gap"] > 0.1


@pytest.mark.slow
def test_regimes_in_the_mean_alone_are_recovered_by_nobody(recovered):
    table, _ = recovered
    assert table.loc[("mean only", TRUE), "accuracy"] < 0.62
    assert (table.loc["mean only", "accuracy"] < 0.62).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "model"), [("clear", "GaussianHMM, sticky"), ("t5", "StudentTHMM, sticky"), ("H", "StudentTHMM, sticky")]
)
def test_probabilities_are_calibrated(recovered, world, model):
    """A14, over the rows of all worlds together."""
    table, _ = recovered
    assert table.loc[(world, model), "ece"] <= 0.05
    assert 0.8 <= table.loc[(world, model), "slope"] <= 1.2


@pytest.mark.parametrize(("told", "error", "slope"), [(lambda p: p, 0.0, 1.0), (lambda p: 0.5 + 2.0 * (p - 0.5), 0.125, 0.5)])
def test_reliability_of_known_probabilities(told, error, slope):
    """Drawn at p in (.25, .75) and told as p, or as if twice as sure: errors by hand |2(p - .5) - (p - .5)| = |p - .5|, mean 1/8."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0.25, 0.75, 200_000)
    rows = pd.DataFrame({"state": (rng.random(len(p)) > p).astype(int), "p_on": told(p)})
    got = reliability(rows)
    assert got[0] == pytest.approx(error, abs=0.005)  # standard error of a bin's rate: .003
    assert got[1] == pytest.approx(slope, abs=0.02)
