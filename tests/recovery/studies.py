"""Whole studies on simulated worlds, spread over the cores: what the pipeline says where the truth is known."""

import os
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from serving.card import LONGEST_CONFIRMED
from serving.words import BEATS
from sources.simulated import simulate
from training.config import load_config
from training.evaluation.skill import LEVEL
from training.study import make_table, run_study

CONFIG = Path(__file__).resolve().parents[2] / "conf" / "train.yaml"
N_STOCKS = 40
LAG = 10


def served_skill(seed: int, effect: float) -> pd.DataFrame:
    """Served rows of the skill table of one world, under the shipped configuration without bootstrap and lock-box."""
    config = load_config(CONFIG, **{"regime.bootstrap": 0, "regime.evidence": 0, "walk.lockbox": 0.0})
    market = simulate(seed=seed, effect=effect, lag=LAG, n_stocks=N_STOCKS).market
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a refit of one world in sixty may not converge: that is for its own reader
        study = run_study(make_table(market, config, quiet), config, quiet)
    return study.skill[study.skill["rung"] == "served"].assign(seed=seed)


def quiet(what: str, done: int, of: int) -> None:
    """Say nothing of progress."""


def many(study: Callable[..., pd.DataFrame], seeds: Iterable[int], *args: object) -> pd.DataFrame:
    """Run a study a seed, two at a time where there are two cores, and lay the tables end to end."""
    n_jobs = min(2, os.cpu_count() or 1)
    return pd.concat(Parallel(n_jobs=n_jobs)(delayed(study)(seed, *args) for seed in seeds), ignore_index=True)


def found_in(table: pd.DataFrame) -> pd.DataFrame:
    """Share of worlds in which Bitcoin's cell carries information (adjusted Clark-West), and in which it beats the baseline as well."""
    bitcoin = table[(table["asset"] == "BTC") & (table["horizon"] <= LONGEST_CONFIRMED)]
    says = pd.DataFrame({"found": bitcoin["p_adjusted"] <= LEVEL, "beats": bitcoin["verdict"] == BEATS})
    return says.groupby(bitcoin["horizon"]).mean()


if __name__ == "__main__":  # power at another effect: python -m tests.recovery.studies .008
    given = float(sys.argv[1])
    table = many(served_skill, range(200, 220), given)
    print(f"planted {given}:\n{found_in(table)}")  # noqa: T201
