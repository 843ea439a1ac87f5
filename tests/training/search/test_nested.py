import numpy as np
import pandas as pd
import pytest

from training.search.nested import Choice, choose_nested, follow, relative_loss


def grid(n=60, cells=((0, 5), (1, 21))) -> pd.DataFrame:
    return pd.DataFrame([{"position": t, "horizon": h, "cell": c} for c, h in cells for t in range(n)])


def test_relative_loss_is_a_mean_over_cells_and_equals_a_loop():
    rng = np.random.default_rng(0)
    rows = grid()
    losses, reference = rng.uniform(1, 2, (len(rows), 3)), rng.uniform(1, 2, len(rows))
    reference[rows["cell"] == 1] *= 100  # a cell of large losses must not outweigh the other
    losses[rows["cell"] == 1] *= 100
    known = rng.uniform(size=len(rows)) < 0.5
    found = relative_loss(losses, reference, rows["cell"].to_numpy(), known)
    for k in range(3):
        ratios = []
        for cell in (0, 1):
            own = [losses[i, k] for i in range(len(rows)) if known[i] and rows["cell"][i] == cell]
            of = [reference[i] for i in range(len(rows)) if known[i] and rows["cell"][i] == cell]
            ratios.append(sum(own) / len(own) / (sum(of) / len(of)))
        assert found[k] == pytest.approx(sum(ratios) / 2, rel=1e-12)
    assert np.isnan(relative_loss(losses, reference, rows["cell"].to_numpy(), np.zeros(len(rows), dtype=bool))).all()


def test_choice_knows_no_outcome_that_is_still_open():
    """The second candidate is better from session 20 on; its forecast over 5 sessions made on day 20 is settled on day 25."""
    rows = grid(cells=((0, 5),))
    losses = np.column_stack([np.ones(60), np.where(rows["position"] < 20, 1.0, 0.0)])
    chosen = {time: choose_nested(losses, np.ones(60), rows, [time])[0].candidate for time in (0, 4, 24, 25, 50)}
    assert chosen == {0: 0, 4: 0, 24: 0, 25: 1, 50: 1}


def test_later_losses_change_no_earlier_choice():
    rng = np.random.default_rng(1)
    rows, times = grid(), [10, 25, 40, 55]
    losses, reference = rng.uniform(1, 2, (len(rows), 4)), np.ones(len(rows))
    before = choose_nested(losses, reference, rows, times)
    open_at_40 = (rows["position"] + rows["horizon"] > 40).to_numpy()
    losses[open_at_40] = rng.uniform(1, 9, (open_at_40.sum(), 4))
    after = choose_nested(losses, reference, rows, times)
    assert before[:3] == after[:3]
    assert before[3] != after[3]


def test_followed_rows_come_from_the_candidate_in_force():
    days = pd.bdate_range("2020-01-01", periods=10, name="session")
    position = pd.Series(np.arange(10), index=days)
    tables = {
        number: pd.DataFrame({"session": days, "asset": "BTC", "horizon": 5, "rung": "served", "crps": float(number)})
        for number in range(3)
    }
    made = follow(tables, [Choice(2, 1, 1.0), Choice(5, 0, 1.0), Choice(8, 1, 1.0)], position)
    assert made["session"].tolist() == list(days[2:])
    assert made["candidate"].tolist() == [1, 1, 1, 0, 0, 0, 1, 1]
    assert (made["crps"] == made["candidate"]).all()
