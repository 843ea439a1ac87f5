"""A17: five events with a large effect are found, and three are never more than consistent."""

import pandas as pd
from matplotlib.figure import Figure

from tests.recovery.event_worlds import planted_worlds
from tests.validation.experiment import Experiment, Finding, share
from training.claims.shifts import LEVEL
from training.claims.verdicts import CONSISTENT, VERDICTS

EFFECT = 0.75
CASES = {"5 events, planted": (5, EFFECT), "3 events, planted": (3, EFFECT), "3 events, nothing planted": (3, 0.0)}


def run(seeds: range) -> pd.DataFrame:
    """Test and judge each case in each world: a row each."""
    return pd.concat([planted_worlds(seeds, n, effect).assign(case=case) for case, (n, effect) in CASES.items()], ignore_index=True)


def judge(worlds: pd.DataFrame) -> list[Finding]:
    five, three, none = (worlds[worlds["case"] == case] for case in CASES)
    return [
        share("5 events planted: shift test finds them", five["p"] <= LEVEL, low=0.95),
        share("5 events planted: called consistent", five["verdict"] == CONSISTENT),
        share("3 events planted: shift test finds them", three["p"] <= LEVEL),
        share("3 events planted: called consistent", three["verdict"] == CONSISTENT),
        share("3 events planted: called anything stronger", ~three["verdict"].isin(VERDICTS), high=0.0),
        share("3 events, nothing planted: called consistent", none["verdict"] == CONSISTENT, high=0.05),
    ]


def draw(figure: Figure, worlds: pd.DataFrame) -> None:
    axes = figure.subplots()
    said = worlds.groupby("case")["verdict"].value_counts(normalize=True).unstack(fill_value=0.0).reindex(list(CASES)[::-1])
    left = pd.Series(0.0, index=said.index)
    for verdict, colour in zip([each for each in VERDICTS if each in said], ("#1b4f72", "#d9d9d9", "#8c8c8c", "#ffffff"), strict=False):
        axes.barh(said.index, said[verdict], left=left, color=colour, edgecolor="#1b1b1b", height=0.6, label=verdict)
        left += said[verdict]
    axes.set(xlabel="share of worlds, by verdict", xlim=(0, 1))
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside upper left", ncols=4)


EXPERIMENT = Experiment(
    "A17",
    "A large effect after a handful of events is found, and three events never prove anything",
    "The coin of A16; after 5 or 3 events at random dates a year or more apart it gains .75 (log) over 63 sessions, spread evenly, or "
    "nothing. Shift test with 999 draws; the verdict needs the test with each event left out as well.",
    "Power .95 on five events of that size; no verdict stronger than 'consistent' exists; without an effect three events are called so "
    "in at most .05.",
    1000,
    run,
    judge,
    draw,
)
