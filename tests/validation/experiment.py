"""What an acceptance experiment is: worlds whose truth is known, what is measured of them, and what was required beforehand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

CHUNK = 10
"""Worlds that are simulated in one go; each chunk has its own seed, so that the number of processes changes nothing."""


@dataclass(frozen=True)
class Finding:
    """One number measured over many worlds, and what it had to be.

    Attributes
    ----------
    what : in words
    measured, error : and its Monte-Carlo standard error, NaN where it has none
    worlds : behind it
    low, high : required; an infinite end is not required, both infinite: shown beside
    slack : standard error where the truth lies at the bound, for the test on few worlds
    """

    what: str
    measured: float
    error: float
    worlds: int
    low: float = -np.inf
    high: float = np.inf
    slack: float = 0.0

    @property
    def required(self) -> bool:
        """Whether anything was required."""
        return bool(np.isfinite(self.low) or np.isfinite(self.high))

    def holds(self, errors: float = 0.0) -> bool:
        """Whether the requirement is met, give or take so many standard errors."""
        room = errors * self.slack
        return self.low - room <= self.measured <= self.high + room


@dataclass(frozen=True)
class Experiment:
    """One acceptance experiment of METHODS 6.

    Attributes
    ----------
    id : in METHODS
    title : the property, in plain words
    simulated : what is simulated and measured, a paragraph
    reason : why the bounds are what they are, and what a miss means
    worlds : of the full study
    run : worlds by their seeds, at most `CHUNK` at a time -> measures, tidy
    judge : measures of all worlds -> what was found of them
    draw : the figure, from the same measures
    """

    id: str
    title: str
    simulated: str
    reason: str
    worlds: int
    run: Callable[[range], pd.DataFrame]
    judge: Callable[[pd.DataFrame], Sequence[Finding]]
    draw: Callable[[Figure, pd.DataFrame], None]

    def chunks(self, worlds: int) -> list[range]:
        """Seeds of so many worlds, in chunks that do not depend on their number."""
        return [range(first, min(first + CHUNK, worlds)) for first in range(0, worlds, CHUNK)]


def share(what: str, happened: pd.Series, *, low: float = -np.inf, high: float = np.inf, worlds: int | None = None) -> Finding:
    """Measure how often something happened; with several rows a world the error is that of rows that always agree, never too small."""
    n = len(happened) if worlds is None else worlds
    measured = float(happened.mean())
    bounds = [each for each in (low, high) if np.isfinite(each)] or [measured]
    slack = float(max(np.sqrt(each * (1 - each) / n) for each in bounds))
    return Finding(what, measured, float(np.sqrt(measured * (1 - measured) / n)), n, low, high, slack)


def average(what: str, values: pd.Series, *, low: float = -np.inf, high: float = np.inf) -> Finding:
    """Measure a mean over worlds, one value each."""
    error = float(values.std() / np.sqrt(len(values)))
    return Finding(what, float(values.mean()), error, len(values), low, high, error)


def middle(what: str, values: pd.Series, *, low: float = -np.inf, high: float = np.inf) -> Finding:
    """Measure a median over worlds; its error is that of 999 resamples."""
    drawn = np.random.default_rng(0).choice(values.to_numpy(), (999, len(values)))
    error = float(np.median(drawn, axis=1).std())
    return Finding(what, float(values.median()), error, len(values), low, high, error)
