"""A6: Clark-West keeps its level on overlapping targets, whatever the regression pays for its estimates."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tests.training.evaluation.worlds import predicted_worlds
from tests.validation.experiment import Experiment, Finding, share
from tests.validation.plots import level_dots
from training.evaluation.forecast_tests import adjusted_gain, clark_west
from training.evaluation.skill import LEVEL

ROWS = {5: 2500, 21: 2500, 63: 3000}
"""Rows by horizon: at 63 sessions 2500 would leave fewer than 30 that do not overlap."""

PREDICTORS = (1, 5)
HIGH = 0.085


def run(seeds: range) -> pd.DataFrame:
    """Whether Clark-West rejects, and whether a t-test that takes rows for independent does: a row a world, horizon and k."""
    rows = []
    for k in PREDICTORS:
        for horizon, n_obs in ROWS.items():
            for world, series in zip(seeds, predicted_worlds(horizon, len(seeds), 0.0, k, n_obs, seeds[0]), strict=True):
                gain = adjusted_gain(*series)
                naive = gain.mean() / (gain.std() / np.sqrt(len(gain))) > 1.645
                rows.append({"world": world, "k": k, "horizon": horizon, "p": clark_west(*series, horizon).p, "naive": naive})
    return pd.DataFrame(rows)


def judge(worlds: pd.DataFrame) -> list[Finding]:
    cells = worlds.groupby(["k", "horizon"])
    found = [share(f"Clark-West, {k} predictor{'s' * (k > 1)}, h = {h}", own["p"] <= LEVEL, high=HIGH) for (k, h), own in cells]
    return found + [share(f"rows taken for independent, 1 predictor, h = {h}", cells.get_group((1, h))["naive"]) for h in ROWS]


def draw(figure: Figure, worlds: pd.DataFrame) -> None:
    said = (worlds["p"] <= LEVEL).groupby([worlds["k"], worlds["horizon"]]).mean()
    naive = worlds.loc[worlds["k"] == 1].groupby("horizon")["naive"].mean()
    shown = {"Clark-West, 1 predictor": said[1], "Clark-West, 5 predictors": said[5], "rows as if independent": naive}
    level_dots(figure, shown, 0.0, HIGH, "sessions ahead", "share of null worlds rejected at .05")


EXPERIMENT = Experiment(
    "A6",
    "Clark-West finds information in forecasts that hold none no more often than it says",
    "An expanding regression on 1 or 5 persistent predictors (.98) that know nothing of the returns, refitted every 63 rows on labels "
    "known by then, against the expanding mean, 1500 rows out of sample (2000 at 63 sessions); one-sided at .05 on rows that do not "
    "overlap. Beside it the same statistic with all rows taken for independent.",
    "Nominal .05 and three Monte-Carlo errors (.011 each). There is no lower bound: a test that rejects too seldom costs power, see A8.",
    1000,
    run,
    judge,
    draw,
)
