"""A5: tests of a predictor in sample keep their level though returns overlap and the predictor lasts."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tests.training.evaluation.worlds import persistent
from tests.validation.experiment import Experiment, Finding, share
from tests.validation.plots import level_dots
from training.evaluation.hodrick import hodrick_1b
from training.evaluation.offsets import mean_over_offsets
from training.evaluation.skill import LEVEL

HORIZONS, N_OBS = (5, 21, 63), 2500
TESTS = {"hodrick": "Hodrick 1B", "apart": "rows apart", "newey_west": "Newey-West, h - 1 lags"}
LOW, HIGH = 0.02, 0.085


def run(seeds: range) -> pd.DataFrame:
    """p-value of each test in worlds in which nothing can be predicted: a row a world and horizon."""
    rows = []
    for horizon in HORIZONS:
        rng = np.random.default_rng([5, horizon, seeds[0]])
        x, returns = persistent(rng.standard_normal((len(seeds), N_OBS))), rng.standard_normal((len(seeds), N_OBS))
        for world, own, r in zip(seeds, x, returns, strict=True):
            p = {"hodrick": hodrick_1b(r, own, horizon).p, **overlapping(r, own, horizon)}
            rows.append({"world": world, "horizon": horizon} | p)
    return pd.DataFrame(rows)


def overlapping(returns: np.ndarray, x: np.ndarray, horizon: int) -> dict[str, float]:
    """Two-sided p-values of the slope: mean of (x - mean x)(y - mean y) on rows that do not overlap, and Newey and West (1987)."""
    import statsmodels.api as sm

    level = np.concatenate([[0.0], np.cumsum(returns)])
    y, z = level[horizon + 1 :] - level[1:-horizon], x[:-horizon]
    product = (z - z.mean()) * (y - y.mean())
    fitted = sm.OLS(y, sm.add_constant(z)).fit(cov_type="HAC", cov_kwds={"maxlags": horizon - 1})
    sides = [mean_over_offsets(sign * product, horizon).p for sign in (1.0, -1.0)]
    return {"apart": min(2.0 * min(sides), 1.0), "newey_west": float(fitted.pvalues[1])}


def judge(worlds: pd.DataFrame) -> list[Finding]:
    found = []
    for test, name in TESTS.items():
        bounds = {} if test == "newey_west" else {"low": LOW, "high": HIGH}
        found += [share(f"{name}, h = {h}", own[test] <= LEVEL, **bounds) for h, own in worlds.groupby("horizon")]
    return found


def draw(figure: Figure, worlds: pd.DataFrame) -> None:
    rejected = {name: (worlds[test] <= LEVEL).groupby(worlds["horizon"]).mean() for test, name in TESTS.items()}
    level_dots(figure, rejected, LOW, HIGH, "sessions ahead", "share of null worlds rejected at .05")


EXPERIMENT = Experiment(
    "A5",
    "Tests of a predictor in sample reject a true null about as often as they say",
    "The sum of the next h of 2500 white-noise returns on a predictor that is an AR(1) of .98 and has nothing to do with them; "
    "two-sided tests of the slope at .05: Hodrick's 1B, and the mean of (x - mean x)(y - mean y) on every h-th row with the h p-values "
    "combined. Newey-West with h - 1 lags, the usual choice, stands beside as the negative control; nothing is required of it.",
    "Nominal .05 give or take three Monte-Carlo errors (.011 each), rounded.",
    1000,
    run,
    judge,
    draw,
)
