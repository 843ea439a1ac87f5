"""METHODS A12 and A13 over refits: labels stay, names stay, nothing sees the future; and what cold starts are for."""

import numpy as np
import pytest

from models.engine.filtering import filter_history
from models.engine.posterior import smooth_history
from tests.recovery.naming import many
from tests.recovery.refits import refit_chain, start_chain, stuck_table
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
def test_warm_starts_alone_stay_stuck_where_cold_guards_get_out():
    kinds = [("clear", 2, False), ("clear", 2, True), ("clear", 3, False), ("mild", 3, True), ("GARCH", 2, True)]
    jobs = [(name, seed, 3000, first, k, shipped) for name, k, shipped in kinds for first in ("sticky", "random") for seed in range(3)]
    table = stuck_table(many(start_chain, jobs))
    print(f"nats of log posterior below the best known fit:\n{table.T.to_string()}")  # noqa: T201
    assert (table["as shipped, mean lack"] <= table["warm, mean lack"] + 0.1).all()
    assert table["warm, share stuck"].max() > 0.4
    assert table["as shipped, share stuck"].max() < 0.25
