"""The main job, `appetite train`, from a cold start to a registered model, on a fresh tracking store."""

import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.measure import Cost, Limits
from benchmarks.process import children_cost

ROOT = Path(__file__).resolve().parent.parent


def run(market: str, *, simulated: bool) -> Cost:
    """Train in a process of its own, and see that it registered a model of the right market; what its children take counts."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
        environment |= {
            "PYTHONPATH": str(ROOT),
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        if environment.get("APPETITE_DATA"):  # the job runs in another folder
            environment["APPETITE_DATA"] = str(Path(environment["APPETITE_DATA"]).resolve())
        conf = ROOT / "conf"
        words = [
            "train",
            "--json",
            "--market",
            f"{conf / market}",
            "--config",
            f"{conf / 'train.yaml'}",
            "--rules",
            f"{conf / 'promote.yaml'}",
        ]
        start = time.perf_counter()
        # the store's artifacts lie beside it, as the job runs in its folder
        done = subprocess.run(
            [sys.executable, "-m", "appetite", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        wall_s = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"appetite train on {market} ended with exit code {done.returncode}: {done.stderr[-1000:]}")
    answer = json.loads(done.stdout)
    assert answer["version"] is not None
    assert answer["card"]["market"]["simulated"] is simulated
    cpu_s, peak_mb = children_cost()
    return Cost(cpu_s, wall_s, peak_mb)


WORKS = [
    Limits(
        "appetite train on the sample market",
        {"limit of 60 CPU s": (60.0, "cpu_s"), "limit of 1 GB": (1024.0, "peak_mb")},
        partial(run, "market-sample.yaml", simulated=True),
    ),
    Limits(
        "appetite train on the real market",
        {"limit of 240 CPU s": (240.0, "cpu_s"), "limit of 240 s": (240.0, "wall_s"), "limit of 2 GB": (2048.0, "peak_mb")},
        partial(run, "market-files.yaml", simulated=False),
        needs="APPETITE_DATA",
    ),
]
