"""What compiling the engine costs, once on a machine: in a process of its own, with an empty cache."""

import json
import os
import subprocess
import sys
import tempfile
import time

from benchmarks.measure import Cost, Limits

LIMIT_S = 60.0


def run() -> Cost:
    """Compile in a fresh process; its imports are not counted."""
    with tempfile.TemporaryDirectory() as cache:
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.compilation"],
            env={**os.environ, "NUMBA_CACHE_DIR": cache},
            stdout=subprocess.PIPE,
            check=True,
        )
        cpu_s, peak_mb = json.loads(done.stdout)
        return Cost(cpu_s, time.perf_counter() - begin, peak_mb)


def compile_engine() -> tuple[float, float]:
    """Run every entry of the engine once: CPU seconds, and the most memory in MB."""
    from benchmarks.em import draw, rough_start
    from benchmarks.process import own_peak_mb
    from models.em import climb, data_prior
    from models.engine.filtering import filter_history
    from models.engine.online import CompiledFilter
    from models.engine.posterior import smooth_history

    X = draw(200, 2, 2)
    start = rough_start(X, 2)
    begin = time.process_time()
    climb(X, start, data_prior(X, 2), covariance_type="full", n_iter=2, tol=0.0)
    filter_history(X, start)
    smooth_history(X, start)
    CompiledFilter(start).update(None, X[0])
    return time.process_time() - begin, own_peak_mb()


WORKS = [Limits("compiling the engine, once on a machine", {f"limit of {LIMIT_S:.0f} CPU s": (LIMIT_S, "cpu_s")}, run)]

if __name__ == "__main__":
    print(json.dumps(compile_engine()))
