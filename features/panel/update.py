"""One new session from stored state, to the numbers that a recount gives."""

from dataclasses import dataclass, replace

import numpy as np

from features.errors import DataError
from features.panel.counts import ALIVE, FLAGS, SUMS, SWING, YEAR, Totals, clipped_moves, compare
from features.panel.rows import MAX_GAP, Flags, Ints
from features.panel.state import FORGOTTEN, PanelState
from features.panel.windows import Grid, last_sum


@dataclass(frozen=True)
class PanelDay:
    """Rows of one session; arrays of shape (n,), each security once, in any order.

    Attributes
    ----------
    day, previous : the session and the one before it, days from 1970-01-01
    ids : securities
    close : NaN where a member is not priced
    member : whether the security is in the index
    factor : what earlier closes are multiplied by to compare with this one (splits, dividends); None for 1 throughout
    """

    day: int
    previous: int
    ids: Ints
    close: Grid
    member: Flags
    factor: Grid | None = None


def update(state: PanelState, day: PanelDay) -> tuple[PanelState, Totals, Totals]:
    """Go on by one session.

    Parameters
    ----------
    state : PanelState of the session before
    day : PanelDay

    Returns
    -------
    state : PanelState of the new session
    everyone, members : Totals of the new session alone, `n_sessions` being 1

    Raises
    ------
    DataError
        Where the day is not the one that follows, or its rows break a rule.
    """
    _check(state, day)
    state = _rescaled(_with_newcomers(state, day), day)
    at, known = _positions(state, day.ids)
    close, member = np.full(len(state.ids), np.nan), np.zeros(len(state.ids), dtype=bool)
    close[at], member[at] = day.close[known], day.member[known]
    priced = ~np.isnan(close)
    age = np.where(priced, 0, state.age + 1).astype(np.int32)
    carried = np.where(age <= MAX_GAP, state.closes[-1], np.nan)
    tail = np.concatenate((state.closes, np.where(priced, close, carried)[None]))
    flags, values = _measured(tail, priced)
    everyone = _total(flags, values, int((age < ALIVE).sum()))
    members = _total(flags & member, values * member, int(day.member.sum()))
    kept = age < FORGOTTEN
    closes = tail[1:] if kept.all() else np.ascontiguousarray(tail[1:, kept])
    return replace(state, day=day.day, ids=state.ids[kept], closes=closes, age=age[kept]), everyone, members


def _measured(tail: Grid, priced: Flags) -> tuple[Flags, Grid]:
    """As `features.panel.counts.measure`, of the last row alone; whatever lacks history is NaN here."""
    flags = np.empty((len(FLAGS), tail.shape[1]), dtype=bool)
    at = dict(zip(FLAGS, flags, strict=True))
    close, before = tail[-1], tail[-2]
    at["priced"][:] = priced
    for window in (50, 200):
        total = last_sum(tail, window)
        at[f"n_{window}"][:] = valid = priced & ~np.isnan(total)
        above, tie = compare(close, total, window)
        at[f"above_{window}"][:], at[f"ties_{window}"][:] = above & valid, tie & valid
    year = tail[-YEAR - 1 : -1]
    top, bottom = np.maximum.reduce(year), np.minimum.reduce(year)
    at["n_252"][:] = priced & ~np.isnan(top)
    at["highs"][:], at["lows"][:] = priced & (close > top), priced & (close < bottom)
    at["return_n"][:] = priced & ~np.isnan(before)
    at["advances"][:], at["declines"][:] = priced & (close > before), priced & (close < before)
    moves, simple, beyond = clipped_moves(tail[-SWING:], tail[-SWING - 1 : -1])
    at["clipped"][:] = priced & beyond[-1]
    swing = last_sum(moves, SWING)
    at["swing_n"][:] = priced & ~np.isnan(swing)
    swing = np.where(at["swing_n"], swing, 0.0)
    return flags, np.stack((np.where(at["return_n"], simple[-1], 0.0), swing, swing * swing))


def _total(flags: Flags, values: Grid, expected: int) -> Totals:
    # cumsum adds one after the other, as the recount does; sum would pair them
    sums = np.cumsum(values, axis=1)[:, -1:] if values.shape[1] else np.zeros((len(SUMS), 1))
    return Totals(flags.sum(axis=1, dtype=np.int64)[:, None], sums, np.array([expected]))


def _positions(state: PanelState, ids: Ints) -> tuple[Ints, Flags]:
    """Where securities stand in a state, of those that are in it, and which are."""
    at = np.searchsorted(state.ids, ids)
    known = at < len(state.ids)
    known[known] = state.ids[at[known]] == ids[known]
    return at[known].astype(np.int32), known


def _with_newcomers(state: PanelState, day: PanelDay) -> PanelState:
    _, known = _positions(state, day.ids)
    fresh = day.ids[~known & ~np.isnan(day.close)]
    if not len(fresh):
        return state
    ids = np.concatenate((state.ids, fresh))
    order = np.argsort(ids)
    closes = np.concatenate((state.closes, np.full((len(state.closes), len(fresh)), np.nan)), axis=1)
    age = np.concatenate((state.age, np.full(len(fresh), FORGOTTEN, dtype=np.int32)))
    return replace(state, ids=ids[order], closes=np.ascontiguousarray(closes[:, order]), age=age[order])


def _rescaled(state: PanelState, day: PanelDay) -> PanelState:
    if day.factor is None or (day.factor == 1).all():
        return state
    at, known = _positions(state, day.ids)
    factor = np.ones(len(state.ids))
    factor[at] = day.factor[known]
    return replace(state, closes=state.closes * factor)


def _check(state: PanelState, day: PanelDay) -> None:
    said = f"panel day {np.datetime64(day.day, 'D')}"
    if day.previous != state.day or day.day <= day.previous:
        raise DataError(
            f"{said}: the session before it is {np.datetime64(day.previous, 'D')}, the state is of {np.datetime64(state.day, 'D')}; "
            "rule: each session in turn. Give the ones between, or count the panel again"
        )
    shapes = {len(day.ids), len(day.close), len(day.member), len(day.ids if day.factor is None else day.factor)}
    if len(shapes) > 1:
        raise DataError(f"{said}: columns of lengths {sorted(shapes)}; rule: one row a security")
    if len(np.unique(day.ids)) < len(day.ids):
        ids, n = np.unique(day.ids, return_counts=True)
        raise DataError(f"{said}: security {ids[n.argmax()]} is there {n.max()} times; rule: once a session")
    for name, values in (("close", day.close), ("factor", day.factor)):
        wrong = np.zeros(0) if values is None else (values <= 0) | (values == np.inf) | (np.isnan(values) & (name == "factor"))
        if wrong.any() and values is not None:
            row = int(np.argmax(wrong))
            raise DataError(f"{said}: security {day.ids[row]}, column '{name}': {values[row]}; rule: positive and finite")
