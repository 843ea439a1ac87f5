"""Which sessions count as events: by rule, never by eye, and none within a year of the one before (METHODS 4)."""

import numpy as np
import pandas as pd

from features.breakout_list import with_closes
from features.breakout_transitions import KNIFE_EDGE, breakout_events
from features.levels import index_closes
from features.market import Market

CONFIRMED, HELD, RECORD = "breakout_confirmed", "retest_held", "record_after_year"
STATES = {
    CONFIRMED: "breakout confirmed",
    HELD: "retest held (resistance turned support)",
    RECORD: "first record close after a year or more",
}
"""Rules by name and in words: two transitions of the automaton of METHODS 1.1, and a record that had stood for a year."""

BASE = 252
"""Sessions for which a record must have stood."""

COOL_DOWN = 252
"""Sessions after an event in which another one of the same rule and series belongs to it and is not counted."""

COLUMNS = ("series", "state", "date", "resistance", "margin", "knife_edge", "counted", "note")


def list_rule_events(market: Market, series: list[str] | None = None) -> pd.DataFrame:
    """List the events of every rule for every small-cap series, those within the cool-down marked as not counted.

    Parameters
    ----------
    series : as in `features.breakout_list.list_events`

    Returns
    -------
    DataFrame with `COLUMNS` by series, rule and date
    """
    frames = [rule_events(index_closes(market, name)).assign(series=name) for name in with_closes(market, series)]
    some = [frame for frame in frames if len(frame)] or frames[:1]
    return pd.concat(some, ignore_index=True)[list(COLUMNS)] if some else pd.DataFrame(columns=list(COLUMNS))


def rule_events(close: pd.Series) -> pd.DataFrame:
    """Apply the three rules to one series of closes on sessions; columns as `COLUMNS` but for the series."""
    transitions = breakout_events(close).rename(columns={"event": "state"})
    transitions = transitions[transitions["state"].isin([CONFIRMED, HELD])]
    events = pd.concat([transitions.drop(columns="close"), records_after(close)], ignore_index=True)
    parts = [cooled(events[events["state"] == state].sort_values("date"), close.index) for state in STATES]
    return pd.concat(parts, ignore_index=True)


def records_after(close: pd.Series, base: int = BASE) -> pd.DataFrame:
    """List the closes above every earlier one, where the record had stood for `base` sessions.

    Returns
    -------
    DataFrame with state, date, resistance (the old record), margin (a share of it), knife_edge
    """
    stood = record_ages(close)
    at = np.flatnonzero((stood >= base).to_numpy())
    old = close.cummax().shift(1).ffill().to_numpy(dtype=np.float64)[at]
    margin = close.to_numpy(dtype=np.float64)[at] / old - 1
    dates = pd.DatetimeIndex(close.index[at])
    return pd.DataFrame({"state": RECORD, "date": dates, "resistance": old, "margin": margin, "knife_edge": margin < KNIFE_EDGE})


def record_ages(close: pd.Series) -> pd.Series:
    """Sessions for which the old record had stood, on sessions with a record close; NaN on others and on the first close."""
    best = close.cummax().shift(1).ffill()
    at = np.flatnonzero((close > best).to_numpy())
    first = close.first_valid_index()
    begun = [] if first is None else [int(close.index.get_indexer(pd.DatetimeIndex([first]))[0])]
    stood = np.full(len(close), np.nan)
    if len(at):
        stood[at] = np.diff(np.concatenate([begun, at]))
    return pd.Series(stood, index=close.index)


def cooled(events: pd.DataFrame, sessions: pd.Index, cool_down: int = COOL_DOWN) -> pd.DataFrame:
    """Mark which events of one rule count: the first, and then the first at least `cool_down` sessions after the last that counted.

    Parameters
    ----------
    events : with a date, ascending
    sessions : the calendar on which the distance is measured

    Returns
    -------
    DataFrame, the same rows with `counted` and a `note` that names the event to which one that does not count belongs
    """
    counted: list[bool] = []
    notes: list[str] = []
    last: int | None = None
    for at in sessions.get_indexer(pd.DatetimeIndex(events["date"])).tolist():
        counts = last is None or at - last >= cool_down
        notes.append("" if counts or last is None else f"within {cool_down} sessions of {sessions[last]:%Y-%m-%d}")
        counted.append(counts)
        last = at if counts else last
    return events.assign(counted=np.array(counted, dtype=bool), note=pd.Series(notes, index=events.index, dtype=str))
