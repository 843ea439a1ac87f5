"""The whole ladder against its best baseline: the test of another module on the same rows, a planted rung, what is refused, its cost."""

import time

import numpy as np
import pandas as pd

from models.forecast import BASELINES, RUNGS
from training.evaluation.ladder import SEED, TRIED, ladder_tests
from training.evaluation.many import spa


def ladder(gain: float = 0.0, n: int = 900, horizon: int = 5, asset: str = "BTC", seed: int = 0) -> pd.DataFrame:
    rng, sessions = np.random.default_rng(seed), pd.bdate_range("2015-01-01", periods=n, name="session")
    shared = {"session": sessions, "asset": asset, "horizon": horizon, "outer": True}
    parts = [pd.DataFrame(shared | {"rung": rung, "crps": rng.gamma(2.0, size=n) - gain * (rung == "M4")}) for rung in (*RUNGS, "served")]
    return pd.concat(parts, ignore_index=True)


def skill(*cells: tuple[str, int]) -> pd.DataFrame:
    return pd.DataFrame([{"asset": a, "horizon": h, "rung": "served", "best_baseline": "M0"} for a, h in cells])


def test_ladder_is_every_rung_but_the_baselines_on_judged_rows_of_all():
    losses = ladder()
    losses.loc[losses["session"] >= losses["session"].unique()[800], "outer"] = False
    losses.loc[(losses["rung"] == "M5") & (losses["session"] < losses["session"].unique()[50]), "crps"] = np.nan
    ((asset, horizon, baseline, test),) = ladder_tests(losses, skill(("BTC", 5), ("BTC", 63)))
    assert (asset, horizon, baseline, test.n) == ("BTC", 5, "M0", 150)
    assert set(TRIED) == set(RUNGS) - set(BASELINES) == set(test.models)
    columns = {rung: losses.loc[losses["rung"] == rung, "crps"].to_numpy()[50:800] for rung in ("M0", *TRIED)}
    assert test.p == spa(pd.DataFrame(columns), "M0", 5, SEED).p


def test_planted_rung_is_found_and_few_rows_are_refused():
    ((*_, found),) = ladder_tests(ladder(gain=0.4), skill(("BTC", 5)))
    noise = [next(ladder_tests(ladder(seed=seed), skill(("BTC", 5))))[3].p for seed in range(8)]
    ((*_, few),) = ladder_tests(ladder(n=149), skill(("BTC", 5)))
    assert found.p < 0.01
    assert np.sum(np.array(noise) <= 0.05) <= 2  # of 8: three or more come once in 170 tries at the nominal rate
    assert few.refused == "fewer than 30 rows that do not overlap"
    assert list(ladder_tests(ladder(), pd.DataFrame())) == []


def test_whole_run_takes_less_than_three_seconds():
    """Six cells of 1900 rows: CPU time, arch imported before."""
    import arch.bootstrap  # noqa: F401

    cells = [(asset, horizon) for asset in ("BTC", "ETH", "ALT") for horizon in (5, 21)]
    losses = pd.concat([ladder(n=1900, horizon=horizon, asset=asset) for asset, horizon in cells])
    start = time.process_time()
    tested = list(ladder_tests(losses, skill(*cells)))
    assert [each[:2] for each in tested] == cells
    assert time.process_time() - start < 3
