"""`python -m benchmarks`: measure every work in processes of its own, print the table, write results.json."""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

from benchmarks.measure import Cost, Limits, Versus, time_duel
from benchmarks.process import own_peak_mb
from benchmarks.results import Row, below_floor, row, surroundings, table, write
from benchmarks.works import WORKS

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")}


def main() -> int:
    """Measure, show, write; 1 where a floor is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="only works whose name holds this text; nothing is written then")
    parser.add_argument("--inside", nargs=2, metavar=("WHAT", "NUMBER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(inside(given.inside[0], WORKS[int(given.inside[1])])))
        return 0
    rows = []
    for number, work in enumerate(WORKS):
        if given.only not in work.work:
            continue
        if lacking := _lacking(work):
            print(f"left out: {work.work}: {lacking}", file=sys.stderr, flush=True)
        else:
            print(f"measuring: {work.work}", file=sys.stderr, flush=True)
            rows += measured(number, work)
    if not rows:
        print(f"no work's name holds '{given.only}'", file=sys.stderr)
        return 2
    print(f"{surroundings()}\n\n{table(rows)}")
    if not given.only:
        write(rows)
    missed = below_floor(rows)
    for each in missed:
        print(f"below its floor: {each['work']}, against {each['against']}: {each['ratio']:g} < {each['floor']:g}", file=sys.stderr)
    return int(bool(missed))


def _lacking(work: Versus | Limits) -> str:
    """Say what a work needs that is not there; empty where it can be measured."""
    if not work.needs:
        return ""
    if isinstance(work, Limits):
        return "" if os.environ.get(work.needs) else f"{work.needs} is not set"
    return "" if find_spec(work.needs) else f"{work.needs} is not installed (the optional extra 'bench' has it)"


def measured(number: int, work: Versus | Limits) -> list[Row]:
    """Measure one work in fresh processes."""
    if isinstance(work, Versus):
        timed, peak_mb = _ask("time", number), _ask("peak", number)
        return [row(work.work, work.against, timed["peer"] / timed["ours"], work.floor, timed["ours"], peak_mb)]
    cost = Cost(**_ask("cost", number))
    used = dataclasses.asdict(cost)
    return [row(work.work, words, allowed / used[of], 1.0, cost.cpu_s, cost.peak_mb) for words, (allowed, of) in work.limits.items()]


def _ask(what: str, number: int) -> Any:
    words = [sys.executable, "-m", "benchmarks", "--inside", what, str(number)]
    done = subprocess.run(words, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def inside(what: str, work: Versus | Limits) -> Any:
    """Do what the fresh process was started for: 'time' or 'peak' of a work with a peer, 'cost' of one with limits."""
    if isinstance(work, Limits):
        return dataclasses.asdict(work.run())
    if what == "peak":
        work.prepare().ours()
        return own_peak_mb()
    ours, peer = time_duel(work.prepare())
    return {"ours": ours, "peer": peer}


if __name__ == "__main__":
    sys.exit(main())
