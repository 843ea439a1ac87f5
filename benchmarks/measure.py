"""How a work is measured: CPU time of ours and the peer's in turn, memory in a process of its own."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Duel:
    """Ours and a peer's code for the same work, ready to run.

    Attributes
    ----------
    ours : runs the work once and gives its result
    set_up_peer : makes the peer's input, untimed, and gives what runs it once; apart, so that memory is measured without the peer
    check : takes both results and raises AssertionError unless they are equal to the stated tolerance
    repeats : how often each is timed, in turn
    calls : runs of ours in one timing; more than one where a run is too short for the clock
    """

    ours: Callable[[], Any]
    set_up_peer: Callable[[], Callable[[], Any]]
    check: Callable[[Any, Any], None]
    repeats: int = 5
    calls: int = 1


@dataclass(frozen=True)
class Cost:
    """What a work took: CPU seconds of user and system, wall seconds, and the most memory of one process in MB."""

    cpu_s: float
    wall_s: float
    peak_mb: float


@dataclass(frozen=True)
class Versus:
    """A work compared with a peer.

    Attributes
    ----------
    work, against : as the table says them
    floor : ratio of the peer's CPU time to ours that must be reached
    prepare : makes the input, untimed, and gives the duel
    needs : package of the peer without which the work is left out
    """

    work: str
    against: str
    floor: float
    prepare: Callable[[], Duel]
    needs: str = ""


@dataclass(frozen=True)
class Limits:
    """A work held to limits.

    Attributes
    ----------
    work : as the table says it
    limits : for each limit in words, what it allows and the field of `Cost` it is for; the ratio is allowed / used, its floor 1
    run : does the work and says what it cost
    needs : environment variable without which the work is left out
    """

    work: str
    limits: dict[str, tuple[float, str]]
    run: Callable[[], Cost]
    needs: str = ""


def time_duel(duel: Duel) -> tuple[float, float]:
    """Time both in turn and check that their results are equal; medians of CPU seconds a run, ours and the peer's."""
    run_peer = duel.set_up_peer()
    ours, peer = [], []
    for repeat in range(duel.repeats):
        own_s, own = cpu_seconds(duel.ours, duel.calls)
        peer_s, theirs = cpu_seconds(run_peer, 1)
        if repeat == 0:
            duel.check(own, theirs)
        ours.append(own_s)
        peer.append(peer_s)
    return median(ours), median(peer)


def cpu_seconds(work: Callable[[], Any], calls: int) -> tuple[float, Any]:
    """CPU seconds a run, all threads of this process together, and the last run's result."""
    gc.collect()
    start = time.process_time()
    for _ in range(calls):
        result = work()
    return (time.process_time() - start) / calls, result
