"""METHODS A12 and A13 over refits: labels stay, names stay, nothing sees the future; and what refits start from."""

import numpy as np
import pytest

from models.engine.filtering import filter_history
from models.engine.posterior import smooth_history
from tests.recovery.naming import many
from tests.recovery.refits import policy_chain, refit_chain
from tests.recovery.worlds import switching

N_WORLDS, N_OBS = 100, 3000


@pytest.mark.slow
def test_labels_hardly_churn_and_earned_names_never_move_in_clear_worlds():
    table = many(refit_chain, [("clear", seed, N_OBS) for seed in range(N_WORLDS)])
    by_world = table.groupby("seed")["churn"].mean()
    print(  # noqa: T201
        f"{len(table)} refits of {N_WORLDS} clear worlds: churn {table['churn'].mean():.4f}, {table['churn'].max():.4f} at most; "
        f"{table['swapped'].sum()} changes of order by score, {table['renamed'].sum()} of an earned name; least margin "
        f"{table['margin'].min():.2f}"
    )
    assert by_world.max() <= 0.05
    assert table["churn"].quantile(0.99) <= 0.05
    assert table["renamed"].sum() == 0
    assert table["margin"].min() > 0.1


def test_filtered_probabilities_of_a_prefix_are_those_of_the_whole_and_smoothed_ones_are_not():
    """A12, with the negative control."""
    world = switching(0, 1500)
    whole, looked_back = filter_history(world.X, world.truth).probs, smooth_history(world.X, world.truth)
    for cut in (2, 300, 777, 1499):
        np.testing.assert_array_equal(filter_history(world.X[:cut], world.truth).probs, whole[:cut])
        assert np.abs(smooth_history(world.X[:cut], world.truth) - looked_back[:cut]).max() > 1e-3


@pytest.mark.slow
def test_shipped_refits_find_the_states_as_well_as_the_best_posteriors_do_and_change_fewer_labels():
    kinds = [("clear", 2, False), ("clear", 2, True), ("t5", 2, True), ("mild", 2, True), ("clear", 3, True)]
    rows = many(policy_chain, [(name, seed, 3000, k, shipped) for name, k, shipped in kinds for seed in range(10)])
    table = rows.groupby(["world", "policy"], sort=False)[["accuracy", "churn", "log_score", "lack"]].mean().unstack("policy")
    print(f"walks by what a refit starts from, means of 10 worlds:\n{table.stack('policy', future_stack=True).round(4).to_string()}")  # noqa: T201
    accuracy, churn = table["accuracy"].dropna(), table["churn"]
    assert (accuracy["as shipped"] >= accuracy["best of ten"] - 0.015).all()  # half of it is what ten worlds leave open
    assert accuracy["as shipped"].mean() > accuracy["last alone"].mean()
    assert churn["as shipped"].mean() < churn["best of ten"].mean() / 1.5
