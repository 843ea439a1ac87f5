"""The grid of every event, asset and horizon: one family of tests, adjusted together (METHODS 4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.inference import Array
from training.claims.other_nulls import bootstrap_means, random_date_test
from training.claims.outcomes import Outcomes, Positions, outcomes_of
from training.claims.rules import COOL_DOWN, STATES
from training.claims.shifts import DRAWS, NOTHING, NullTest, against, draw_shifts, leave_one_out, shift_test, shifted_means, step_down
from training.claims.small_samples import Rises, count_rises

YEAR_OUT = 2020
"""The year of the pandemic, whose breakout every claim rests on: the tests are repeated without it."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class BaseRate:
    """What any session was followed by: share of rises, mean, median; n sessions, of which n_independent do not overlap."""

    up: float
    mean: float
    median: float
    n: int
    n_independent: int


@dataclass(frozen=True)
class Cell:
    """What followed the events of one rule and series, for one asset and horizon.

    Attributes
    ----------
    dates, returns : of the counted events whose horizon is over and before which the asset had a price; log returns
    open_dates : counted events whose horizon is not over
    base : from any session
    shift : circular shifts; `adjusted` its p-values above and below, adjusted over the family
    without : shift tests without each event in turn; `without_2020` without those of that year
    random_dates, bootstrap : the two other nulls
    rises : count of rises against the base rate
    """

    series: str
    state: str
    asset: str
    horizon: int
    dates: tuple[pd.Timestamp, ...]
    returns: tuple[float, ...]
    open_dates: tuple[pd.Timestamp, ...]
    base: BaseRate
    shift: NullTest
    adjusted: tuple[float, float]
    without: tuple[NullTest, ...]
    without_2020: NullTest
    random_dates: NullTest
    bootstrap: NullTest
    rises: Rises

    @property
    def falls(self) -> list[tuple[pd.Timestamp, float]]:
        """Events after which the asset did not rise, with the log return."""
        return [(date, value) for date, value in zip(self.dates, self.returns, strict=True) if value <= 0]

    @property
    def left_out_range(self) -> tuple[float, float]:
        """Least and greatest p-value of the shift test without one event; NaN where none would be left."""
        values = [each.p_above for each in self.without]
        return (min(values), max(values)) if values else (float("nan"), float("nan"))


def base_rate(forward: Array, horizon: int) -> BaseRate:
    """Describe a column of `Outcomes.forward`."""
    known = forward[~np.isnan(forward)]
    if not len(known):
        return BaseRate(float("nan"), float("nan"), float("nan"), 0, 0)
    return BaseRate(float((known > 0).mean()), float(known.mean()), float(np.median(known)), len(known), len(known) // horizon)


@dataclass(frozen=True)
class _Draft:
    """A cell before the family is known: its events, its null, and its place in the outcomes."""

    series: str
    state: str
    asset: str
    column: int
    at: Positions
    open_at: Positions
    null: Array


def family_of(
    events: pd.DataFrame,
    prices: pd.DataFrame,
    series: Sequence[str],
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress = lambda stage, done, total: None,
) -> list[Cell]:
    """Test every rule and series of events on every asset and horizon.

    Parameters
    ----------
    events : as `training.claims.rules.list_rule_events`; those that count are used
    prices : price of each asset at `asof(t)`; assets without a price are left out
    series : those whose events are tested, with events or without
    draws, seed : of the nulls
    progress : called with a word, the steps done and their number

    Returns
    -------
    list of Cell, by rule, series, asset and horizon; a cell without events has n = 0 and no p-value
    """
    rng = np.random.default_rng(seed)
    outcomes = {str(asset): outcomes_of(prices[asset]) for asset in prices}
    outcomes = {asset: each for asset, each in outcomes.items() if len(each.circle) > 1}
    if not outcomes:
        return []
    lengths = [len(each.circle) for each in outcomes.values()]
    shifts = draw_shifts(max(lengths), lengths, draws, rng)
    drafts = [draft for asset, each in outcomes.items() for draft in _drafts(events, series, asset, each, shifts[len(each.circle)])]
    observed = np.array([_mean(outcomes[d.asset].circle[d.at, d.column]) for d in drafts])
    null = np.column_stack([d.null for d in drafts])
    above, below = step_down(observed, null), step_down(-observed, -null)
    drawn: dict[int, NullTest] = {}
    for k, (asset, each) in enumerate(outcomes.items()):
        progress("bootstrap", k, len(outcomes))
        drawn |= _bootstraps([d for d in drafts if d.asset == asset], each, draws, seed)
    progress("bootstrap", len(outcomes), len(outcomes))
    return [
        _finish(d, outcomes[d.asset], shifts, (float(above[k]), float(below[k])), drawn.get(id(d), NOTHING), draws, rng)
        for k, d in enumerate(drafts)
    ]


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _drafts(events: pd.DataFrame, names: Sequence[str], asset: str, own: Outcomes, shifts: Positions) -> list[_Draft]:
    out = []
    counted = events[events["counted"].astype(bool)]
    for state in STATES:
        for series in names:
            dates = counted.loc[(counted["state"] == state) & (counted["series"] == series), "date"]
            at = own.positions(pd.DatetimeIndex(dates))
            for k in range(len(own.horizons)):
                over = ~np.isnan(own.forward[at, k])
                null = shifted_means(own.circle[:, k], at[over], shifts)
                out.append(_Draft(series, state, asset, k, at[over], at[~over], null))
    return out


def _bootstraps(drafts: list[_Draft], own: Outcomes, draws: int, seed: int) -> dict[int, NullTest]:
    """Test all cells of an asset on the same bootstrapped histories."""
    used = [d for d in drafts if len(d.at)]
    if not used:
        return {}
    means = bootstrap_means(own.returns, [(d.at, own.horizons[d.column]) for d in used], draws, seed)
    return {id(d): against(_mean(own.circle[d.at, d.column]), means[:, j], len(d.at)) for j, d in enumerate(used)}


def _finish(
    draft: _Draft,
    own: Outcomes,
    shifts: dict[int, Positions],
    adjusted: tuple[float, float],
    bootstrap: NullTest,
    draws: int,
    rng: np.random.Generator,
) -> Cell:
    at, horizon = draft.at, own.horizons[draft.column]
    circle, forward = own.circle[:, draft.column], own.forward[:, draft.column]
    moves = shifts[len(circle)]
    base = base_rate(forward, horizon)
    outside = at[own.sessions[at].year.to_numpy() != YEAR_OUT]
    return Cell(
        draft.series,
        draft.state,
        draft.asset,
        horizon,
        tuple(own.sessions[at]),
        tuple(circle[at].tolist()),
        tuple(own.sessions[draft.open_at]),
        base,
        against(_mean(circle[at]), draft.null, len(at)),
        adjusted,
        tuple(leave_one_out(circle, at, moves)),
        shift_test(circle, outside, moves),
        random_date_test(forward, at, COOL_DOWN, draws, rng),
        bootstrap,
        count_rises(circle[at], base.up),
    )
