"""Trials to enter, for the tests of the ledger and of comparisons."""

from dataclasses import replace

import numpy as np
import pandas as pd

from models.forecast import BASELINES
from training.book import SERVED
from training.ledger.trial import BACKTEST, Family, Trial

FAMILY = Family(("ALT", "BTC"), (5, 21), "a" * 64, "2016-01-04", "2020-12-31")


def trial(hypothesis: str = "h", *, family: Family = FAMILY, **given) -> Trial:
    made = Trial(BACKTEST, family, "sample", simulated=True, hypothesis_id=hypothesis, config_hash=hypothesis, seed=0)
    return replace(made, **given)


def walk(
    seed: int = 0, *, gain: float = 0.0, n: int = 700, cells=(("BTC", 5), ("ALT", 21)), start: str = "2016-01-04", extra: int = 0
) -> pd.DataFrame:
    """Losses of a walk; the served series costs `gain` less than the baselines by nature, and noise of its own."""
    days = pd.bdate_range(start, periods=n, name="session")
    parts = []
    for number, (asset, horizon) in enumerate(cells):
        world, own = np.random.default_rng([7, number]), np.random.default_rng([seed, number])
        y, base = world.normal(0, 0.05, n), 0.03 * (1.0 + 0.1 * world.standard_normal(n))
        for place, rung in enumerate(BASELINES):
            mean = np.full(n, 0.001 * place)
            parts.append(_rows(days, asset, horizon, rung, y, mean, base * (1.0 + 0.002 * place), world.uniform(size=n)))
        crps = base * (1.0 - gain) + 0.002 * own.standard_normal(n)
        parts.append(_rows(days, asset, horizon, SERVED, y, own.normal(0, 0.01, n), crps, own.uniform(size=n)))
    out = pd.concat(parts, ignore_index=True)
    p_on = pd.Series(np.random.default_rng(9).uniform(size=n), index=days)
    return out.assign(outer=out["session"] < days[n - extra] if extra else True, p_on=out["session"].map(p_on))


def _rows(days, asset, horizon, rung, y, mean, crps, pit) -> pd.DataFrame:
    shared = {"session": days, "asset": asset, "horizon": horizon, "rung": rung, "y": y, "y_delay1": y, "p_up": 0.5, "refit": 0}
    return pd.DataFrame(shared | {"mean": mean, "sd": 0.05, "crps": crps, "pit": pit})
