"""How often the states of a simulated world get their names, and at what cost."""

import os
import time
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from models.bootstrap import weigh_names
from models.identity import MIN_GAIN_Z, MIN_ORDER_PROB
from models.regime_fit import HMMSettings, fit_regime_hmm
from tests.models.worlds import frame_of
from tests.recovery.worlds import STATED, STATELESS, World

SETTINGS = HMMSettings(n_components=2, kappa=100.0, n_init=2, n_iter=200, tol=1e-3, score_column="ret")
N_REFITS = 40
BURN = 300
"""Rows before columns made of 200 sessions have their first values."""

N_JOBS = int(os.environ.get("STUDY_JOBS", min(2, os.cpu_count() or 1)))


def columns_like_the_shipped(world: World, seed: int) -> pd.DataFrame:
    """The return, and what the shipped configuration makes of prices: realised volatility, breadth, relative strength."""
    rng, r = np.random.default_rng([seed, 7]), world.X[:, 0]
    loads = rng.uniform(0.6, 1.4, 60)
    stocks = pd.DataFrame(np.cumsum(r[:, None] * loads + 0.02 * rng.standard_normal((len(r), 60)), axis=0))
    relative = pd.Series(0.2 * r + 0.004 * rng.standard_normal(len(r)))
    breadth = (stocks > stocks.rolling(200).mean()).mean(axis=1).to_numpy()
    X = np.column_stack([r, np.log(pd.Series(r).rolling(21).std()), breadth, relative.rolling(63).sum()])
    return frame_of(X[BURN:], ("ret", "log_vol", "breadth", "strength"))


def weigh_world(name: str, seed: int, n_obs: int, shipped: bool = False) -> pd.DataFrame:
    """Evidence of one world, one row."""
    draw = {**STATED, **STATELESS}[name]
    world = draw(seed, n_obs + BURN * shipped)
    frame = columns_like_the_shipped(world, seed) if shipped else frame_of(world.X, ("ret",))
    begun = time.process_time()
    model = fit_regime_hmm(frame, tuple(frame.columns), SETTINGS, np.random.default_rng(0))
    fitted = time.process_time()
    _, identity = weigh_names(model, frame, SETTINGS, N_REFITS, np.random.default_rng(1))
    row = {
        "world": name,
        "seed": seed,
        "named": identity.identified,
        "apart": identity.mean_passed or identity.sd_ratio >= 1.3,
        "ordered": identity.order_prob >= MIN_ORDER_PROB,
        "foretold": identity.gain_z >= MIN_GAIN_Z,
        "gain_z": identity.gain_z,
        "order_prob": identity.order_prob,
        "inverted": model.natural().variances[0, 0] > model.natural().variances[1, 0],
        "fit_seconds": fitted - begun,
        "seconds": time.process_time() - fitted,
        "oracle": oracle_z(world),
    }
    return pd.DataFrame([row])


def oracle_z(world: World) -> float:
    """The difference of the scores in standard errors, for one who sees the states."""
    on, off = (world.X[world.states == k, 0] for k in (0, 1))
    if not len(off) or not len(on):
        return float("nan")
    return float((on.mean() / on.std() - off.mean() / off.std()) / np.hypot(len(on) ** -0.5, len(off) ** -0.5))


def many(study: Callable[..., pd.DataFrame], jobs: Iterable[tuple[object, ...]]) -> pd.DataFrame:
    """Lay the tables of all jobs end to end; STUDY_JOBS says how many run at a time."""
    return pd.concat(Parallel(n_jobs=N_JOBS)(delayed(study)(*job) for job in jobs), ignore_index=True)


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """Share of worlds that pass each part, and mean cost."""
    table = table.assign(oracle=table["oracle"] > 1.96)
    columns = ["named", "apart", "ordered", "foretold", "oracle", "inverted", "fit_seconds", "seconds"]
    return table.groupby("world", sort=False)[columns].mean().round(3)
