"""`appetite compare` on 200 trials of one family, from ledger and MLflow to the page."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measure import Cost, Limits
from benchmarks.process import children_cost

ROOT = Path(__file__).resolve().parent.parent
RUNS, SESSIONS = 200, 2000
ASSETS, HORIZONS = ("ALT", "BTC", "ETH"), (5, 21, 63, 126)
SCHEDULES = 20
"""Runs differ in when they are refit, and so do their baselines: as many versions of them."""

METRICS = 40
"""Numbers that a training logs with its run."""


def losses_of(seed: int) -> pd.DataFrame:
    """Draw the losses of a walk: served series and baselines on every cell, the baselines a little apart from schedule to schedule."""
    from models.forecast import BASELINES

    days = pd.bdate_range("2016-01-04", periods=SESSIONS, name="session")
    parts = []
    for number, (asset, horizon) in enumerate((asset, horizon) for asset in ASSETS for horizon in HORIZONS):
        world, own = np.random.default_rng([0, number]), np.random.default_rng([seed, 1, number])
        shared = {"session": days, "asset": asset, "horizon": horizon, "y": world.normal(0, 0.05, SESSIONS), "sd": 0.05, "outer": True}
        schedule = np.random.default_rng([seed % SCHEDULES, 2, number])
        crps = 0.03 * (1.0 + 0.1 * world.standard_normal(SESSIONS)) + 1e-5 * schedule.standard_normal(SESSIONS)
        shared |= {"pit": world.uniform(size=SESSIONS), "p_on": own.uniform(size=SESSIONS)}
        parts += [pd.DataFrame(shared | {"rung": rung, "mean": 0.001 * k, "crps": crps}) for k, rung in enumerate(BASELINES)]
        noise = 0.002 * own.standard_normal(SESSIONS)
        parts.append(pd.DataFrame(shared | {"rung": "served", "mean": own.normal(0, 0.01, SESSIONS), "crps": crps + noise}))
    return pd.concat(parts, ignore_index=True)


def fill(uri: str, root: Path) -> None:
    """Enter the trials into the ledger and into MLflow."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, RunTag

    from training.ledger.ledger import Ledger
    from training.ledger.trial import BACKTEST, Family, Trial

    client, ledger = MlflowClient(uri, uri), Ledger(root)
    experiment = client.create_experiment("appetite", artifact_location=(root.parent / "artifacts").as_uri())
    family = Family(ASSETS, HORIZONS, "0" * 64, "2016-01-04", "2023-12-29")
    for number in range(RUNS):
        trial = Trial(BACKTEST, family, "drawn", simulated=True, hypothesis_id=f"h{number}", seed=number)
        run = client.create_run(experiment, run_name=f"drawn {number}", tags=trial.tags() | {"job": BACKTEST}).info.run_id
        metrics = [Metric(f"metric_{each}", float(number), 0, 0) for each in range(METRICS)]
        client.log_batch(run, metrics=metrics, tags=[RunTag("market", "drawn")])
        client.set_terminated(run)
        ledger.open(run, f"drawn {number}", "appetite", trial)
        ledger.end(run, "FINISHED", ledger.mirror.keep(losses_of(number)))


def run() -> Cost:
    """Fill a store, untimed, and compare in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{folder}/mlflow.db"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
        environment |= {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
        filling = f"from pathlib import Path; from benchmarks.comparing import fill; fill({uri!r}, Path({folder!r}) / 'mlflow.ledger')"
        subprocess.run([sys.executable, "-W", "ignore", "-c", filling], cwd=folder, env=environment, check=True, capture_output=True)
        before, start = children_cost()[0], time.perf_counter()
        command = [sys.executable, "-m", "appetite", "compare", "--json", "--out", "ranking"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        wall_s = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"appetite compare ended with exit code {done.returncode}: {done.stderr[-1000:]}")
    answer = json.loads(done.stdout)
    assert (answer["n_trials"], len(answer["cells"])) == (RUNS, RUNS * len(ASSETS) * len(HORIZONS))
    cpu_s, peak_mb = children_cost()
    return Cost(cpu_s - before, wall_s, peak_mb)


WORKS = [
    Limits(
        f"appetite compare, {RUNS} runs x 12 cells x {SESSIONS:,} sessions",
        {"limit of 20 CPU s": (20.0, "cpu_s"), "limit of 20 s": (20.0, "wall_s"), "limit of 1.5 GB": (1536.0, "peak_mb")},
        run,
    )
]
