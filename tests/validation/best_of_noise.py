"""A18: deflation silences the best of fifty strategies without skill."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tests.validation.experiment import Experiment, Finding, share
from tests.validation.plots import cumulative
from training.evaluation.deflation import deflated_sharpe, probabilistic_sharpe

TRIALS, N_OBS, SURE = 50, 1000, 0.95


def run(seeds: range) -> pd.DataFrame:
    """Probabilities of the best strategy of each family: that its Sharpe ratio is above zero, and above the luck of the best of 50."""
    rows = []
    for world in seeds:
        returns = np.random.default_rng([18, world]).normal(0.0, 0.01, (N_OBS, TRIALS))
        ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
        best = returns[:, ratios.argmax()]
        rows.append({"world": world, "psr": probabilistic_sharpe(best), "dsr": deflated_sharpe(best, ratios, TRIALS)})
    return pd.DataFrame(rows)


def judge(worlds: pd.DataFrame) -> list[Finding]:
    return [
        share("best of 50: probabilistic Sharpe ratio above .95", worlds["psr"] > SURE, low=0.85),
        share("best of 50: deflated Sharpe ratio above .95", worlds["dsr"] > SURE, high=0.03),
    ]


def draw(figure: Figure, worlds: pd.DataFrame) -> None:
    axes = figure.subplots()
    cumulative(axes, {"probabilistic": worlds["psr"], "deflated": worlds["dsr"]})
    axes.axvline(SURE, color="#1b1b1b", linewidth=0.8)
    axes.set(xlabel="Sharpe ratio of the best, as a probability; thin line: .95", ylabel="share of families")
    figure.legend(loc="outside upper left", ncols=2)


EXPERIMENT = Experiment(
    "A18",
    "The best of fifty strategies without skill is not taken for skilled",
    "Families of 50 strategies of 1000 independent normal returns without a mean; the one of the greatest Sharpe ratio is judged.",
    "The probabilistic ratio, which knows of one trial, is the negative control and must fire in .85 at least. The deflated one is "
    "conservative, no test of level .05.",
    1000,
    run,
    judge,
    draw,
)
