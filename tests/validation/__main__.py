"""`python -m tests.validation`: simulate, judge, print, and write docs/VALIDATION.md with its figures."""

import argparse
import os
import sys
import time

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ.update(ONE_THREAD)  # before numpy: products are summed in one order, whatever the machine's cores

from pathlib import Path  # noqa: E402

from tests.validation.document import FIGURES, NAME, document, line, picture  # noqa: E402
from tests.validation.experiment import Experiment, Finding  # noqa: E402
from tests.validation.registry import EXPERIMENTS  # noqa: E402
from tests.validation.study import figure, judged  # noqa: E402


def main() -> int:
    """Run what is asked for; 2 where no experiment has the name given."""
    parser = argparse.ArgumentParser(prog="python -m tests.validation", description=__doc__)
    parser.add_argument("--worlds", type=_most, default="full", help="'full', or at most so many worlds an experiment; few are for a look")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", default="", help="the id of one experiment; the document is not written then")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the document")
    given = parser.parse_args()
    chosen = [each for each in EXPERIMENTS if given.only in ("", each.id)]
    if not chosen:
        print(f"no experiment '{given.only}'; there are {', '.join(each.id for each in EXPERIMENTS)}", file=sys.stderr)  # noqa: T201
        return 2
    (given.out / FIGURES).mkdir(parents=True, exist_ok=True)
    results: dict[str, tuple[Experiment, list[Finding]]] = {}
    for experiment in chosen:
        begun = time.perf_counter()
        worlds = int(min(given.worlds, experiment.worlds))
        measures, findings = judged(experiment, worlds, given.jobs)
        results[experiment.id] = (experiment, findings)
        (given.out / picture(experiment)).write_bytes(figure(experiment, measures))
        print("\n".join(line(experiment, each) for each in findings))  # noqa: T201
        print(f"{experiment.id}: {worlds} worlds, {time.perf_counter() - begun:.0f} s", flush=True)  # noqa: T201
    if not given.only:
        (given.out / NAME).write_text(document(results), encoding="utf-8")
    return 0


def _most(words: str) -> float:
    return float("inf") if words == "full" else int(words)


if __name__ == "__main__":
    sys.exit(main())
