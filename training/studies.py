"""Several walks at once: over processes, with progress, and not again what was done before."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Memory, Parallel, delayed
from joblib import hash as joblib_hash

import models
import training
from training.config import TrainConfig
from training.regimes import RegimeWalk, walk_regimes


def run_walks(
    X: pd.DataFrame,
    price: pd.Series,
    configs: Mapping[str, TrainConfig],
    *,
    n_jobs: int = 1,
    cache: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, RegimeWalk]:
    """Walk the regimes under several configurations: the same numbers whatever `n_jobs` is.

    A process costs some 10 CPU seconds of imports, a walk of 50 refits less: more than one pays for dozens of walks.

    Parameters
    ----------
    X, price : as of `training.regimes.walk_regimes`
    configs : by name
    n_jobs : processes (joblib)
    cache : folder in which finished walks are kept, so that a stopped study goes on where it was; by data, configuration and code.
        It holds pickles: for one's own use, never for a served model
    progress : called with the walks done and their number
    """
    walk = _walk if cache is None else Memory(cache, verbose=0).cache(_walk, ignore=["X", "price", "config"])
    jobs = (delayed(_named)(name, walk, X, price, config, _key(X, price, config)) for name, config in configs.items())
    done: dict[str, RegimeWalk] = {}
    for name, result in Parallel(n_jobs=n_jobs, return_as="generator_unordered")(jobs):
        done[name] = result
        progress(len(done), len(configs))
    return {name: done[name] for name in configs}


def _named(name: str, walk: Callable[..., RegimeWalk], *given: object) -> tuple[str, RegimeWalk]:
    return name, walk(*given)


def _walk(X: pd.DataFrame, price: pd.Series, config: TrainConfig, key: str) -> RegimeWalk:
    del key  # what it is kept under
    return walk_regimes(X, price, config, lambda what, done, of: None)


def _key(X: pd.DataFrame, price: pd.Series, config: TrainConfig) -> str:
    """Say what a walk is made of: two frames of the same numbers need not pickle to the same bytes."""
    data = (X.to_numpy(np.float64), list(map(str, X)), pd.DatetimeIndex(X.index).asi8, price.to_numpy(np.float64))
    return f"{joblib_hash(data)}-{joblib_hash((config.model_dump_json(), _code()))}"


def _code() -> str:
    """Hash of the code that a walk's numbers depend on."""
    folders = [Path(next(iter(package.__path__))) for package in (models, training)]
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
