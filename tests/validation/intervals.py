"""A15: calibrated intervals hold what they promise where volatility changes, and few of them are unbounded."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from models.conformal import GAMMA
from tests.recovery.coverage import HORIZONS, covered_and_unbounded
from tests.validation.document import number
from tests.validation.experiment import Experiment, Finding, average, share
from training.evaluation.coverage import band
from training.reports.style import LINES

LEVEL, WITHIN = 0.9, 0.95
STEPS = (GAMMA, 0.0, 0.02)
UNBOUNDED = {5: 0.01, 21: 0.06}


def run(seeds: range) -> pd.DataFrame:
    """Coverage and share of unbounded intervals: a row a world, horizon and step of the adaptation."""
    cells = [(seed, horizon, gamma) for seed in seeds for horizon in HORIZONS for gamma in STEPS]
    found = [covered_and_unbounded(seed, horizon, LEVEL, gamma) for seed, horizon, gamma in cells]
    return pd.DataFrame(cells, columns=["world", "horizon", "gamma"]).assign(
        covered=[each for each, _ in found], unbounded=[each for _, each in found]
    )


def judge(worlds: pd.DataFrame) -> list[Finding]:
    worlds = worlds.assign(within=(worlds["covered"] - LEVEL).abs() <= worlds["horizon"].map(band) + 1e-12)
    cells = {key: own for key, own in worlds.groupby(["gamma", "horizon"])}
    found = [share(f"within ±{number(band(h))}, h = {h}", cells[GAMMA, h]["within"], low=WITHIN) for h in HORIZONS]
    found += [average(f"mean coverage, h = {h}", cells[GAMMA, h]["covered"]) for h in HORIZONS]
    found += [average(f"share unbounded, h = {h}", cells[GAMMA, h]["unbounded"], high=UNBOUNDED.get(h, np.inf)) for h in HORIZONS]
    found += [share(f"without feedback, within ±{number(band(h))}, h = {h}", cells[0.0, h]["within"]) for h in HORIZONS]
    return found + [average(f"step .02, share unbounded, h = {h}", cells[0.02, h]["unbounded"]) for h in HORIZONS]


def draw(figure: Figure, worlds: pd.DataFrame) -> None:
    axes = figure.subplots()
    names = {GAMMA: "step .005, as shipped", 0.0: "without feedback"}
    for place, ((gamma, name), style) in enumerate(zip(names.items(), LINES, strict=False)):
        cells = worlds[worlds["gamma"] == gamma].groupby("horizon")["covered"].quantile([0.025, 0.5, 0.975]).unstack()
        places = np.arange(len(cells)) + 0.2 * (place - 0.5)
        reach = [cells[0.5] - cells[0.025], cells[0.975] - cells[0.5]]
        dots = style | {"linestyle": "none"}
        axes.errorbar(places, cells[0.5], reach, **dots, capsize=4, label=f"{name}: median and 95% of worlds")
    for place, horizon in enumerate(HORIZONS):
        axes.fill_between([place - 0.35, place + 0.35], LEVEL - band(horizon), LEVEL + band(horizon), color="#e4e4e4", zorder=0)
    axes.set_xticks(range(len(HORIZONS)), [str(h) for h in HORIZONS])
    axes.set(xlabel="sessions ahead; grey: within the band", ylabel="coverage of 90% intervals")
    axes.grid(visible=False, axis="x")
    figure.legend(loc="outside upper left", ncols=2)


EXPERIMENT = Experiment(
    "A15",
    "Calibrated intervals hold what they promise",
    "Returns of market S with Student's t5 and no mean: calm and turbulent days by a Markov chain. 90% intervals of the next h returns "
    "over the EWMA volatility, calibrated with feedback that comes h rows late (window 500, step .005), on 1500 rows. Beside it without "
    "feedback, and with the step .02.",
    "In .95 of worlds coverage within .02 at 5 and 21 sessions, .04 at 63, .06 at 126: what 1500 overlapping rows can tell. Unbounded "
    "at most .01 and .06 at 5 and 21 sessions: a faster step buys coverage with intervals that say nothing. A miss at 126 sessions is "
    "known: misses are learnt of half a year late, and 1500 rows hold twelve of them.",
    400,
    run,
    judge,
    draw,
)
