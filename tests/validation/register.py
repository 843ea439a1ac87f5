"""A19: deleting runs neither shrinks the count of trials nor a p-value."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tests.training.comparison.family import enter
from tests.training.ledger.trials import FAMILY, walk
from tests.validation.experiment import Experiment, Finding, share
from training.comparison.choose import choose
from training.comparison.compare import Comparison, compare
from training.comparison.multiple import judge_family
from training.ledger.agreement import missing_trials
from training.ledger.ledger import Ledger
from training.ledger.seen import Seen

RUNS, DELETED, GAIN = 50, 10, 0.02
CELLS, N_OBS = (("BTC", 5),), 360


def run(seeds: range) -> pd.DataFrame:
    """Adjusted p-values before and after ten runs were purged from MLflow or left unnamed: a row a run that stays."""
    return pd.concat([_family(seed) for seed in seeds], ignore_index=True)


def _family(seed: int) -> pd.DataFrame:
    ids = [f"run{number:05d}" for number in range(RUNS)]
    gone = set(np.random.default_rng([19, seed]).choice(ids[1:], DELETED, replace=False))
    left = [each for each in ids if each not in gone]
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger")
        for number, run_id in enumerate(ids):  # only the first is any better
            enter(ledger, run_id, walk(1000 * (1 + seed) + number, gain=0.0 if number else GAIN, n=N_OBS, cells=CELLS))
        before, purged, named = _compared(ledger, ids), _compared(ledger, left), _compared(ledger, ids, left)
    numbers = [str(ids.index(each)) for each in left]
    composite = before.composite
    forgot = replace(composite, losses=composite.losses[[*numbers, *composite.baselines]])
    p = {name: _p(each).reindex(left) for name, each in (("before", before), ("purged", purged), ("named", named))}
    return (
        pd.DataFrame(
            p
            | {
                "world": seed,
                "forgotten": pd.Series(judge_family(forgot, len(left)).trials["p_adjusted"].to_numpy(), index=left),
                "n": min(purged.choice.n, named.choice.n),
                "best_before": bool(before.best),
                "best_purged": bool(purged.best),
            }
        )
        .rename_axis("run")
        .reset_index()
    )


def _compared(ledger: Ledger, in_mlflow: list[str], names: list[str] | tuple[str, ...] = ()) -> Comparison:
    choice = choose(ledger.read(), "appetite", names=names)
    seen = [Seen(run_id, run_id, "appetite", False, {"family_id": FAMILY.id}) for run_id in in_mlflow]
    return compare(choice, ledger.mirror, missing_trials(choice.family, seen), common=False)


def _p(comparison: Comparison) -> pd.Series:
    return comparison.runs[comparison.runs["trial"] >= 0].set_index("run_id")["p_adjusted"]


def judge(worlds: pd.DataFrame) -> list[Finding]:
    families = worlds.groupby("world")
    smaller = {name: (worlds[name] < worlds["before"] - 1e-12).groupby(worlds["world"]).any() for name in ("purged", "named", "forgotten")}
    return [
        share("N is 50 after ten were purged, and after ten were not named", families["n"].min() == RUNS, low=1.0),
        share("any adjusted p smaller, ten purged", smaller["purged"], high=0.0),
        share("any adjusted p smaller, ten not named", smaller["named"], high=0.0),
        share("a best is named while MLflow lacks ten", families["best_purged"].any(), high=0.0),
        share("a best was named before", families["best_before"].any()),
        share("any adjusted p smaller if the ten were forgotten", smaller["forgotten"]),
    ]


def draw(figure: Figure, worlds: pd.DataFrame) -> None:
    panels = figure.subplots(1, 2, sharey=True)
    for axes, column, title in zip(panels, ("purged", "forgotten"), ("ten purged from MLflow", "ten forgotten"), strict=True):
        axes.plot([0, 1], [0, 1], color="#5f5f5f", linewidth=0.8)
        axes.plot(worlds["before"], worlds[column], "o", color="#1b1b1b", markersize=3, fillstyle="none")
        axes.set(title=title, xlabel="adjusted p before", xlim=(0, 1.03), ylim=(0, 1.03))
    panels[0].set_ylabel("adjusted p afterwards")


EXPERIMENT = Experiment(
    "A19",
    "Deleting runs makes nothing look better",
    "Families of 50 trials in a ledger, with fabricated losses of 360 rows over 5 sessions; one is better than the baselines by nature. "
    "Ten others, drawn at random, are purged from what MLflow has, or left out of those named. Beside it what would be said if the ten "
    "had never been entered. With MLflow itself: tests/training/comparison/test_gather.py.",
    "No exception is allowed: each number comes from the ledger's mirror. A best must be refused until the ten are signed off.",
    20,
    run,
    judge,
    draw,
)
