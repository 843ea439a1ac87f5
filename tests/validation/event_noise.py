"""A16: the shift test of events keeps its level, the test on every record day does not."""

import pandas as pd
from matplotlib.figure import Figure

from tests.recovery.event_worlds import HORIZONS, null_worlds
from tests.validation.experiment import Experiment, Finding, share
from tests.validation.plots import cumulative
from training.claims.shifts import LEVEL

LOW, HIGH, NAIVE = 0.02, 0.085, 0.40


def judge(worlds: pd.DataFrame) -> list[Finding]:
    cells = {horizon: own for horizon, own in worlds.groupby("horizon")}
    some = {horizon: own.loc[own["n"] > 0, "p"] for horizon, own in cells.items()}
    found = [share(f"shift test, h = {h}", some[h] <= LEVEL, low=LOW, high=HIGH) for h in HORIZONS]
    return found + [share(f"t-test on every record day, h = {h}", cells[h]["p_records"] <= LEVEL, low=NAIVE) for h in HORIZONS]


def draw(figure: Figure, worlds: pd.DataFrame) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    cells = {f"{horizon} sessions": own for horizon, own in worlds[worlds["n"] > 0].groupby("horizon")}
    cumulative(left, {name: own["p"] for name, own in cells.items()})
    cumulative(right, {name: own["p_records"] for name, own in cells.items()})
    left.set(title="shift test", xlabel="p", ylabel="share of null worlds")
    right.set(title="every record day, t-test", xlabel="p")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=4)


EXPERIMENT = Experiment(
    "A16",
    "The event study finds nothing where there is nothing",
    "Twelve years of small caps and of a coin, two random walks with drift that do not know each other; events are confirmed breakouts "
    "by rule, a year apart at least. One-sided circular-shift test of what follows (499 draws), of worlds with an event; beside it, as "
    "the negative control, a t-test that takes every record day for an independent event.",
    "Nominal .05 and three Monte-Carlo errors. The control must fail by far, over .40, or the worlds would not be hard enough.",
    600,
    null_worlds,
    judge,
    draw,
)
