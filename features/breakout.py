"""The breakout-and-retest automaton: 'resistance turned support' as a rule instead of an eye (METHODS 1.1).

NONE --close > R and R unbeaten for b sessions--> BROKEN --c closes in a row > R--> CONFIRMED --close <= (1+eps)R within W--> RETEST.
A close < (1-eps)R fails it in any of the three; RETEST ends as retest_held by a close > (1+2eps)R, CONFIRMED as ran_away after W sessions
without a touch. Every stamp is the session that settled it; nothing is dated back. One event at a time.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NONE, BROKEN, CONFIRMED, RETEST, FAILED, RETEST_HELD, RAN_AWAY = range(7)
STATES = ("none", "broken", "confirmed", "retest", "failed", "retest_held", "ran_away")
"""Names of the states by number; the last three last one session and are followed by 'none'."""


@dataclass(frozen=True)
class BreakoutRule:
    """The pre-registered parameters.

    Attributes
    ----------
    base : sessions for which the resistance must have stood unbeaten (b)
    confirm : closes in a row above it, the day of the break included (c)
    tolerance : half-width of the band around the resistance (eps), a share of it
    window : sessions after the confirmation in which a touch is a retest (W)
    """

    base: int = 252
    confirm: int = 3
    tolerance: float = 0.015
    window: int = 63


@dataclass(frozen=True)
class BreakoutPath:
    """The automaton on every session, arrays of length n_obs.

    Attributes
    ----------
    state : int8, index into `STATES`; -1 before the first close
    resistance : the level R of the event; the running maximum before the session where there is no event
    sessions_in_state : sessions since the state was entered
    distance : ln(P/R), NaN where there is no close
    margin : distance from the threshold that settled a transition, a share of it; NaN where nothing changed
    """

    state: NDArray[np.int8]
    resistance: NDArray[np.float64]
    sessions_in_state: NDArray[np.float64]
    distance: NDArray[np.float64]
    margin: NDArray[np.float64]


class _Automaton:
    """State between two sessions."""

    def __init__(self, rule: BreakoutRule) -> None:
        self.rule = rule
        self.state = -1
        self.resistance = np.nan
        self.maximum = np.nan
        self.age = -1
        self.in_state = 0
        self.above = 0
        self.narrowest = np.inf

    def step(self, price: float) -> float:
        """Take one close; return the margin of the transition, NaN for none."""
        if np.isnan(price):
            if self.state >= 0:
                self.age += 1
                self.in_state += 1
            return np.nan
        if self.state < 0:
            self.state, self.maximum, self.age, self.resistance = NONE, price, 0, price
            return np.nan
        self.age += 1
        before = self.state if self.state < FAILED else NONE
        after, margin = self._next(before, price)
        if before == NONE:
            self.resistance = self.maximum
        self.in_state = self.in_state + 1 if after == self.state else 0
        self.state = after
        if price > self.maximum:
            self.maximum, self.age = price, 0
        return margin

    def _next(self, state: int, price: float) -> tuple[int, float]:
        if state == NONE:
            return self._from_none(price)
        low = (1 - self.rule.tolerance) * self.resistance
        if price < low:
            return FAILED, 1 - price / low
        if state == BROKEN:
            return self._from_broken(price)
        return self._from_confirmed(price) if state == CONFIRMED else self._from_retest(price)

    def _from_none(self, price: float) -> tuple[int, float]:
        if price > self.maximum and self.age >= self.rule.base:
            self.resistance, self.above = self.maximum, 0
            # with one close to confirm, the break is the confirmation
            after, margin = self._from_broken(price)
            return after, price / self.maximum - 1 if after == BROKEN else margin
        return NONE, np.nan

    def _from_broken(self, price: float) -> tuple[int, float]:
        margin = price / self.resistance - 1
        if margin <= 0:
            self.above, self.narrowest = 0, np.inf
            return BROKEN, np.nan
        self.narrowest = min(self.narrowest, margin) if self.above else margin
        self.above += 1
        if self.above < self.rule.confirm:
            return BROKEN, np.nan
        margin, self.narrowest = self.narrowest, np.inf
        return CONFIRMED, margin

    def _from_confirmed(self, price: float) -> tuple[int, float]:
        margin = price / ((1 + self.rule.tolerance) * self.resistance) - 1
        self.narrowest = min(self.narrowest, margin)
        if margin <= 0:
            return RETEST, -margin
        if self.in_state + 1 == self.rule.window:
            return RAN_AWAY, self.narrowest
        return CONFIRMED, np.nan

    def _from_retest(self, price: float) -> tuple[int, float]:
        margin = price / ((1 + 2 * self.rule.tolerance) * self.resistance) - 1
        return (RETEST_HELD, margin) if margin > 0 else (RETEST, np.nan)


def breakout_path(close: NDArray[np.float64] | pd.Series, rule: BreakoutRule | None = None) -> BreakoutPath:
    """Run the automaton over closes.

    Parameters
    ----------
    close : shape (n_obs,), one close a session, price-return; NaN where there is none (the state is kept and time runs on)
    rule : parameters; the pre-registered ones by default

    Returns
    -------
    BreakoutPath

    Notes
    -----
    The margin of a confirmation and of ran_away is the narrowest over the closes that made it.
    A missing close during the window uses up a session of it. A close that ends an event cannot begin the next.
    """
    prices = np.asarray(close, dtype=np.float64)
    automaton = _Automaton(rule or BreakoutRule())
    state = np.empty(len(prices), dtype=np.int8)
    numbers = np.full((4, len(prices)), np.nan)
    for t, price in enumerate(prices.tolist()):
        margin = automaton.step(price)
        state[t] = automaton.state
        if automaton.state >= 0:
            numbers[:, t] = automaton.resistance, automaton.in_state, price / automaton.resistance, margin
    resistance, in_state, ratio, margins = numbers
    return BreakoutPath(state, resistance, in_state, np.log(ratio), margins)
