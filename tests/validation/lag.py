"""A9: the lag between small caps and coin is recovered."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tests.recovery.lag_worlds import lag_worlds
from tests.validation.experiment import Experiment, Finding, middle, share
from training.reports.style import LINES

LAG, NEAR, NEAR_STATE = 10, 5, 2


def judge(worlds: pd.DataFrame) -> list[Finding]:
    return [
        middle("median lag found on the filtered probability", worlds["found"], low=LAG - NEAR, high=LAG + NEAR),
        middle("median lag found on the state itself", worlds["found_state"], low=LAG - NEAR_STATE, high=LAG + NEAR_STATE),
        share("single worlds within 5 sessions, filtered probability", (worlds["found"] - LAG).abs() <= NEAR),
        share("single worlds within 5 sessions, state", (worlds["found_state"] - LAG).abs() <= NEAR),
    ]


def draw(figure: Figure, worlds: pd.DataFrame) -> None:
    axes = figure.subplots()
    edges = np.arange(0.5, 64.0, 3.0)
    names = {"found": "filtered probability", "found_state": "the state itself"}
    for (column, name), style in zip(names.items(), LINES, strict=False):
        axes.hist(worlds[column], edges, histtype="step", color=style["color"], linestyle=style["linestyle"], linewidth=1.6, label=name)
    axes.axvline(LAG, color="#1b1b1b", linewidth=0.8)
    axes.set(xlabel="lag found, sessions; thin line: planted", ylabel="worlds", xlim=(0, 45))
    figure.legend(loc="outside upper left", ncols=2)


EXPERIMENT = Experiment(
    "A9",
    "The lag between small caps and coin is recovered",
    "Market S of 2500 sessions, effect .008, lag 10. The lag found is where the local-projection profile of the coin's one-session "
    "returns on the filtered probability (true parameters), means of five slopes, is greatest among 1 to 63 sessions.",
    "A week. The filter is late itself, which shortens the lag; on the state itself two sessions are asked for. Both are of the median: "
    "the share of single worlds within a week says how little one history tells.",
    400,
    lag_worlds,
    judge,
    draw,
)
