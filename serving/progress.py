"""Progress on standard error: a bar in a terminal, a line a stage elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

STAGES = {
    "market": "reading the market",
    "features": "computing features",
    "regimes": "regimes: walk-forward refits",
    "identity": "regimes: refits on resampled history",
    "states": "states: walks of the candidates",
    "search": "search: candidates walked",
    "forecasts": "forecasts: walk-forward",
    "record": "report, record and model",
    "score": "scoring",
}
Report = Callable[[str, int, int], None]


@contextmanager
def shown(quiet: bool) -> Iterator[Report]:
    """Give a function to report a stage, its steps done and their number; nothing is shown if `quiet`."""
    if quiet:
        yield lambda stage, done, total: None
    elif sys.stderr.isatty():
        with Progress(
            TextColumn("{task.description:<38}"),
            BarColumn(),
            TextColumn("{task.fields[steps]:>9}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        ) as bar:
            yield _bars(bar)
    else:
        yield _lines()


def _bars(bar: Progress) -> Report:
    tasks: dict[str, TaskID] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(STAGES.get(stage, stage), total=total, steps="")
        moving = None if total == 1 and not done else total  # without an end a bar moves, and does not look stuck
        bar.update(tasks[stage], completed=done, total=moving, steps=f"{done}/{total}" if total > 1 else "")

    return report


def _lines() -> Report:
    begun: dict[str, float] = {}
    quarter: dict[str, int] = {}

    def report(stage: str, done: int, total: int) -> None:
        begun.setdefault(stage, time.monotonic())
        now = 4 * done // max(total, 1)
        if now != quarter.get(stage):
            quarter[stage] = now
            took = [f"{time.monotonic() - begun[stage]:.1f} s"] if done == total else []
            steps = [f"{done}/{total}"] if total > 1 else []
            with suppress(BrokenPipeError):  # a reader that has gone must not fail the job
                sys.stderr.write(f"{STAGES.get(stage, stage)}: {' '.join(steps + took) or '...'}\n")

    return report
